use std::{
    collections::BTreeSet,
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use thiserror::Error;

use super::{
    AddressKind, Egress, EgressError, Request, Response, Secret, SecretError, client::Target,
};
use crate::config::{Authorization, Origin};

/// What one method of one realm may send requests by: to the origins that the realm has granted,
/// and with the realm's secret.
pub struct Door {
    egress: Arc<Egress>,
    realm: Arc<str>,
    origins: BTreeSet<Origin>,
    secret: Option<Secret>,
    /// Nothing is sent.
    is_closed: bool,
}

/// Why a realm cannot grant what its file says.
#[derive(Debug, Error)]
pub enum DoorError {
    #[error(
        "its file grants requests to {0}, which the operator does not allow: add it to \"origins\" \
         under [egress] in countersign.toml, or take it out of the realm's file"
    )]
    NotAllowed(Origin),
    #[error(
        "its file grants requests to {origin}, {kind}, which the operator does not allow: add it to \
         \"networks\" under [egress] in countersign.toml, or take it out of the realm's file"
    )]
    Address { origin: Origin, kind: AddressKind },
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Egress {
    /// Makes a door, if the operator allows all that the realm's file grants.
    pub fn door(
        self: &Arc<Self>,
        realm: &Arc<str>,
        origins: &BTreeSet<Origin>,
        authorization: Option<&Authorization>,
    ) -> Result<Door, DoorError> {
        for origin in origins {
            self.check_origin(origin).map_err(|error| match error {
                EgressError::Address { kind, .. } => DoorError::Address {
                    origin: origin.clone(),
                    kind,
                },
                _ => DoorError::NotAllowed(origin.clone()),
            })?;
        }
        let secret = authorization.map(|authorization| {
            let file = self.secret_of(realm, authorization);
            match authorization {
                Authorization::Signature(_) => Secret::signature(&file),
                Authorization::Bearer(_) => Secret::bearer(&file),
            }
        });
        Ok(Door {
            egress: Arc::clone(self),
            realm: Arc::clone(realm),
            origins: origins.clone(),
            secret: secret.transpose()?,
            is_closed: false,
        })
    }

    /// The file that this is read from. It is below a directory that is the realm's alone, so that
    /// no realm sends another's secret to a service of its own.
    pub fn secret_of(&self, realm: &str, authorization: &Authorization) -> PathBuf {
        let (Authorization::Signature(name) | Authorization::Bearer(name)) = authorization;
        self.secret_file(realm, name.as_str())
    }
}

impl Door {
    /// The same, but nothing is sent: for trials, which disturb nobody's service.
    #[must_use]
    pub fn closed(self) -> Self {
        Self {
            is_closed: true,
            ..self
        }
    }

    /// Whether a request to this URL would be let through.
    pub fn check(&self, url: &str) -> Result<(), EgressError> {
        self.target(url).map(drop)
    }

    /// Sends a request, and waits for what comes back: as long as the operator allows, and no longer
    /// than this.
    pub async fn send(
        &self,
        url: &str,
        mut request: Request,
        at_most: Duration,
    ) -> Result<Response, EgressError> {
        let target = self.target(url)?;
        if self.is_closed {
            return Err(EgressError::Trial(target.origin));
        }
        if let Some(secret) = &self.secret {
            let mut id = [0; 16];
            // Without randomness there is no session either; an id that is none is the service's
            // to refuse.
            _ = getrandom::fill(&mut id);
            request.authorization = secret.headers(id, SystemTime::now(), &request.body);
        }
        self.egress
            .send(&self.realm, &target, request, at_most)
            .await
    }

    fn target(&self, url: &str) -> Result<Target, EgressError> {
        let target = Target::parse(url)?;
        if self.origins.contains(&target.origin) {
            Ok(target)
        } else {
            Err(EgressError::NotGranted(target.origin))
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("realm", &self.realm)
            .field("origins", &self.origins)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}
