//! The whole router: what a hostile method does to its own realm and to others.

use countersign::{
    method::Digest,
    wamp::{Message, reason},
};
use countersign_tests::{Client, Component, Deployment, Router, answer, hello};

/// What each misdeed ends in: words of the log.
const DEEDS: [(&str, &str); 19] = [
    ("loop", "its limit \"time\""),
    ("loop-over-host-calls", "its limit \""),
    ("ask-the-time", "its limit \""),
    ("sleep", "its limit \"wall\""),
    ("eat-memory", "its limit \"memory\""),
    ("recurse", "it trapped"),
    ("panic", "it trapped"),
    ("exit", "it called exit"),
    ("return-too-much", "its limit \"output\""),
    ("return-too-much-state", "its limit \"state\""),
    ("return-deep-json", "is not a verdict"),
    ("return-control-characters", "is not a verdict"),
    ("ask-with-a-long-list", "its limit \"output\""),
    ("leak-handles", "its limit \"handles\""),
    ("flood-the-log", "its limit \"log\""),
    ("print-one-long-line", "its limit \"log\""),
    ("check-passwords", "its limit \"passwords\""),
    ("fail-to-decide", "it could not decide"),
    ("regret", "it trapped"),
];

/// What the method of a misdeed may have, in octets.
const MEMORY: u64 = 32 << 20;

/// With a realm `bad` where these deeds are done, and a realm `good` where none is.
async fn router(deeds: &[&str], limits: &str) -> Router {
    let deployment = Deployment::bare();
    let all = deeds.iter().chain(&["behave"]);
    let all: Vec<_> = all.map(|deed| (*deed, limits)).collect();
    deployment.hostile("bad", &all, "");
    deployment.hostile("good", &[("behave", "")], "");
    deployment.start().await
}

async fn begin(router: &Router, realm: &str, deed: &str) -> Client {
    Client::greet(router, hello(realm, &[deed], Some("alice"))).await
}

async fn log_in(router: &Router, realm: &str) {
    let answer = begin(router, realm, "behave").await.receive().await;
    assert!(matches!(answer, Message::Welcome { .. }), "{answer:?}");
}

/// T17: as an operator and the others see it. One login fails, and the log says by which method, in
/// which revision, at which limit; the next good ones go well, there and elsewhere; the router takes
/// no more memory for it than the method may have.
#[tokio::test]
async fn t17_a_misdeed_fails_its_login_and_the_log_says_why() {
    let deeds = DEEDS.map(|(deed, _)| deed);
    // So much time, and so few octets of log, that no other limit comes first on a busy machine.
    let limits = "time = \"500ms\", wall = \"3s\", memory = \"32MiB\", log = \"512B\"";
    let router = router(&deeds, limits).await;
    let revision = Digest::of(Component::guest("hostile").octets()).short();
    log_in(&router, "bad").await;
    for (done, (deed, words)) in DEEDS.into_iter().enumerate() {
        let before = router.peak_memory();
        let refusal = begin(&router, "bad", deed).await.refusal().await;
        assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED, "{deed}");
        let why = router.whys(done + 1).await.remove(done);
        assert!(why.contains(words), "{deed}: {why}");
        assert!(why.contains(&format!("(revision {revision})")), "{why}");
        let more = router.peak_memory().saturating_sub(before);
        // What is copied out of it, and what the router needs itself.
        assert!(more <= MEMORY + (4 << 20), "{deed}: {more} octets more");
        log_in(&router, "bad").await;
        log_in(&router, "good").await;
    }
}

/// T17: many logins elsewhere come to their end while one is busy with a misdeed, and it is still at it
/// when they have.
#[tokio::test]
async fn t17_others_log_in_while_a_misdeed_goes_on() {
    let deeds = ["loop", "loop-over-host-calls", "ask-the-time", "sleep"];
    let limits = "time = \"10s\", wall = \"60s\", host_calls = 10000000";
    let router = router(&deeds, limits).await;
    for (gone, deed) in deeds.into_iter().enumerate() {
        let bad = begin(&router, "bad", deed).await;
        // It is in the method: another login of its realm, begun later, is over already.
        log_in(&router, "bad").await;
        for _ in 0..10 {
            log_in(&router, "good").await;
        }
        let over = |message: &str| {
            let events = router.log.so_far();
            events
                .iter()
                .filter(|event| event.message() == message)
                .count()
        };
        assert_eq!(over("login refused"), 0, "{deed} is still at it");
        assert_eq!(over("the client gave up its login"), gone);
        drop(bad);
        let left =
            |event: &countersign_tests::Event| event.message() == "the client gave up its login";
        router.log.take(gone + 1, left).await;
    }
}

/// It need not listen to that: what it runs in is gone at its next tick, and its place with it.
#[tokio::test]
async fn t17_a_method_that_ignores_that_its_client_has_left_is_ended() {
    let limits = "time = \"10s\", wall = \"60s\"";
    let deployment = Deployment::bare();
    let deeds = ["loop", "behave"].map(|deed| (deed, limits));
    // Its room is free when its instance is gone, which is at its next tick: the next one waits for that.
    deployment.hostile("bad", &deeds, "[limits]\ncalls = 1\nqueue = 1");
    let router = deployment.start().await;
    for gone in 1..=3 {
        drop(begin(&router, "bad", "loop").await);
        let left =
            |event: &countersign_tests::Event| event.message() == "the client gave up its login";
        router.log.take(gone, left).await;
        log_in(&router, "bad").await;
    }
}

/// The realm bounds how often one step asks, the operator how often all of a login do.
#[tokio::test]
async fn t17_a_method_that_asks_for_ever_is_ended() {
    let router = router(&["ask-forever"], "rounds = 3").await;
    let mut client = begin(&router, "bad", "ask-forever").await;
    for _ in 0..3 {
        let challenge = client.receive().await;
        assert!(
            matches!(challenge, Message::Challenge { .. }),
            "{challenge:?}"
        );
        client.send(&answer("again?")).await;
    }
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert_eq!(
        why,
        "ask-forever has no rounds left of its 3 (limit: rounds)"
    );
    log_in(&router, "bad").await;
}

/// T23: what a method logs is one line that is known for its.
#[tokio::test]
async fn t23_no_line_of_a_methods_passes_for_one_of_the_routers() {
    let router = router(&["forge-the-log"], "").await;
    let answer = begin(&router, "bad", "forge-the-log").await.receive().await;
    assert!(matches!(answer, Message::Welcome { .. }), "{answer:?}");
    router.log.message("logged in").await;
    let lines = router.log.so_far();
    let said: Vec<_> = lines
        .iter()
        .filter(|line| !line.text("said").is_empty())
        .collect();
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    let text = said.text("said");
    assert!(text.contains("logged in"), "{text}");
    assert!(
        !text.contains(['\u{1b}', '\r', '\n', '\u{202e}']),
        "{text:?}"
    );
    let logins = lines.iter().filter(|line| line.message() == "logged in");
    assert_eq!(logins.count(), 1);
}
