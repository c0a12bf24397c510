//! A realm that asks a service, and that service.

use countersign::wamp::{Dict, Message};
use countersign_tests::{
    Asked, Client, Component, Deployment, Refusal, Reply, Router, Service, answer, hello,
};
use serde_json::json;

pub const PASSWORD: &str = "wonderland";

/// A signing key, as the router and the service have it.
pub const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What makes the test's own machine a place that requests may go to.
pub const LOOPBACK: &str = "networks = [\"127.0.0.0/8\"]\n";

/// A realm whose `ticket` is a service's to decide.
pub fn realm(origin: &str, settings: &str, more: &str) -> String {
    format!(
        r#"
roles = ["user"]

[[login]]
steps = ["ticket"]

[method.ticket]
component = "http.wasm"
imports = ["http", "logging", "transport", "wasi"]
origins = ["{origin}"]
settings = {{ url = "{origin}/login?from=wamp", {settings} }}
{more}

[[permission]]
role = "user"
uri = "com.example."
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
"#
    )
}

/// What the operator allows: this service, and more that the test wants to say.
pub fn ceiling(origin: &str, more: &str) -> String {
    format!("[egress]\norigins = [\"{origin}\"]\n{more}")
}

/// A router that asks this service, as each file says.
pub fn deployment(service: &Service, settings: &str) -> Deployment {
    let (deployment, origin) = (Deployment::bare(), service.origin());
    deployment.operator(&ceiling(&origin, LOOPBACK));
    deployment.realm("realm1", &realm(&origin, settings, ""));
    deployment.component("ticket", &Component::method("ticket"));
    deployment.component("http", &Component::method("http"));
    deployment
}

/// A service that knows Alice's password.
pub fn passwords(asked: &Asked) -> Reply {
    let question = asked.json();
    let is_right = question["authid"] == "alice" && question["answer"]["signature"] == PASSWORD;
    if is_right {
        accept()
    } else {
        Reply::json(&json!({ "verdict": "deny", "reason": "no such person, or another password" }))
    }
}

pub fn accept() -> Reply {
    Reply::json(&json!({ "verdict": "accept", "role": "user" }))
}

pub async fn challenged(router: &Router, authid: Option<&str>) -> Client {
    let mut client = Client::greet(router, hello("realm1", &["ticket"], authid)).await;
    let challenge = client.receive().await;
    let Message::Challenge { method, extra } = challenge else {
        panic!("{challenge:?}")
    };
    assert_eq!((&*method, extra), ("ticket", Dict::new()));
    client
}

/// Logs in, and returns the router's last word.
pub async fn log_in(router: &Router) -> Message {
    let mut client = challenged(router, Some("alice")).await;
    client.send(&answer(PASSWORD)).await;
    client.receive().await
}

pub async fn refused(router: &Router, authid: &str, password: &str) -> Refusal {
    let mut client = challenged(router, Some(authid)).await;
    client.send(&answer(password)).await;
    client.refusal().await
}

#[track_caller]
pub fn assert_welcome(message: &Message) -> &Dict {
    match message {
        Message::Welcome { details, .. } => details,
        other => panic!("{other:?}"),
    }
}
