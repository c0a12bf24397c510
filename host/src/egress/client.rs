use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::{
    EgressError, Request, Response, SetupError, address, breaker::Breakers, exchange::Exchange,
    tls::Tls,
};
use crate::config::{EgressConfig, Origin};

/// Requests of all realms under way at one time. Each holds an instance of a method for as long as
/// it lasts; so half of those that the router has are left to others.
const MOST_REQUESTS: usize = 128;

/// Makes requests of the router's own, within what the operator allows. One for the process.
pub struct Egress {
    /// None: any origin with `https`.
    origins: Option<BTreeSet<Origin>>,
    networks: Vec<IpNet>,
    secrets: PathBuf,
    time: Duration,
    response_size: usize,
    tls: Tls,
    breakers: Arc<Breakers>,
    places: Places,
}

/// A URL that a request can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) origin: Origin,
}

impl Egress {
    pub fn new(config: &EgressConfig) -> Result<Self, SetupError> {
        Ok(Self {
            origins: config.origins.clone(),
            networks: config.networks.iter().copied().collect(),
            secrets: config.secrets.clone(),
            time: config.time,
            response_size: config.response_size.length(),
            tls: Tls::new(config.ca_file.as_deref())?,
            breakers: Arc::default(),
            places: Places::new(config.parallel as usize),
        })
    }

    /// Fetches something for a realm. The URL is the realm's file's word, or the operator's; that
    /// of a client or of a method goes through a [`Door`](super::Door).
    ///
    /// Whatever the status is, it is a response; only redirects are errors.
    pub async fn get(&self, realm: &Arc<str>, url: &str) -> Result<Response, EgressError> {
        let target = Target::parse(url)?;
        self.send(realm, &target, Request::get(), self.time).await
    }

    /// Whether a request to this URL would be made, as far as can be told without making it. For
    /// who writes it into a file.
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        self.check_origin(&Target::parse(url)?.origin)
    }

    pub(super) fn check_origin(&self, origin: &Origin) -> Result<(), EgressError> {
        let is_allowed = match &self.origins {
            Some(origins) => origins.contains(origin),
            None => origin.is_https(),
        };
        if !is_allowed {
            return Err(EgressError::NotAllowed(origin.clone()));
        }
        let Some(address) = origin.address() else {
            return Ok(());
        };
        address::check(address, &self.networks).map_err(|kind| EgressError::Address {
            host: origin.name().to_owned(),
            address,
            kind,
        })
    }

    /// The file of one of a realm's secrets.
    pub(super) fn secret_file(&self, realm: &str, name: &str) -> PathBuf {
        self.secrets.join(realm).join(name)
    }

    pub(super) async fn send(
        &self,
        realm: &Arc<str>,
        target: &Target,
        request: Request,
        at_most: Duration,
    ) -> Result<Response, EgressError> {
        let origin = &target.origin;
        self.check_origin(origin)?;
        let _place = self.places.take(realm)?;
        let passage = self
            .breakers
            .admit(realm, origin)
            .map_err(|left| EgressError::Stopped {
                origin: origin.clone(),
                left,
            })?;
        let exchange = Exchange {
            target,
            networks: &self.networks,
            tls: &self.tls,
            time: self.time.min(at_most),
            response_size: self.response_size,
        };
        let outcome = exchange.run(request).await;
        let health = match &outcome {
            Ok(response) => response.health(),
            Err(error) => error.health(),
        };
        passage.settle(health, || match &outcome {
            Ok(response) => format!("it answers with status {}", response.status),
            Err(error) => error.to_string(),
        });
        outcome
    }
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, EgressError> {
        let parsed = Url::parse(text)
            .ok()
            .and_then(|url| Some((Origin::of(&url)?, url)));
        let (origin, url) = parsed.ok_or_else(|| {
            // It may be long, and may have a password in it.
            let shown = text.split(['@', '?', '#']).next().unwrap_or_default();
            EgressError::NotAnUrl(shown.chars().take(100).collect())
        })?;
        Ok(Self { url, origin })
    }
}

/// Room for requests. There is no queue: who waited would hold an instance, and the service is
/// slow already.
struct Places {
    each: usize,
    all: Arc<Semaphore>,
    by_realm: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

impl Places {
    fn new(each: usize) -> Self {
        Self {
            each,
            all: Arc::new(Semaphore::new(MOST_REQUESTS)),
            by_realm: Mutex::default(),
        }
    }

    fn take(&self, realm: &Arc<str>) -> Result<[OwnedSemaphorePermit; 2], EgressError> {
        let of_realm = {
            let mut by_realm = self.by_realm.lock();
            let semaphore = by_realm
                .entry(Arc::clone(realm))
                .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
            Arc::clone(semaphore)
        };
        let of_realm = of_realm.try_acquire_owned();
        let of_all = Arc::clone(&self.all).try_acquire_owned();
        match (of_realm, of_all) {
            (Ok(of_realm), Ok(of_all)) => Ok([of_realm, of_all]),
            _ => Err(EgressError::Busy(self.each)),
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("origins", &self.origins)
            .field("networks", &self.networks)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
