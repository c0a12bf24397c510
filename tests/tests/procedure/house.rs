//! A tenant whose clients are authenticated by a procedure, and the realm of that procedure.

use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{
    Client, Component, Deployment, Event, Program, Refusal, Router, Running, hello,
};
use serde_json::json;

pub const AUTHENTICATE: &str = "com.acme.authenticate";

/// The tenant whose clients are authenticated.
pub const REALM: &str = r#"
roles = ["user", "guest"]

[[login]]
steps = ["ticket"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["cryptosign"]
[[login]]
steps = ["token"]
[[login]]
steps = ["anonymous"]

[method.ticket]
component = "procedure.wasm"
settings = { procedure = "com.acme.authenticate" }
procedures = { realm = "admin", allow = ["com.acme.authenticate"] }

[method.wampcra]
component = "procedure.wasm"
settings = { procedure = "com.acme.secret", asks = "wampcra" }
procedures = { realm = "admin", allow = ["com.acme.secret"] }

[method.cryptosign]
component = "procedure.wasm"
settings = { procedure = "com.acme.key", asks = "cryptosign" }
procedures = { realm = "admin", allow = ["com.acme.key"] }

[method.token]
component = "procedure.wasm"
settings = { procedure = "com.acme.token", asks = "nothing" }
procedures = { realm = "admin", allow = ["com.acme.token"] }

[[permission]]
role = "user"
uri = ""
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
"#;

/// The realm of the authenticators, with what it agrees to.
pub const ADMIN: &str = r#"
roles = ["callee"]

[[login]]
steps = ["anonymous"]

[method.anonymous]
settings = { role = "callee" }

[[permission]]
role = "callee"
uri = "com.acme."
match = "prefix"
allow = ["register"]
"#;

pub const CONSENT: &str = r#"
[[authenticates]]
realm = "realm1"
procedures = ["com.acme.authenticate", "com.acme.secret", "com.acme.key", "com.acme.token"]
"#;

pub fn house(realm: &str) -> Deployment {
    let deployment = Deployment::bare();
    deployment.realm("realm1", realm);
    deployment.realm("admin", &format!("{ADMIN}{CONSENT}"));
    deployment.component("anonymous", &Component::method("anonymous"));
    deployment.component("procedure", &Component::method("procedure"));
    deployment
}

/// With so long for an answer to a ticket.
pub fn within(timeout: &str) -> String {
    let limits = "[method.ticket]\nlimits = { wall = \"100s\" }";
    let allow = "allow = [\"com.acme.authenticate\"]";
    let timeout = format!("{allow}, timeout = \"{timeout}\"");
    REALM
        .replace("[method.ticket]", limits)
        .replace(allow, &timeout)
}

/// Somebody who has shown a ticket.
pub async fn with_ticket(router: &Router, authid: &str, ticket: &str) -> Client {
    // Whatever becomes of the ticket, another way in is not tried.
    let greeting = hello("realm1", &["ticket", "anonymous"], Some(authid));
    let mut client = Client::greet(router, greeting).await;
    let Message::Challenge { method, extra } = client.receive().await else {
        panic!("no challenge")
    };
    assert_eq!((&*method, extra), ("ticket", Dict::new()));
    let answer = Message::Authenticate {
        signature: ticket.into(),
        extra: Dict::new(),
    };
    client.send(&answer).await;
    client
}

/// HELLO for the method that asks nothing.
pub fn with_token(methods: &[&str], token: &str) -> Message {
    let Message::Hello { realm, mut details } = hello("realm1", methods, Some("mallory")) else {
        unreachable!()
    };
    details.insert("authextra", Dict::new().with("token", token));
    Message::Hello { realm, details }
}

pub async fn welcome(client: &mut Client) -> Dict {
    match client.receive().await {
        Message::Welcome { details, .. } => details,
        other => panic!("{other:?}"),
    }
}

pub async fn denied(client: Client) -> Refusal {
    let refusal = client.refusal().await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    refusal
}

/// Why the router has refused the last of so many logins.
pub async fn why(router: &Router, count: usize) -> String {
    let refused = |event: &Event| event.message() == "login refused";
    let records = router.log.take(count, refused).await;
    records.last().unwrap().text("why").to_owned()
}

pub async fn authenticator(router: &Router) -> Running {
    let mut authenticator = Program::Authenticator.serve(router, "admin");
    assert_eq!(authenticator.line().await, json!({ "ready": true }));
    authenticator
}
