use std::collections::VecDeque;

use super::*;
use crate::wamp::{
    Action, Actions, Code, Dict, MatchPolicy, Message, Pattern, Payload, RequestIds, Value, reason,
};

mod broker;
mod dealer;
mod inquiry;
mod meta;
mod property;

/// A realm in which a `user` may do everything under `com.`, and a `guest` nothing.
struct Realm {
    router: Arc<Router>,
    joined: u64,
}

/// A client: it counts its requests, and keeps what it is sent.
struct Client {
    id: Id,
    serializer: Serializer,
    router: Arc<Router>,
    requests: RequestIds,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Inbox(Mutex<VecDeque<Bytes>>, Mutex<Option<Farewell>>);

impl Inbox {
    /// Why its session was ended.
    fn farewell(&self) -> Option<Farewell> {
        self.1.lock().clone()
    }
}

impl Outbox for Inbox {
    fn deliver(&self, frame: Bytes) {
        self.0.lock().push_back(frame);
    }

    fn end(&self, farewell: Farewell) {
        *self.1.lock() = Some(farewell);
    }
}

impl Realm {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let mut bits = 0_u64;
        let random = move || {
            bits += 1;
            bits
        };
        Self {
            router: Arc::new(Router::new(permissions("com."), limits, random)),
            joined: 0,
        }
    }

    fn join(&mut self, authid: &str) -> Client {
        self.join_as(authid, "user", Serializer::Json, Features::default())
    }

    /// One that understands INTERRUPT and progressive results.
    fn join_able(&mut self, authid: &str) -> Client {
        let features = Features {
            call_canceling: true,
            progressive_call_results: true,
        };
        self.join_as(authid, "user", Serializer::Json, features)
    }

    fn join_as(
        &mut self,
        authid: &str,
        authrole: &str,
        serializer: Serializer,
        features: Features,
    ) -> Client {
        self.joined += 1;
        let client = Client {
            id: id(1000 + self.joined),
            serializer,
            router: self.router.clone(),
            requests: RequestIds::default(),
            inbox: Arc::default(),
        };
        let member = Member {
            id: client.id,
            authid: authid.into(),
            authrole: authrole.into(),
            authmethod: "ticket".into(),
            authprovider: "static".into(),
            features,
            serializer,
            outbox: client.inbox.clone(),
        };
        self.router.join(member).unwrap();
        client
    }
}

impl Client {
    fn send(&self, message: Message) -> Result<(), Violation> {
        self.router.receive(self.id, message)
    }

    /// Sends a request with the id that is due.
    fn request(&mut self, message: impl FnOnce(Id) -> Message) -> Id {
        let request = self.requests.issue();
        self.send(message(request)).unwrap();
        request
    }

    /// The oldest message that was not read yet.
    fn read(&self) -> Message {
        self.heard().expect("a message was delivered")
    }

    fn heard(&self) -> Option<Message> {
        let frame = self.inbox.0.lock().pop_front()?;
        Some(Message::decode(self.serializer, &frame, 16).unwrap())
    }

    fn hears_nothing(&self) -> bool {
        self.inbox.0.lock().is_empty()
    }

    fn subscribe(&mut self, topic: &str, policy: &str) -> Message {
        self.request(|request| Message::Subscribe {
            request,
            options: Dict::new().with("match", policy),
            topic: topic.into(),
        });
        self.read()
    }

    fn subscribed(&mut self, topic: &str, policy: &str) -> Id {
        match self.subscribe(topic, policy) {
            Message::Subscribed { subscription, .. } => subscription,
            other => panic!("{other:?}"),
        }
    }

    fn publish(&mut self, topic: &str, options: Dict) -> Id {
        self.request(|request| Message::Publish {
            request,
            options,
            topic: topic.into(),
            payload: payload(),
        })
    }

    fn register(&mut self, procedure: &str, options: Dict) -> Message {
        self.request(|request| Message::Register {
            request,
            options,
            procedure: procedure.into(),
        });
        self.read()
    }

    fn registered(&mut self, procedure: &str, options: Dict) -> Id {
        match self.register(procedure, options) {
            Message::Registered { registration, .. } => registration,
            other => panic!("{other:?}"),
        }
    }

    fn call(&mut self, procedure: &str, options: Dict) -> Id {
        self.request(|request| Message::Call {
            request,
            options,
            procedure: procedure.into(),
            payload: payload(),
        })
    }

    fn cancel(&self, request: Id, mode: &str) {
        let options = Dict::new().with("mode", mode);
        self.send(Message::Cancel { request, options }).unwrap();
    }

    /// Reads an INVOCATION.
    fn invoked(&self) -> (Id, Dict) {
        match self.read() {
            Message::Invocation {
                request,
                details,
                payload: arguments,
                ..
            } => {
                assert_eq!(arguments.arguments(), payload().arguments());
                (request, details)
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&self, request: Id, options: Dict) {
        let payload = payload();
        let answer = Message::Yield {
            request,
            options,
            payload,
        };
        self.send(answer).unwrap();
    }

    /// Reads an ERROR, and gives its URI.
    fn refused(&self, kind: Code, request: Id) -> String {
        match self.read() {
            Message::Error {
                kind: of,
                request: to,
                error,
                ..
            } if (of, to) == (kind, request) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn permissions(prefix: &str) -> Arc<Permissions> {
    let user = Permission {
        role: "user".into(),
        pattern: Pattern::parse(prefix, MatchPolicy::Prefix).unwrap(),
        allow: Actions::ALL,
    };
    Arc::new([user].into_iter().collect())
}

fn id(id: u64) -> Id {
    Id::new(id).unwrap()
}

fn none() -> Dict {
    Dict::new()
}

fn payload() -> Payload {
    Payload::list(vec![Value::Int(7)])
}

/// Well-formed CBOR that has no counterpart in the other serializations: text that is not UTF-8.
fn unreadable() -> Payload {
    let frame = Bytes::from_static(b"\x85\x18\x30\x01\xa0\x65com.a\x81\x61\xff");
    match Message::decode(Serializer::Cbor, &frame, 1) {
        Ok(Message::Call { payload, .. }) => payload,
        other => panic!("{other:?}"),
    }
}

fn error_of(message: &Message) -> &str {
    match message {
        Message::Error { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_kinds_of_requests_count_in_one_sequence() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.subscribed("com.a", "exact");
    alice.registered("com.p", none());
    alice.publish("com.a", none());
    alice.call("com.none", none());
    let out_of_turn = Message::Subscribe {
        request: id(6),
        options: none(),
        topic: "com.b".into(),
    };
    let violation = Violation::OutOfTurn {
        request: id(6),
        due: id(5),
    };
    assert_eq!(alice.send(out_of_turn), Err(violation));
    assert_eq!(realm.router.census().subscriptions, 1, "it had no effect");
}

#[test]
fn messages_that_are_no_business_of_a_client_are_violations() {
    let mut realm = Realm::new();
    let alice = realm.join("alice");
    let goodbye = Message::Goodbye {
        details: none(),
        reason: reason::CLOSE_NORMAL.into(),
    };
    let published = Message::Published {
        request: id(1),
        publication: id(1),
    };
    for message in [goodbye, published] {
        assert_eq!(alice.send(message), Err(Violation::Unexpected));
    }
}

#[test]
fn who_left_is_no_member_and_the_id_is_free_again() {
    let mut realm = Realm::new();
    let alice = realm.join("alice");
    let member = (*realm.router.members()[0]).clone();
    assert_eq!(realm.router.join(member.clone()), Err(Taken(alice.id)));
    realm.router.leave(alice.id);
    realm.router.leave(alice.id);
    let options = none();
    let cancel = Message::Cancel {
        request: id(1),
        options,
    };
    assert_eq!(alice.send(cancel), Err(Violation::NotJoined));
    assert_eq!(realm.router.join(member), Ok(()));
}

#[test]
fn a_router_is_shared_by_threads() {
    const fn shared<T: Send + Sync>() {}
    const { shared::<Router>() }
}

#[test]
fn new_permissions_hold_from_then_on() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.subscribed("com.a", "exact");
    realm.router.set_permissions(permissions("com.other."));
    let answer = alice.subscribe("com.b", "exact");
    assert_eq!(error_of(&answer), reason::NOT_AUTHORIZED);
    alice.subscribed("com.other.b", "exact");
    let mut bob = realm.join("bob");
    let answer = bob.subscribe("com.b", "exact");
    assert_eq!(error_of(&answer), reason::NOT_AUTHORIZED);
}
