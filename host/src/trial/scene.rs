//! Where attempts are played: a method with its credentials, its time and its randomness.

use std::{path::Path, sync::Arc, time::Duration};

use tempfile::TempDir;
use thiserror::Error;

use super::{
    callees,
    store::{CredentialError, Credentials},
};
use crate::{
    config::{CallLimits, Capability, EgressConfig, TestTable},
    credential::{Bounds, Keyring, PasswordQueue, Sqlite, StoreError, Vault},
    egress::{Door, DoorError, Egress, SetupError},
    login::StepName,
    method::{
        Fault, Grant, Limits, LoadError, Manifest, Meter, Method, MethodParts, Reach, Revision,
        Runtime, Source, World,
    },
    wamp::Id,
};

/// Why a method cannot be tried.
#[derive(Debug, Error)]
pub enum TrialError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("it refuses the table's settings: {0}")]
    Settings(String),
    #[error("the credential of {authid:?} in the table: {problem}")]
    Credential {
        authid: String,
        problem: CredentialError,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a temporary directory cannot be made: {0}")]
    Files(#[from] std::io::Error),
    #[error("the table's origins: {0}")]
    Door(#[from] DoorError),
    #[error(transparent)]
    Egress(#[from] SetupError),
}

/// Wrong answers lock nobody, so that one attempt of a table does not stand in the next one's way.
/// Whoever is locked is so from the beginning.
const NEVER: Bounds = Bounds {
    most: u32::MAX,
    lock: Duration::from_mins(1),
    longest: Duration::from_mins(1),
    total: u32::MAX,
};

/// A method, with all that it is asked in front of.
pub(super) struct Scene {
    pub(super) method: Arc<Method>,
    pub(super) meter: Arc<Meter>,
    pub(super) realm: Arc<str>,
    pub(super) session: Id,
    _credentials: Credentials,
}

/// What is compiled once and tried on several scenes.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) runtime: Arc<Runtime>,
    pub(super) revision: Arc<Revision>,
    /// Of a realm without credentials: for what is no login.
    keyring: Keyring,
    _files: Arc<TempDir>,
}

impl Candidate {
    /// Compiles a component, granting it all that there is.
    pub(super) async fn load(runtime: &Arc<Runtime>, source: Source) -> Result<Self, TrialError> {
        let (keyring, files) = empty()?;
        let grant: Grant = Capability::ALL.into_iter().collect();
        let limits = Limits::from(&CallLimits::default());
        let revision = Revision::load(runtime, &keyring, source, grant, &limits).await?;
        Ok(Self {
            runtime: Arc::clone(runtime),
            revision: Arc::new(revision),
            keyring,
            _files: files,
        })
    }

    /// One that is compiled already.
    pub(super) fn of(runtime: &Arc<Runtime>, revision: &Arc<Revision>) -> Result<Self, TrialError> {
        let (keyring, files) = empty()?;
        Ok(Self {
            runtime: Arc::clone(runtime),
            revision: Arc::clone(revision),
            keyring,
            _files: files,
        })
    }

    /// Asks it once more who it is.
    pub(super) async fn describe(&self, world: World) -> Result<Manifest, Fault> {
        let limits = Limits::from(&CallLimits::default());
        let revision = &self.revision;
        revision
            .describe(&self.runtime, &self.keyring, &limits, world)
            .await
    }

    /// Whether it can work with settings.
    pub(super) async fn check(&self, settings: &str) -> Result<(), LoadError> {
        let parts = MethodParts {
            realm: "".into(),
            step: StepName::new("conform"),
            settings: settings.to_owned(),
            limits: Limits::from(&CallLimits::default()),
            keyring: self.keyring.clone(),
            reach: Reach::default(),
            guesses: NEVER,
            counts_first: false,
        };
        let (runtime, revision) = (Arc::clone(&self.runtime), Arc::clone(&self.revision));
        Method::new(runtime, revision, parts).await.map(drop)
    }

    /// The name that it has in a realm's policy.
    pub(super) fn step(&self, table: &TestTable) -> StepName {
        let name = table.step.as_ref().map(crate::config::StepName::as_str);
        StepName::new(name.unwrap_or(&self.revision.manifest.name))
    }
}

impl Scene {
    /// With the table's settings and credentials.
    pub(super) async fn set(
        candidate: &Candidate,
        table: &TestTable,
        seed: u8,
    ) -> Result<Self, TrialError> {
        let Candidate {
            runtime, revision, ..
        } = candidate;
        let realm: Arc<str> = table.realm.as_str().into();
        let (name, known) = (Arc::clone(&realm), table.credentials.clone());
        // Hashes of passwords take their time: not on a thread that serves.
        let credentials = tokio::task::spawn_blocking(move || Credentials::new(&name, &known))
            .await
            .map_err(std::io::Error::other)?
            .map_err(|(authid, problem)| TrialError::Credential { authid, problem })?;
        let role = table.credentials.first();
        let role = role.map_or("user", |credential| credential.role.as_str());
        let procedures = callees::procedures(&realm, &table.procedures);
        let door = door(&realm, table)?;
        let parts = MethodParts {
            realm: Arc::clone(&realm),
            step: candidate.step(table),
            settings: table.settings.to_json(),
            limits: Limits::from(&table.limits),
            keyring: credentials.vault.keyring((&*realm).into(), role.into()),
            reach: Reach {
                procedures: procedures.map(Arc::new),
                door,
                ..Reach::default()
            },
            guesses: NEVER,
            counts_first: true,
        };
        let method = Method::new(Arc::clone(runtime), Arc::clone(revision), parts)
            .await
            .map_err(|error| match error {
                LoadError::Settings(why) => TrialError::Settings(why),
                other => other.into(),
            })?;
        let meter = Arc::new(Meter::new(World {
            now: table.clock,
            // Another time for who looks at another clock.
            clock: table.clock + Duration::from_hours(u64::from(seed)),
            seed,
        }));
        Ok(Self {
            method: Arc::new(method.metered(Arc::clone(&meter))),
            meter,
            realm,
            session: Id::new(table.session).unwrap_or(Id::MIN),
            _credentials: credentials,
        })
    }
}

/// Requests that the table grants can be checked, and are not sent.
fn door(realm: &Arc<str>, table: &TestTable) -> Result<Option<Arc<Door>>, TrialError> {
    if table.origins.is_empty() {
        return Ok(None);
    }
    let egress = Arc::new(Egress::new(&EgressConfig::new(Path::new("")))?);
    let origins = table.origins.iter().cloned().collect();
    let door = egress.door(realm, &origins, None)?;
    Ok(Some(Arc::new(door.closed())))
}

/// The credentials of a realm that has none.
fn empty() -> Result<(Keyring, Arc<TempDir>), TrialError> {
    let files = tempfile::tempdir()?;
    let store = Sqlite::open(files.path().join("credentials.db"))?;
    let vault = Vault::open(Arc::new(store), PasswordQueue::default())?;
    Ok((vault.keyring("".into(), "".into()), Arc::new(files)))
}
