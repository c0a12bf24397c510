//! What lets nobody in, and what becomes of logins meanwhile.

use std::sync::Arc;

use countersign::wamp::{Dict, Message, Value};
use countersign_tests::{Callee, Client, hello, sign};
use tokio::task::JoinSet;

use crate::house::{
    ADMIN, AUTHENTICATE, CONSENT, REALM, authenticator, denied, house, welcome, why, with_ticket,
    within,
};

/// What callees return that lets nobody in, and what the log says of it.
fn useless_results() -> Vec<(Vec<Value>, &'static str)> {
    vec![
        (
            vec![],
            "returned nothing, which is neither a role nor a dictionary",
        ),
        (vec![Value::Bool(true)], "returned a truth value, which is"),
        (vec!["".into()], "returned an empty \"role\""),
        (
            vec!["user".into(), "user".into()],
            "not one value: 2 arguments, 0 by keyword",
        ),
        (
            vec![Dict::new().into()],
            "returned no \"role\", and the settings name none",
        ),
        (vec!["x".repeat(1 << 17).into()], "more than are read"),
        (
            vec!["admin".into()],
            "gave the role \"admin\", which the realm does not have",
        ),
        (
            vec![
                Dict::new()
                    .with("role", "user")
                    .with("realm", "admin")
                    .into(),
            ],
            "returned the realm \"admin\": a client joins the realm that it asked for",
        ),
        (
            vec![
                Dict::new()
                    .with("role", "user")
                    .with("authid", "a\u{1b}[2J")
                    .into(),
            ],
            "authid",
        ),
        (
            vec![
                Dict::new()
                    .with("role", "user")
                    .with("extra", "x".repeat(1 << 16))
                    .into(),
            ],
            "more than are read",
        ),
        (
            vec![Dict::new().with("role", "user").with("extra", "x").into()],
            "returned text as \"extra\", not a dictionary",
        ),
    ]
}

#[tokio::test]
async fn t01_every_denial_has_the_same_octets_and_its_own_reason() {
    let router = house(&within("50ms")).start().await;
    let mut octets = Vec::new();

    octets.push(
        denied(with_ticket(&router, "alice", "x").await)
            .await
            .octets,
    );
    let said = why(&router, 1).await;
    let absent = "ticket failed: it could not decide: \"com.acme.authenticate\" in the realm \
                  \"admin\": no callee is registered for it";
    assert!(said.starts_with(absent), "{said}");

    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let client = with_ticket(&router, "alice", "x").await;
    let (slow, _) = callee.asked().await;
    octets.push(denied(client).await.octets);
    assert_eq!(callee.interrupted().await, slow);
    let said = why(&router, 2).await;
    assert!(said.contains("no answer within 50ms"), "{said}");
    // Too late, and no violation: the callee goes on.
    callee.returns(slow, vec!["user".into()]).await;
    let client = with_ticket(&router, "alice", "x").await;
    callee.asked().await;
    denied(client).await;

    // With time enough for what is said to be heard.
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    for (count, (arguments, reason)) in (1..).zip(useless_results()) {
        let client = with_ticket(&router, "alice", "x").await;
        let (request, _) = callee.asked().await;
        callee.returns(request, arguments).await;
        octets.push(denied(client).await.octets);
        let said = why(&router, count).await;
        assert!(said.contains(reason), "{said}: {reason}");
    }

    octets.dedup();
    assert_eq!(octets.len(), 1, "{octets:?}");
}

#[tokio::test]
async fn a_callee_that_leaves_before_its_answer_has_let_nobody_in() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let client = with_ticket(&router, "alice", "x").await;
    callee.asked().await;
    drop(callee);
    denied(client).await;
    let said = why(&router, 1).await;
    assert!(
        said.contains("the callee left before it answered"),
        "{said}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_question_with_it() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let client = with_ticket(&router, "alice", "x").await;
    let (request, arguments) = callee.asked().await;
    assert_eq!(arguments[1], Value::from("alice"));
    drop(client);
    assert_eq!(callee.interrupted().await, request);
    router.log.message("the client gave up its login").await;

    // The callee is asked the next question as if there had been none before.
    let mut client = with_ticket(&router, "bob", "x").await;
    let (request, _) = callee.asked().await;
    callee.returns(request, vec!["user".into()]).await;
    assert_eq!(welcome(&mut client).await.text("authid"), Some("bob"));
}

#[tokio::test]
async fn t05_a_signature_is_good_for_its_own_challenge_only() {
    let router = house(REALM).start().await;
    let _authenticator = authenticator(&router).await;
    let greeting = || hello("realm1", &["wampcra"], Some("alice"));
    let mut client = Client::greet(&router, greeting()).await;
    let challenge = client.receive().await;
    let good = sign(&challenge, "wonderland");
    client.send(&good).await;
    welcome(&mut client).await;

    let Message::Authenticate { signature, .. } = &good else {
        unreachable!()
    };
    let no_signature =
        ["", "x", &signature.repeat(100), &format!("{signature}=")].map(|signature| {
            Message::Authenticate {
                signature: signature.to_owned(),
                extra: Dict::new(),
            }
        });
    let mut octets = Vec::new();
    for bad in [vec![good.clone()], no_signature.to_vec()].concat() {
        let mut client = Client::greet(&router, greeting()).await;
        client.receive().await;
        client.send(&bad).await;
        octets.push(denied(client).await.octets);
        assert_eq!(
            why(&router, octets.len()).await,
            "wampcra: the signature does not match"
        );
    }
    octets.dedup();
    assert_eq!(octets.len(), 1);
}

/// More logins than may be with callees at one time: the others wait without being in anybody's
/// way.
#[tokio::test]
async fn a_callee_that_does_not_answer_keeps_nobody_else_waiting() {
    const AT_ONE_TIME: usize = 16;
    let router = Arc::new(house(&within("60s")).start().await);
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut logins = JoinSet::new();
    for number in 0..AT_ONE_TIME + 8 {
        let router = Arc::clone(&router);
        logins.spawn(async move {
            let mut client = with_ticket(&router, &format!("client-{number}"), "x").await;
            welcome(&mut client).await
        });
    }
    let mut waiting = Vec::new();
    for _ in 0..AT_ONE_TIME {
        waiting.push(callee.asked().await.0);
    }
    // Others come in meanwhile, to the same realm too.
    Client::join(&router, "realm1").await;
    Client::join(&router, "admin").await;
    // As each is answered the next is asked, and nobody before.
    let mut answered = 0;
    while let Some(request) = waiting.pop() {
        callee.returns(request, vec!["user".into()]).await;
        answered += 1;
        if answered <= 8 {
            waiting.push(callee.asked().await.0);
        }
    }
    assert_eq!(logins.join_all().await.len(), AT_ONE_TIME + 8);
}

#[tokio::test]
async fn a_call_goes_on_while_the_callees_realm_is_reloaded() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut client = with_ticket(&router, "alice", "x").await;
    let (request, _) = callee.asked().await;
    let admin = format!("{ADMIN}{CONSENT}# another generation\n");
    router.deployment.realm("admin", &admin);
    router.log.generation("admin", 2).await;
    // Which realm may ask whom is part of it, so it is looked at again.
    router.log.generation("realm1", 2).await;
    callee.returns(request, vec!["user".into()]).await;
    assert_eq!(welcome(&mut client).await.text("authrole"), Some("user"));
}

/// R14, as far as it can happen here: nothing is kept of an answer, so it is nobody else's.
#[tokio::test]
async fn an_answer_is_for_the_login_that_asked() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut alice = with_ticket(&router, "alice", "of alice").await;
    let (of_alice, _) = callee.asked().await;
    let mut bob = with_ticket(&router, "bob", "of bob").await;
    let (of_bob, told) = callee.asked().await;
    let details = told[2].as_dict().unwrap();
    assert_eq!(details.text("ticket"), Some("of bob"));
    callee.returns(of_bob, vec!["guest".into()]).await;
    callee.returns(of_alice, vec!["user".into()]).await;
    assert_eq!(welcome(&mut bob).await.text("authrole"), Some("guest"));
    assert_eq!(welcome(&mut alice).await.text("authrole"), Some("user"));
}
