use std::{path::Path, sync::Arc, time::Duration};

use countersign::{
    config::{Instances, RealmLimits},
    credential::{Bounds, PasswordQueue, Sqlite, Vault},
    login::{Answer, Attempt, Authid, Call, StepName, Verdict},
    method::{
        Bulkhead, Capability, Evidence, Fault, Grant, Limits, LoadError, Method, MethodParts,
        Reach, Revision, Runtime, Source, Spent,
    },
    transport::Connection,
    wamp::{Dict, Id},
};
use countersign_tests::soon;
use tempfile::TempDir;

/// Nobody guesses here.
const BOUNDS: Bounds = Bounds {
    most: 5,
    lock: Duration::from_mins(1),
    longest: Duration::from_hours(1),
    total: 100,
};

/// Tight, so that the tests are quick; the kinds of limit are what counts here.
pub fn limits() -> Limits {
    Limits {
        time: Duration::from_millis(50),
        wall: Duration::from_secs(2),
        memory: 8 << 20,
        log: 4 << 10,
        // Of its own it has a test. Others are to reach what theirs are about.
        host_calls: 10_000_000,
        ..Limits::default()
    }
}

/// A router's inside, without a network.
pub struct House {
    pub runtime: Arc<Runtime>,
    pub revision: Arc<Revision>,
    vault: Vault,
    _files: TempDir,
}

impl House {
    pub async fn with_hostile_method() -> Self {
        let files = tempfile::tempdir().unwrap();
        let store = Sqlite::open(files.path().join("credentials.db")).unwrap();
        let vault = Vault::open(Arc::new(store), PasswordQueue::default()).unwrap();
        let runtime = Arc::new(Runtime::new().unwrap());
        let component = xtask::component("guest-hostile").unwrap();
        let revision = load(&runtime, &vault, read(&component)).await;
        Self {
            runtime,
            revision: Arc::new(revision.unwrap()),
            vault,
            _files: files,
        }
    }

    /// Another revision.
    pub async fn load(&self, octets: impl Into<Vec<u8>>) -> Result<Revision, LoadError> {
        load(&self.runtime, &self.vault, octets.into().into()).await
    }

    pub async fn method(&self, deed: &str) -> Arc<Method> {
        self.method_within(deed, limits()).await
    }

    pub async fn method_within(&self, deed: &str, limits: Limits) -> Arc<Method> {
        let made = self.made("realm1", deed, limits, Instances::Fresh).await;
        made.unwrap()
    }

    pub async fn made(
        &self,
        realm: &str,
        deed: &str,
        limits: Limits,
        instances: Instances,
    ) -> Result<Arc<Method>, LoadError> {
        let parts = MethodParts {
            realm: realm.into(),
            step: StepName::new("hostile"),
            settings: format!("{{\"does\":\"{deed}\"}}"),
            limits,
            keyring: self.vault.keyring(realm.into(), "user".into()),
            guesses: BOUNDS,
            counts_first: false,
            reach: Reach::default(),
            instances,
            bulkhead: Arc::new(Bulkhead::new(RealmLimits::default())),
        };
        let revision = Arc::clone(&self.revision);
        let method = Method::new(Arc::clone(&self.runtime), revision, parts).await;
        method.map(Arc::new)
    }
}

async fn load(
    runtime: &Arc<Runtime>,
    vault: &Vault,
    octets: Source,
) -> Result<Revision, LoadError> {
    let everything: Grant = Capability::ALL.into_iter().collect();
    let keyring = vault.keyring("realm1".into(), "user".into());
    Revision::load(runtime, &keyring, octets, everything, &limits()).await
}

fn read(path: &Path) -> Source {
    std::fs::read(path).unwrap().into()
}

/// Has a login begin.
pub async fn ask(method: &Arc<Method>) -> Result<Verdict, Fault> {
    ask_and_count(method).await.0
}

pub async fn ask_and_count(method: &Arc<Method>) -> (Result<Verdict, Fault>, Spent) {
    ask_as("alice", method, None).await
}

/// Has a login of somebody begin, or go on with an answer to a challenge that had left this state.
pub async fn ask_as(
    authid: &str,
    method: &Arc<Method>,
    state: Option<&[u8]>,
) -> (Result<Verdict, Fault>, Spent) {
    let attempt = Attempt {
        realm: "realm1".into(),
        session: Id::MIN,
        authid: Some(Authid::parse(authid).unwrap()),
        authextra: "{}".into(),
        nonce: [7; 32],
        proven: Vec::new(),
    };
    let answer = state.map(|state| Answer {
        signature: String::new(),
        extra: Dict::new(),
        nonce: [7; 32],
        state: state.into(),
    });
    let call = Call {
        step: StepName::new("hostile"),
        attempt,
        answer,
    };
    let connection = Connection {
        peer: "tcp:127.0.0.1:1".into(),
        confidential: true,
        ..Connection::default()
    };
    let evidence: Arc<Evidence> = Arc::default();
    let connection = Arc::new(connection);
    let verdict = soon("a verdict", method.call(call, &connection, &evidence)).await;
    (verdict, evidence.seen().spent)
}
