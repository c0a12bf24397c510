//! What a call of each standard method costs: a fresh instance, the call, and the end of it.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{
    config::{CallLimits, Instances, RealmLimits},
    credential::{Bounds, Existing, Keyring, PasswordQueue, Sqlite, Store, Vault, enrol},
    login::{Answer, Attempt, Authid, Call, StepName, Verdict},
    method::{Bulkhead, Capability, Grant, Limits, Method, MethodParts, Reach, Revision, Runtime},
    transport::Connection,
    wamp::{Dict, Id},
};
use criterion::Criterion;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tempfile::TempDir;

const SECRET: &str = "wonderland";

/// Nobody guesses here.
const BOUNDS: Bounds = Bounds {
    most: 5,
    lock: Duration::from_mins(1),
    longest: Duration::from_hours(1),
    total: 100,
};

struct House {
    runtime: Arc<Runtime>,
    keyring: Keyring,
    _files: TempDir,
}

impl House {
    /// With Alice, who can log in by everything that takes a secret.
    fn new() -> anyhow::Result<Self> {
        let files = tempfile::tempdir()?;
        let store = Sqlite::open(files.path().join("credentials.db"))?;
        let enrolments = [
            enrol::ticket(SECRET)?,
            enrol::wampcra(SECRET, &enrol::Derivation::Plain)?,
        ];
        for enrolment in enrolments {
            let (realm, authid, role) = ("realm1".into(), "alice".into(), "user".into());
            store.add(&realm, &authid, &role, &enrolment, Existing::Refuse)?;
        }
        let vault = Vault::open(Arc::new(store), PasswordQueue::default())?;
        Ok(Self {
            runtime: Arc::new(Runtime::new()?),
            keyring: vault.keyring("realm1".into(), "user".into()),
            _files: files,
        })
    }

    async fn method(
        &self,
        name: &str,
        settings: &str,
        instances: Instances,
    ) -> anyhow::Result<Arc<Method>> {
        let component = xtask::component(&format!("countersign-{name}"))?;
        let octets = std::fs::read(component)?.into();
        let limits = Limits::from(&CallLimits::default());
        let grant: Grant = Capability::ALL.into_iter().collect();
        let revision = Revision::load(&self.runtime, &self.keyring, octets, grant, &limits).await?;
        let parts = MethodParts {
            realm: "realm1".into(),
            step: StepName::new(name),
            settings: settings.into(),
            limits,
            keyring: self.keyring.clone(),
            guesses: BOUNDS,
            counts_first: false,
            reach: Reach::default(),
            instances,
            bulkhead: Arc::new(Bulkhead::new(RealmLimits::default())),
        };
        let method = Method::new(Arc::clone(&self.runtime), Arc::new(revision), parts).await?;
        Ok(Arc::new(method))
    }
}

fn call(step: &str, answer: Option<Answer>) -> Call {
    let attempt = Attempt {
        realm: "realm1".into(),
        session: Id::MIN,
        authid: Some(Authid::parse("alice").expect("it is one")),
        authextra: "{}".into(),
        nonce: [7; 32],
        proven: Vec::new(),
    };
    Call {
        step: StepName::new(step),
        attempt,
        answer,
    }
}

/// A right answer to a challenge of WAMP-CRA.
fn signed(verdict: &Verdict) -> Answer {
    let Verdict::Challenge(challenge) = verdict else {
        unreachable!("the method asks first: {verdict:?}");
    };
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(
        challenge
            .extra
            .text("challenge")
            .unwrap_or_default()
            .as_bytes(),
    );
    Answer {
        signature: BASE64_STANDARD.encode(mac.finalize().into_bytes()),
        extra: Dict::new(),
        nonce: [7; 32],
        state: Arc::clone(&challenge.state),
    }
}

pub fn methods(c: &mut Criterion) {
    let tokio = tokio::runtime::Runtime::new().expect("a runtime starts");
    let house = House::new().expect("everything was enrolled");
    let connection = Arc::new(Connection {
        peer: "tcp:127.0.0.1:1".into(),
        confidential: true,
        ..Connection::default()
    });
    let mut measure = |name: &str, settings: &str, instances: Instances| {
        let kept = match instances {
            Instances::Fresh => "",
            Instances::Warm => ", warm",
        };
        let method = tokio
            .block_on(house.method(name, settings, instances))
            .expect("the method is built and loads");
        let evidence = std::sync::Arc::default();
        let ask = |answer| method.call(call(name, answer), &connection, &evidence);
        let begun = tokio.block_on(ask(None)).expect("it decides");
        c.bench_function(&format!("method: {name}, begin{kept}"), |b| {
            b.to_async(&tokio).iter(|| ask(None));
        });
        // A ticket's answer costs what Argon2 costs.
        if name == "wampcra" {
            let answer = signed(&begun);
            let done = tokio.block_on(ask(Some(answer.clone())));
            assert!(matches!(done, Ok(Verdict::Accept(_))), "{done:?}");
            c.bench_function(&format!("method: {name}, resume{kept}"), |b| {
                b.to_async(&tokio).iter(|| ask(Some(answer.clone())));
            });
        }
    };
    measure("anonymous", r#"{"role":"user"}"#, Instances::Fresh);
    measure("ticket", "{}", Instances::Fresh);
    measure("cryptosign", "{}", Instances::Fresh);
    measure("wampcra", "{}", Instances::Fresh);
    measure("wampcra", "{}", Instances::Warm);
}
