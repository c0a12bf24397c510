//! What one call of a method can do to the router: nothing but fail its own login.

use std::{path::Path, sync::Arc, time::Duration};

use countersign::{
    credential::{Bounds, Keyring, PasswordQueue, Sqlite, Vault},
    login::{Attempt, Authid, Call, StepName, Verdict},
    method::{
        Capability, Digest, Fault, Grant, HostCall, Limit, Limits, Method, MethodParts, Reach,
        Revision, Runtime, Source, Spent,
    },
    transport::Connection,
    wamp::{Id, Message, reason},
};
use countersign_tests::{Client, Component, Deployment, hello};
use tempfile::TempDir;

/// Tight, so that the tests are quick; the kinds of limit are what counts here.
const LIMITS: Limits = Limits {
    time: Duration::from_millis(50),
    wall: Duration::from_secs(2),
    memory: 8 << 20,
    output: 64 << 10,
    log: 4 << 10,
};

/// Nobody guesses here.
const BOUNDS: Bounds = Bounds {
    most: 5,
    lock: Duration::from_mins(1),
    longest: Duration::from_hours(1),
    total: 100,
};

/// A router's inside, without a network.
struct House {
    runtime: Arc<Runtime>,
    keyring: Keyring,
    revision: Arc<Revision>,
    _files: TempDir,
}

impl House {
    async fn with_hostile_method() -> Self {
        let files = tempfile::tempdir().unwrap();
        let store = Sqlite::open(files.path().join("credentials.db")).unwrap();
        let vault = Vault::open(Arc::new(store), PasswordQueue::default()).unwrap();
        let keyring = vault.keyring("realm1".into(), "user".into());
        let runtime = Arc::new(Runtime::new().unwrap());
        let component = xtask::component("guest-hostile").unwrap();
        let octets = read(&component);
        let everything: Grant = Capability::ALL.into_iter().collect();
        let revision = Revision::load(&runtime, &keyring, octets, everything, &LIMITS).await;
        Self {
            runtime,
            keyring,
            revision: Arc::new(revision.unwrap()),
            _files: files,
        }
    }

    async fn method(&self, deed: &str) -> Arc<Method> {
        self.method_within(deed, LIMITS).await
    }

    async fn method_within(&self, deed: &str, limits: Limits) -> Arc<Method> {
        let parts = MethodParts {
            realm: "realm1".into(),
            step: StepName::new("hostile"),
            settings: format!("{{\"does\":\"{deed}\"}}"),
            limits,
            keyring: self.keyring.clone(),
            guesses: BOUNDS,
            counts_first: false,
            reach: Reach::default(),
        };
        let revision = Arc::clone(&self.revision);
        let method = Method::new(Arc::clone(&self.runtime), revision, parts).await;
        Arc::new(method.unwrap())
    }
}

fn read(path: &Path) -> Source {
    std::fs::read(path).unwrap().into()
}

async fn ask(method: &Arc<Method>) -> Result<Verdict, Fault> {
    ask_and_count(method).await.0
}

async fn ask_and_count(method: &Arc<Method>) -> (Result<Verdict, Fault>, Spent) {
    let attempt = Attempt {
        realm: "realm1".into(),
        session: Id::MIN,
        authid: Some(Authid::parse("alice").unwrap()),
        authextra: "{}".into(),
        nonce: [7; 32],
        proven: Vec::new(),
    };
    let call = Call {
        step: StepName::new("hostile"),
        attempt,
        answer: None,
    };
    let connection = Connection {
        peer: "tcp:127.0.0.1:1".into(),
        confidential: true,
        ..Connection::default()
    };
    let evidence = Arc::default();
    let verdict = method.call(call, &Arc::new(connection), &evidence).await;
    (verdict, evidence.seen().spent)
}

/// What each misdeed must end in, by the label that logs and metrics have for it.
const DEEDS: [(&str, &str); 18] = [
    ("loop", Limit::Time.label()),
    ("loop-over-host-calls", Limit::Time.label()),
    ("sleep", Limit::Wall.label()),
    ("eat-memory", Limit::Memory.label()),
    ("recurse", "trap"),
    ("panic", "trap"),
    ("exit", "trap"),
    ("return-too-much", Limit::Memory.label()),
    ("return-too-much-state", Limit::State.label()),
    ("return-no-json", "malformed"),
    ("return-nobody", "malformed"),
    ("return-control-characters", "malformed"),
    ("ask-too-much-of-the-host", Limit::Memory.label()),
    ("leak-handles", Limit::Handles.label()),
    ("flood-the-log", Limit::Log.label()),
    ("print-forever", Limit::Log.label()),
    ("print-one-long-line", Limit::Log.label()),
    ("fail-to-decide", "undecided"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misdeed_fails_its_login_by_name_and_nothing_else() {
    let house = House::with_hostile_method().await;
    let good = house.method("behave").await;
    for (deed, label) in DEEDS {
        let bad = house.method(deed).await;
        let fault = ask(&bad).await.expect_err(deed);
        assert_eq!(fault.label(), label, "{deed}: {fault}");
        assert!(
            matches!(ask(&good).await, Ok(Verdict::Accept(_))),
            "after {deed}"
        );
    }
}

/// R1: the contract has one value for a verdict or an error, so there cannot be both; and no verdict
/// counts of a call that did not end well, however late it went wrong.
#[tokio::test]
async fn r1_a_trap_after_an_accept_is_a_denial() {
    let house = House::with_hostile_method().await;
    let method = house.method("regret").await;
    for _ in 0..2 {
        let fault = ask(&method).await.expect_err("no verdict");
        assert_eq!(fault.label(), "trap", "{fault}");
    }
}

/// Copying is bounded by itself, not only by the guest's memory.
#[tokio::test]
async fn what_is_copied_out_of_a_guest_is_bounded() {
    let house = House::with_hostile_method().await;
    for deed in ["return-too-much", "ask-too-much-of-the-host"] {
        let roomy = Limits {
            memory: 128 << 20,
            ..LIMITS
        };
        let method = house.method_within(deed, roomy).await;
        let fault = ask(&method).await.expect_err(deed);
        assert_eq!(fault, Fault::Overrun(Limit::Output), "{deed}");
    }
}

/// Also of a call that nobody waits for any more when it ends.
#[tokio::test]
async fn host_calls_are_counted_by_kind_however_the_call_ends() {
    let house = House::with_hostile_method().await;
    for (deed, kind, least) in [
        ("behave", HostCall::Find, 0),
        ("leak-handles", HostCall::Find, 65),
        ("flood-the-log", HostCall::Log, 4096 / 5 + 1),
        ("print-forever", HostCall::Wasi, 4096 / 5 + 1),
        ("sleep", HostCall::Wasi, 1),
    ] {
        let (_, spent) = ask_and_count(&house.method(deed).await).await;
        let calls = spent.host_calls;
        assert!(calls.of(kind) >= least, "{deed}: {calls:?}");
        let ours = calls.total() - calls.of(HostCall::Wasi);
        match kind {
            HostCall::Wasi => assert_eq!(ours, 0, "{deed}: {calls:?}"),
            _ => assert_eq!(ours, least, "{deed}: {calls:?}"),
        }
    }
}

/// A worker thread that a guest keeps busy is shared with the other logins on it.
#[tokio::test(flavor = "current_thread")]
async fn a_loop_does_not_keep_others_from_running() {
    let house = House::with_hostile_method().await;
    let (bad, good) = (house.method("loop").await, house.method("behave").await);
    let (bad, good) = tokio::join!(ask(&bad), async {
        // On the one thread that there is, this runs only when the loop yields.
        tokio::task::yield_now().await;
        ask(&good).await
    });
    assert_eq!(bad, Err(Fault::Overrun(Limit::Time)));
    assert!(matches!(good, Ok(Verdict::Accept(_))));
}

#[tokio::test]
async fn nothing_is_left_of_a_call() {
    let house = House::with_hostile_method().await;
    let revision = Arc::downgrade(&house.revision);
    for deed in ["loop", "eat-memory", "panic", "behave"] {
        _ = ask(&house.method(deed).await).await;
    }
    drop(house);
    assert_eq!(revision.strong_count(), 0);
}

/// As an operator sees it: one login fails, and the log says by which method, in which revision, at
/// which limit.
#[tokio::test]
async fn the_log_names_the_method_its_revision_and_the_limit() {
    let hostile = Component::guest("hostile");
    let deployment = Deployment::bare();
    let realm = |deed: &str| {
        format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"hostile\"]\n\
             [method.hostile]\nsettings = {{ does = \"{deed}\" }}\n"
        )
    };
    deployment.component("hostile", &hostile);
    deployment.realm("bad", &realm("loop"));
    deployment.realm("good", &realm("behave"));
    let router = deployment.start().await;

    let login = |realm| Client::greet(&router, hello(realm, &["hostile"], None));
    let refusal = login("bad").await.refusal().await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    let record = router.log.message("login refused").await;
    let revision = Digest::of(hostile.octets()).short();
    let why = format!("hostile failed: it ran into its limit \"time\" (revision {revision})");
    assert_eq!(record.text("why"), why);

    let mut session = login("good").await;
    assert!(matches!(session.receive().await, Message::Welcome { .. }));
}
