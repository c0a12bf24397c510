use countersign::wamp::{Dict, Id, Message, Payload, Value};

use crate::{Client, Router, hello};

/// A session that has registered a procedure, and answers when and as it is told.
#[derive(Debug)]
pub struct Callee(Client);

impl Callee {
    /// Joins a realm by the method `anonymous`.
    pub async fn join(router: &Router, realm: &str, procedure: &str) -> Self {
        let Message::Hello { realm, mut details } = hello(realm, &["anonymous"], None) else {
            unreachable!()
        };
        let features = Dict::new().with("call_canceling", true);
        let callee = Dict::new().with("features", features);
        details.insert("roles", Dict::new().with("callee", callee));
        let mut client = Client::greet(router, Message::Hello { realm, details }).await;
        client.receive().await;
        let register = Message::Register {
            request: Id::MIN,
            options: Dict::new(),
            procedure: procedure.into(),
        };
        client.send(&register).await;
        let registered = client.receive().await;
        assert!(
            matches!(registered, Message::Registered { .. }),
            "{registered:?}"
        );
        Self(client)
    }

    /// The next question: its id and its arguments.
    pub async fn asked(&mut self) -> (Id, Vec<Value>) {
        let message = self.0.receive().await;
        let Message::Invocation {
            request,
            payload,
            details,
            ..
        } = message
        else {
            panic!("{message:?}")
        };
        assert_eq!(details, Dict::new());
        (request, payload.arguments().unwrap())
    }

    /// The id of the question that nobody waits for any more.
    pub async fn interrupted(&mut self) -> Id {
        let message = self.0.receive().await;
        let Message::Interrupt { request, .. } = message else {
            panic!("{message:?}")
        };
        request
    }

    pub async fn returns(&mut self, request: Id, arguments: Vec<Value>) {
        let answer = Message::Yield {
            request,
            options: Dict::new(),
            payload: Payload::list(arguments),
        };
        self.0.send(&answer).await;
    }
}
