//! Passkeys that are made in a later step, and what rests on one that was made in the same login.

use std::fs;

use countersign::wamp::{Dict, Message, Value, reason};
use countersign_tests::{
    Client, Component, Deployment, Passkey, Router, Visitor, answer, hello, sign,
};
use xtask::Identity;

use crate::house::{ORIGIN, RP, invite, operate};

const KEY: &str = "a key that is no password";

/// A realm that has passkeys as a second factor for those who have one, and remembers browsers.
async fn house() -> Router {
    let deployment = Deployment::bare();
    deployment.listener(&format!(
        "address = \"127.0.0.1:0\"\norigins = [\"{ORIGIN}\"]\n"
    ));
    for name in ["webauthn", "cookie"] {
        let built = xtask::component(&format!("countersign-{name}")).expect("it builds");
        deployment.component(name, &Component::new(fs::read(built).unwrap()));
    }
    deployment.component("wampcra", &Component::method("wampcra"));
    deployment.realm(
        "realm1",
        &format!(
            "roles = [\"user\"]\n[cookie]\nlifetime = \"1d\"\n\
             [[login]]\nsteps = [\"cookie\"]\n\
             [[login]]\nsteps = [\"wampcra\", {{ method = \"webauthn\", when = \"enrolled\" }}]\n\
             [method.webauthn]\nsettings = {{ rp = \"{RP}\", origins = [\"{ORIGIN}\"] }}\n"
        ),
    );
    deployment.enrol(&Identity::wampcra("alice", KEY));
    deployment.start().await
}

/// HELLO of Alice's, with a code, asking for a cookie.
fn greeting(code: Option<&str>) -> Message {
    let Message::Hello { realm, mut details } = hello("realm1", &["wampcra"], Some("alice")) else {
        unreachable!()
    };
    let mut extra = Dict::new().with("cookie", true);
    if let Some(code) = code {
        extra.insert("enrolment", code);
    }
    details.insert("authextra", extra);
    Message::Hello { realm, details }
}

/// What the router says to her first factor.
async fn past_the_key(mut client: Client) -> (Client, Message) {
    let challenge = client.receive().await;
    client.send(&sign(&challenge, KEY)).await;
    let next = client.receive().await;
    (client, next)
}

#[tokio::test]
async fn who_has_an_open_code_is_not_let_in_by_the_first_factor_alone() {
    let router = house().await;
    let (_, next) = past_the_key(Client::greet(&router, greeting(None)).await).await;
    assert!(matches!(next, Message::Welcome { .. }), "{next:?}");

    let code = invite(&router.deployment, "realm1", "alice").await;
    let (mut thief, next) = past_the_key(Client::greet(&router, greeting(None)).await).await;
    let Message::Challenge { method, extra } = next else {
        panic!("{next:?}")
    };
    assert_eq!(method, "webauthn");
    let mut own = Passkey::new(9, RP, ORIGIN);
    thief.send(&answer(&own.get(&extra))).await;
    let refusal = thief.refusal().await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);

    let (mut alice, next) = past_the_key(Client::greet(&router, greeting(Some(&code))).await).await;
    let Message::Challenge { extra, .. } = next else {
        panic!("{next:?}")
    };
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    alice.send(&answer(&passkey.create(&extra))).await;
    alice.welcome().await;
}

#[tokio::test]
async fn a_cookie_and_a_session_rest_on_a_passkey_that_was_made_in_their_login() {
    let router = house().await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let mut visitor = Visitor::of(ORIGIN);
    let client = visitor.greet(&router, &greeting(Some(&code))).await;
    let (mut first, next) = past_the_key(client).await;
    let Message::Challenge { extra, .. } = next else {
        panic!("{next:?}")
    };
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    first.send(&answer(&passkey.create(&extra))).await;
    let Message::Welcome { details, .. } = first.receive().await else {
        panic!("she is not welcome")
    };
    let extra = details.value("authextra").and_then(Value::as_dict).unwrap();
    let for_cookie = extra
        .text("cookie")
        .expect("a code for a cookie")
        .to_owned();
    let page = visitor.ask(&router, "POST", &for_cookie).await;
    assert_eq!(page.status, 204, "{page:?}");

    let returns = hello("realm1", &["cookie"], None);
    let mut again = visitor.greet(&router, &returns).await;
    again.welcome().await;
    operate(&router.deployment, "remove realm1 webauthn alice").await;
    for client in [&mut first, &mut again] {
        let (reason, _) = client.goodbye().await;
        assert_eq!(reason, reason::CLOSE_REVOKED);
    }
    visitor.greet(&router, &returns).await.refusal().await;
}
