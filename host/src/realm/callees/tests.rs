use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::Notify;

use super::*;
use crate::{
    credential::{PasswordQueue, Sqlite, Vault},
    key_set::KeySets,
    login::{Policy, Role},
    realm::{Generation, Realm},
    router::{Farewell, Features, Member, Outbox, Permission},
    wamp::{Actions, Code, Dict, Id, MatchPolicy, Message, Pattern, Serializer, reason},
};

const PROCEDURE: &str = "com.acme.authenticate";

/// Two realms: `acme` would have its clients authenticated in `admin`.
struct House {
    realms: Arc<Realms>,
    admin: Arc<Realm>,
    _directory: TempDir,
}

/// A session in `admin` that has registered the procedure.
struct Callee {
    admin: Arc<Realm>,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Inbox {
    frames: Mutex<Vec<Bytes>>,
    came: Notify,
}

impl Outbox for Inbox {
    fn deliver(&self, frame: Bytes) {
        self.frames.lock().push(frame);
        self.came.notify_one();
    }

    fn end(&self, _: Farewell) {}
}

impl House {
    /// `authenticates` as `realms/admin.toml` has it.
    fn new(authenticates: &str) -> Self {
        let text = format!("roles = ['callee']\n{authenticates}");
        let file = std::path::Path::new("realms/admin.toml");
        let realm = config::Realm::parse(&text, file).unwrap();
        let everything = Permission {
            role: "callee".into(),
            pattern: Pattern::parse("", MatchPolicy::Prefix).unwrap(),
            allow: Actions::ALL,
        };
        let policy = Policy {
            alternatives: Vec::new(),
            roles: vec![Role {
                name: "callee".into(),
                requires: Vec::new(),
            }],
            longest_session: None,
            confidential: false,
        };
        let directory = TempDir::new().unwrap();
        let store = Sqlite::open(directory.path().join("credentials.db")).unwrap();
        let vault = Vault::open(Arc::new(store), PasswordQueue::new(1, 1)).unwrap();
        let generation = Generation {
            number: 1,
            aside: HashMap::new(),
            policy: Arc::new(policy),
            methods: HashMap::new(),
            key_sets: KeySets::default(),
            permissions: Arc::new([everything].into_iter().collect()),
            cookie: None,
            keyring: vault.keyring("admin".into(), "callee".into()),
            authenticates: realm.authenticates,
        };
        let realms = Arc::new(Realms::default());
        let admin = realms.insert(Realm::new("admin".into(), generation.into()));
        Self {
            realms,
            admin,
            _directory: directory,
        }
    }

    fn callees(&self, caller: &str, callee: &str) -> Callees {
        Callees {
            realms: Arc::downgrade(&self.realms),
            caller: caller.into(),
            callee: callee.into(),
        }
    }

    fn callee(&self) -> Callee {
        let callee = Callee {
            admin: Arc::clone(&self.admin),
            inbox: Arc::default(),
        };
        let member = Member {
            id: Id::MIN,
            authid: "callee".into(),
            authrole: "callee".into(),
            authmethod: "anonymous".into(),
            authprovider: "static".into(),
            features: Features::default(),
            serializer: Serializer::MsgPack,
            outbox: Arc::clone(&callee.inbox) as Arc<dyn Outbox>,
        };
        self.admin.router.join(member).unwrap();
        callee.send(Message::Register {
            request: Id::MIN,
            options: Dict::new(),
            procedure: PROCEDURE.into(),
        });
        assert_eq!(callee.inbox.frames.lock().drain(..).count(), 1);
        callee
    }
}

impl Callee {
    fn send(&self, message: Message) {
        self.admin.router.receive(Id::MIN, message).unwrap();
    }

    /// The next INVOCATION.
    async fn invoked(&self) -> Id {
        loop {
            let frame = self.inbox.frames.lock().pop();
            match frame.map(|frame| Message::decode(Serializer::MsgPack, &frame, 16)) {
                Some(Ok(Message::Invocation { request, .. })) => return request,
                Some(other) => panic!("{other:?}"),
                None => self.inbox.came.notified().await,
            }
        }
    }

    /// Answers one call by a result.
    async fn returns(&self, payload: Payload) {
        let request = self.invoked().await;
        self.send(Message::Yield {
            request,
            options: Dict::new(),
            payload,
        });
    }
}

const CONSENT: &str =
    "[[authenticates]]\nrealm = 'acme'\nprocedures = ['com.acme.authenticate', 'com.acme.other']";

fn arguments() -> Payload {
    Payload::list(vec!["acme".into(), "alice".into(), Dict::new().into()])
}

fn no_consent(caller: &str, procedure: &str) -> Unsuccessful {
    Unsuccessful::NoConsent {
        caller: caller.into(),
        procedure: procedure.into(),
    }
}

/// `ArgumentsKw` of a client's.
fn keywords() -> Payload {
    let frame = Bytes::from_static(br#"[70,1,{},[],{"role":"user"}]"#);
    match Message::decode(Serializer::Json, &frame, 4) {
        Ok(Message::Yield { payload, .. }) => payload,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn t19_a_realm_is_asked_only_for_what_it_agreed_to() {
    let house = House::new(CONSENT);
    let _callee = house.callee();
    for (caller, procedure, expected) in [
        ("acme", "com.acme.other", Unsuccessful::NoCallee),
        (
            "acme",
            "com.acme.delete",
            no_consent("acme", "com.acme.delete"),
        ),
        ("other", PROCEDURE, no_consent("other", PROCEDURE)),
        ("admin", "com.acme.delete", Unsuccessful::NoCalleeYet),
    ] {
        let answer = house
            .callees(caller, "admin")
            .call(procedure, arguments())
            .await;
        assert_eq!(answer, Err(expected), "{caller}");
    }
    let answer = house
        .callees("acme", "nowhere")
        .call(PROCEDURE, arguments())
        .await;
    assert_eq!(answer, Err(Unsuccessful::NoRealm));
}

#[tokio::test]
async fn a_result_is_one_value_or_nothing() {
    let house = House::new(CONSENT);
    let callee = house.callee();
    let callees = house.callees("acme", "admin");
    let too_large = "x".repeat(LARGEST_ANSWER);
    let size = LARGEST_ANSWER + 4;
    for (payload, expected) in [
        (Payload::list(vec!["user".into()]), Ok(Value::from("user"))),
        (Payload::list(Vec::new()), Ok(Value::Null)),
        (Payload::NONE, Ok(Value::Null)),
        (
            Payload::list(vec!["user".into(), "admin".into()]),
            Err(Unsuccessful::NotOneValue(2, 0)),
        ),
        (keywords(), Err(Unsuccessful::NotOneValue(0, 1))),
        (
            Payload::list(vec![too_large.into()]),
            Err(Unsuccessful::TooLarge(size)),
        ),
    ] {
        let (answer, ()) = tokio::join!(
            callees.call(PROCEDURE, arguments()),
            callee.returns(payload.clone())
        );
        assert_eq!(answer, expected, "{payload:?}");
    }
}

#[tokio::test]
async fn an_error_carries_its_uri_and_its_words_if_it_has_any() {
    let house = House::new(CONSENT);
    let callee = house.callee();
    let callees = house.callees("acme", "admin");
    for (payload, message) in [
        (Payload::list(vec!["no such user".into()]), "no such user"),
        (Payload::list(vec![Value::Int(1)]), ""),
        (Payload::NONE, ""),
        (Payload::list(vec!["x".repeat(LARGEST_ANSWER).into()]), ""),
    ] {
        let refuses = async {
            let request = callee.invoked().await;
            callee.send(Message::Error {
                kind: Code::Invocation,
                request,
                details: Dict::new(),
                error: reason::CANCELED.into(),
                payload,
            });
        };
        let (answer, ()) = tokio::join!(callees.call(PROCEDURE, arguments()), refuses);
        let expected = Unsuccessful::Refused {
            error: reason::CANCELED.into(),
            message: message.into(),
        };
        assert_eq!(answer, Err(expected));
    }
}

#[tokio::test]
async fn a_callee_that_leaves_leaves_nothing_to_wait_for() {
    let house = House::new(CONSENT);
    let callee = house.callee();
    let callees = house.callees("acme", "admin");
    let leaves = async {
        callee.invoked().await;
        house.admin.router.leave(Id::MIN);
    };
    let (answer, ()) = tokio::join!(callees.call(PROCEDURE, arguments()), leaves);
    assert_eq!(answer, Err(Unsuccessful::CalleeLeft));
}

#[test]
fn a_realms_turns_are_the_same_for_all_its_methods_and_go_when_nobody_has_them() {
    let turns = Turns::default();
    let (acme, other) = (Arc::from("acme"), Arc::from("other"));
    let first = turns.of(&acme);
    assert!(Arc::ptr_eq(&first, &turns.of(&acme)));
    assert!(!Arc::ptr_eq(&first, &turns.of(&other)));
    drop(first);
    assert_eq!(turns.of(&other).available_permits(), CALLS);
    assert_eq!(turns.0.lock().len(), 1);
}
