//! Answers to challenges: which are good, and what a wrong one tells.

use countersign::wamp::{Message, Serializer, reason};
use countersign_tests::{Client, Deployment, Event, Router, answer, hello, sign};
use xtask::Identity;

const KEY: &str = "a key that is no password";

const MACHINE: Identity<'_> = Identity::wampcra("machine", KEY);

async fn demo_with_a_machine() -> Router {
    let deployment = Deployment::demo();
    deployment.enrol(&MACHINE);
    deployment.start().await
}

async fn challenged(router: &Router, method: &str, authid: &str) -> (Client, Message) {
    let mut client = Client::greet(router, hello("realm1", &[method], Some(authid))).await;
    let challenge = client.receive().await;
    assert!(
        matches!(challenge, Message::Challenge { .. }),
        "{challenge:?}"
    );
    (client, challenge)
}

#[tokio::test]
async fn t05_the_answer_to_ones_own_challenge_is_good_once() {
    let router = demo_with_a_machine().await;
    let (mut client, challenge) = challenged(&router, "wampcra", "machine").await;
    let answer = sign(&challenge, KEY);
    client.send(&answer).await;
    let welcome = client.receive().await;
    assert!(matches!(welcome, Message::Welcome { .. }), "{welcome:?}");

    // Replayed on another connection.
    let (mut other, _) = challenged(&router, "wampcra", "machine").await;
    other.send(&answer).await;
    assert_eq!(other.refusal().await.reason, reason::AUTHENTICATION_DENIED);
}

#[tokio::test]
async fn t05_the_answer_to_somebody_elses_challenge_is_denied() {
    let router = demo_with_a_machine().await;
    let (_waiting, foreign) = challenged(&router, "wampcra", "machine").await;
    let (mut client, _) = challenged(&router, "wampcra", "machine").await;
    client.send(&sign(&foreign, KEY)).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_denied() {
    let deployment = Deployment::demo();
    deployment.operator("[login]\nround = \"50ms\"\n");
    let router = deployment.start().await;
    let (client, _) = challenged(&router, "ticket", "alice").await;
    assert_eq!(client.refusal().await.reason, reason::TIMEOUT);
}

#[tokio::test]
async fn t01_an_unknown_authid_and_a_wrong_secret_are_the_same() {
    let router = demo_with_a_machine().await;
    let mut answers = Vec::new();
    for authid in ["alice", "nobody"] {
        for method in ["ticket", "wampcra"] {
            let (mut client, challenge) = challenged(&router, method, authid).await;
            let shape = shape(&challenge);
            client.send(&answer("looking-glass")).await;
            answers.push((method, shape, client.refusal().await.octets));
        }
    }
    let (known, unknown) = answers.split_at(2);
    assert_eq!(known, unknown);

    // The methods did the same, too.
    let records = router
        .log
        .take(4, |event| event.message() == "login refused")
        .await;
    let said: Vec<&str> = records.iter().map(|record| record.text("steps")).collect();
    assert_eq!(said[..2], said[2..]);
    let whys: Vec<&str> = records.iter().map(|record| record.text("why")).collect();
    assert_eq!(whys[..2], whys[2..]);
}

/// What a challenge asks, without what is new or personal each time.
fn shape(challenge: &Message) -> (String, Vec<(String, usize)>) {
    let Message::Challenge { method, extra } = challenge else {
        panic!("{challenge:?}")
    };
    let lengths = extra.iter().map(|(key, value)| {
        let length = match value.as_str() {
            // It names the authid and the session.
            Some(_) if key == "challenge" => 0,
            Some(text) => text.len(),
            None => usize::try_from(value.as_u64().unwrap()).unwrap(),
        };
        (key.to_owned(), length)
    });
    (method.clone(), lengths.collect())
}

#[tokio::test]
async fn an_unknown_authid_always_gets_the_same_parameters() {
    let router = demo_with_a_machine().await;
    let mut salts = Vec::new();
    for authid in ["nobody", "nobody", "somebody"] {
        let (_, challenge) = challenged(&router, "wampcra", authid).await;
        let Message::Challenge { extra, .. } = challenge else {
            unreachable!()
        };
        salts.push(extra.text("salt").unwrap().to_owned());
    }
    assert_eq!(salts[0], salts[1]);
    assert_ne!(salts[0], salts[2]);
}

#[tokio::test]
async fn two_factors_are_asked_for_one_after_the_other() {
    let deployment = Deployment::demo();
    deployment.enrol(&MACHINE);
    deployment.realm(
        "realm1",
        "roles = [\"user\"]\n[[login]]\nsteps = [\"wampcra\", \"ticket\"]\n",
    );
    deployment.enrol(&Identity::ticket("machine", "wonderland"));
    let router = deployment.start().await;
    for (secret, welcome) in [("wonderland", true), ("looking-glass", false)] {
        let hello = hello("realm1", &["ticket", "wampcra"], Some("machine"));
        let mut client = Client::greet(&router, hello).await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, KEY)).await;
        let Message::Challenge { method, .. } = client.receive().await else {
            panic!("no second challenge");
        };
        assert_eq!(method, "ticket");
        client.send(&answer(secret)).await;
        match client.receive().await {
            Message::Welcome { details, .. } if welcome => {
                assert_eq!(details.text("authmethod"), Some("wampcra"));
            }
            Message::Abort { reason, .. } if !welcome => {
                assert_eq!(reason, reason::AUTHENTICATION_DENIED);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn every_login_is_explained_in_the_log() {
    let router = demo_with_a_machine().await;
    let mut client = Client::connect(&router, Serializer::Cbor).await;
    client
        .send(&hello("realm1", &["ticket"], Some("alice")))
        .await;
    client.receive().await;
    client.send(&answer("wonderland")).await;
    client.receive().await;
    let record: Event = router.log.message("logged in").await;
    assert_eq!(record.text("authid"), "alice");
    assert_eq!(record.text("authrole"), "user");
    assert_eq!(record.text("authmethod"), "ticket");
    assert_eq!(record.number("generation"), Some(1));
    assert_eq!(record.text("steps"), "ticket: challenge; ticket: accept");
}
