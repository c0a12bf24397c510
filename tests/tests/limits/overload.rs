//! What a realm may take of the router, and what whoever comes beyond that is told.

use countersign::wamp::{Message, reason};
use countersign_tests::{Client, Deed, Deployment, Refusal, Router, hello, soon};

const BUSY: [Deed<'_>; 2] = [("loop", "time = \"10s\", wall = \"60s\""), ("behave", "")];

async fn router(limits: &str) -> Router {
    let deployment = Deployment::bare();
    deployment.hostile("busy", &BUSY, &format!("[limits]\n{limits}"));
    deployment.hostile("other", &BUSY, "");
    deployment.start().await
}

async fn log_in(router: &Router, realm: &str) {
    assert!(logs_in(router, realm).await, "no login to {realm}");
}

async fn logs_in(router: &Router, realm: &str) -> bool {
    let greeting = hello(realm, &["behave"], None);
    let answer = Client::greet(router, greeting).await.receive().await;
    matches!(answer, Message::Welcome { .. })
}

/// Logs in until that is refused: the first ones may come before the loop has begun.
async fn refused(router: &Router, authid: Option<&str>) -> Refusal {
    loop {
        let client = Client::greet(router, hello("busy", &["behave"], authid)).await;
        if let Some(refusal) = client.refused_at_once().await {
            return refusal;
        }
    }
}

/// Before any credential is looked at, so it is the same for whoever asks, known or not.
#[tokio::test]
async fn t01_a_busy_realm_says_so_at_once_and_the_same_to_everyone() {
    let router = router("calls = 1\nqueue = 0").await;
    let loops = Client::greet(&router, hello("busy", &["loop"], None)).await;
    let mut told = Vec::new();
    for authid in [Some("alice"), Some("nobody"), None] {
        let refusal = refused(&router, authid).await;
        assert_eq!(refusal.reason, reason::UNAVAILABLE);
        told.push(refusal.octets);
    }
    assert!(told.iter().all(|octets| *octets == told[0]));
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("(limit: queue)"), "{why}");
    log_in(&router, "other").await;
    drop(loops);
    // There is room again when the loop is gone, which is at its next tick.
    let room = async { while !logs_in(&router, "busy").await {} };
    soon("room in the realm", Box::pin(room)).await;
}

/// Nobody waits for ever for a call's turn.
#[tokio::test]
async fn who_waits_in_a_busy_realm_is_told_after_a_while() {
    let router = router("calls = 1\nqueue = 8\nwait = \"50ms\"").await;
    let loops = Client::greet(&router, hello("busy", &["loop"], None)).await;
    let refusal = refused(&router, None).await;
    assert_eq!(refusal.reason, reason::UNAVAILABLE);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("(limit: wait)"), "{why}");
    log_in(&router, "other").await;
    drop(loops);
}

/// Logins that wait for their clients are a realm's too.
#[tokio::test]
async fn a_realm_has_no_more_logins_under_way_than_it_may_have() {
    let deployment = Deployment::demo();
    let realm = std::fs::read_to_string(deployment.path("realms/realm1.toml")).unwrap();
    deployment.realm("realm1", &format!("{realm}\n[limits]\nlogins = 2\n"));
    deployment.realm("realm2", &realm);
    let router = deployment.start().await;
    let ask = |realm| Client::challenged(&router, hello(realm, &["ticket"], Some("alice")));
    let (first, _) = ask("realm1").await;
    let (_second, _) = ask("realm1").await;
    let mut told = Vec::new();
    for authid in ["alice", "nobody"] {
        let greeting = hello("realm1", &["ticket"], Some(authid));
        let refusal = Client::greet(&router, greeting).await.refusal().await;
        assert_eq!(refusal.reason, reason::UNAVAILABLE);
        told.push(refusal.octets);
    }
    assert_eq!(told[0], told[1]);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("(limit: logins)"), "{why}");
    let _elsewhere = ask("realm2").await;
    drop(first);
    router.log.message("the client gave up its login").await;
    Client::join(&router, "realm1").await;
    // A session is no login under way.
    Client::join(&router, "realm1").await;
}

/// The operator's word is above the realm's, and the error says where both are.
#[tokio::test]
async fn a_realm_cannot_have_more_than_the_operator_lets_it() {
    let deployment = Deployment::bare();
    deployment.operator("[limits.call]\ntime = \"20ms\"\n[limits.realm]\ncalls = 4\n");
    deployment.hostile("greedy", &BUSY, "[limits]\ncalls = 5");
    deployment.hostile("modest", &[("loop", ""), ("behave", "")], "");
    let router = deployment.start().await;
    let config = router.deployment.config();
    for (key, written, most) in [("time", "\"10s\"", "\"20ms\""), ("calls", "5", "4")] {
        let line = router.log.mention(&format!("{key:?} is {written}")).await;
        let line = line.message();
        assert!(line.contains("realms/greedy.toml:"), "{line}");
        assert!(line.contains(&format!("write {most} or less")), "{line}");
        assert!(line.contains(config.to_str().unwrap()), "{line}");
    }
    log_in(&router, "modest").await;
    // What it says nothing of is under the ceiling too.
    let loops = Client::greet(&router, hello("modest", &["loop"], None)).await;
    assert_eq!(loops.refusal().await.reason, reason::AUTHENTICATION_DENIED);
}
