//! A method that keeps failing is left alone for a while, and nothing takes its place.

use countersign::wamp::{Message, reason};
use countersign_tests::{Client, Deed, Deployment, Router, hello};

/// The first method traps for Mallory, and lets everybody else in.
const WAYS: [Deed<'_>; 2] = [("fail-for-mallory", ""), ("behave", "")];

/// Behind a proxy, which says where clients are.
async fn router() -> Router {
    let deployment = Deployment::bare();
    deployment.listener(
        "address = \"127.0.0.1:0\"\n[listener.proxy]\nfrom = [\"127.0.0.1\"]\nheader = \"proxy-protocol\"\n",
    );
    deployment.hostile("realm1", &WAYS, "");
    deployment.hostile("realm2", &WAYS, "");
    deployment.start().await
}

/// Whether somebody from somewhere gets in, who can do both of the realm's methods.
async fn log_in(router: &Router, realm: &str, authid: &str, address: &str) -> bool {
    let preface = format!("PROXY TCP4 {address} 127.0.0.1 4000 80\r\n");
    let mut client = Client::connect_through(router, preface.as_bytes(), "").await;
    let hello = hello(realm, &WAYS.map(|(deed, _)| deed), Some(authid));
    client.send(&hello).await;
    match client.receive().await {
        Message::Welcome { .. } => true,
        Message::Abort { reason, .. } => {
            assert_eq!(reason, reason::AUTHENTICATION_DENIED);
            false
        }
        other => panic!("{other:?}"),
    }
}

/// Nor for the same client in another realm, whose method is the same component.
#[tokio::test]
async fn t17_who_makes_a_method_fail_closes_it_to_nobody_else() {
    let router = router().await;
    for _ in 0..5 {
        assert!(!log_in(&router, "realm1", "mallory", "192.0.2.1").await);
    }
    let opened = router.log.mention("keeps failing for these clients").await;
    assert_eq!(opened.text("source"), "192.0.2.1");
    assert_eq!(opened.text("step"), "fail-for-mallory");
    assert!(opened.text("why").contains("it trapped"), "{opened}");

    // From there nobody comes in, by no other way either.
    assert!(!log_in(&router, "realm1", "alice", "192.0.2.1").await);
    let why = router.whys(6).await.remove(5);
    assert!(
        why.contains("fail-for-mallory failed: it is not asked for the next"),
        "{why}"
    );
    assert!(log_in(&router, "realm1", "alice", "192.0.2.2").await);
    assert!(log_in(&router, "realm2", "alice", "192.0.2.1").await);

    // Some time later one is let through; and when all is well, everybody.
    while !log_in(&router, "realm1", "alice", "192.0.2.1").await {}
    router.log.mention("tried again for these clients").await;
    router.log.mention("works again for these clients").await;
    assert!(log_in(&router, "realm1", "alice", "192.0.2.1").await);
}

#[tokio::test]
async fn a_method_that_fails_for_many_is_asked_by_nobody() {
    let router = router().await;
    for source in 1..=5 {
        for _ in 0..5 {
            let address = format!("192.0.2.{source}");
            assert!(!log_in(&router, "realm1", "mallory", &address).await);
        }
    }
    let opened = router.log.mention("all logins by it are denied").await;
    assert_eq!(opened.text("level"), "ERROR");
    assert!(!log_in(&router, "realm1", "alice", "192.0.2.200").await);
    assert!(log_in(&router, "realm2", "alice", "192.0.2.200").await);

    while !log_in(&router, "realm1", "alice", "192.0.2.200").await {}
    router.log.mention("the method is tried again:").await;
    router.log.message("the method works again").await;
}

/// The circuit is the method's as it is now: a change in the realm's file begins anew.
#[tokio::test]
async fn a_new_generation_has_another_chance() {
    let router = router().await;
    for _ in 0..5 {
        assert!(!log_in(&router, "realm1", "mallory", "192.0.2.1").await);
    }
    router.log.mention("keeps failing for these clients").await;
    router.deployment.hostile("realm1", &WAYS, "# mended");
    router.log.generation("realm1", 2).await;
    assert!(log_in(&router, "realm1", "alice", "192.0.2.1").await);
}
