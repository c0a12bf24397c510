//! What lets nobody in, and what becomes of services that fail.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign::wamp::{Message, reason};
use countersign_tests::{Asked, Client, Reply, Service, answer, hello, soon};
use serde_json::json;

use crate::house::{
    LOOPBACK, PASSWORD, accept, assert_welcome, ceiling, challenged, deployment, log_in, passwords,
    realm, refused,
};

/// A challenge of the service's own choosing could be that of another router.
#[tokio::test]
async fn t05_the_services_challenge_must_be_from_the_routers_nonce() {
    let challenge = json!({ "verdict": "challenge", "extra": { "challenge": "sign this" } });
    let service = Service::that_says(Reply::json(&challenge)).await;
    let router = deployment(&service, "challenge = \"service\"")
        .start()
        .await;
    let client = Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("not from its nonce"), "{why}");
}

/// Everything that is no verdict, and verdicts that the realm does not take: one denial for all.
#[tokio::test]
async fn t01_whatever_the_service_says_but_yes_is_the_same_denial() {
    let text = |status: &str, body: &str| Reply::text(status, "application/json", body);
    let yes = r#"{"verdict":"accept","role":"user"}"#;
    let huge = format!(
        r#"{{"verdict":"accept","role":"user","authid":"{}"}}"#,
        "a".repeat(100_000)
    );
    let cases: Vec<(Reply, &str)> = vec![
        (
            Reply::json(&json!({ "verdict": "deny", "reason": "locked" })),
            "the service denies it: locked",
        ),
        (text("500 Internal Server Error", yes), "status 500"),
        (text("404 Not Found", yes), "status 404"),
        (text("401 Unauthorized", yes), "status 401"),
        (text("204 No Content", ""), "status 204"),
        (
            Reply::redirect("http://169.254.169.254/latest"),
            "redirects are not followed",
        ),
        (Reply::text("200 OK", "text/html", yes), "content type"),
        (text("200 OK", "<html>"), "not a verdict"),
        (text("200 OK", ""), "not a verdict"),
        (text("200 OK", r#"{"verdict":"accept"}"#), "not a verdict"),
        (
            text(
                "200 OK",
                r#"{"verdict":"accept","role":"user","expires":1}"#,
            ),
            "not a verdict",
        ),
        (
            text(
                "200 OK",
                r#"{"verdict":"deny","verdict":"accept","role":"user"}"#,
            ),
            "not a verdict",
        ),
        (
            text(
                "200 OK",
                r#"{"verdict":"accept","role":"user","expires_at":1}"#,
            ),
            "has passed",
        ),
        (
            text("200 OK", r#"{"verdict":"accept","role":"admin"}"#),
            "which the realm does not have",
        ),
        (
            text(
                "200 OK",
                r#"{"verdict":"accept","role":"user","authid":""}"#,
            ),
            "not a verdict",
        ),
        (text("200 OK", &huge), "the most that is read"),
        (
            Reply::Octets(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
            "not an HTTP response",
        ),
        (
            Reply::Octets(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}".to_vec()),
            "not an HTTP response",
        ),
        (
            Reply::Octets([b"HTTP/1.1 200 OK\r\n".to_vec(), vec![0xff; 20_000]].concat()),
            "not an HTTP response",
        ),
    ];
    let replies: Vec<Reply> = cases.iter().map(|(reply, _)| reply.clone()).collect();
    let service = Service::start(move |asked| {
        let number = asked.json()["answer"]["signature"]
            .as_str()
            .unwrap()
            .parse::<usize>();
        replies[number.unwrap()].clone()
    })
    .await;
    let router = deployment(&service, "").start().await;
    let mut octets = BTreeSet::new();
    for (number, (reply, expected)) in cases.iter().enumerate() {
        let refusal = refused(&router, "alice", &number.to_string()).await;
        assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
        octets.insert(refusal.octets);
        let whys = router.whys(number + 1).await;
        assert!(
            whys[number].contains(expected),
            "{reply:?}: {}",
            whys[number]
        );
    }
    assert_eq!(octets.len(), 1);
}

#[tokio::test]
async fn t01_an_unknown_authid_and_a_wrong_answer_are_the_same() {
    let service = Service::start(passwords).await;
    let router = deployment(&service, "").start().await;
    let refusals = [
        refused(&router, "alice", "looking-glass").await,
        refused(&router, "nobody", PASSWORD).await,
        refused(&router, "alice", "").await,
        refused(&router, "alice", &"x".repeat(8000)).await,
        refused(&router, "alice", "\u{202e}\"}").await,
    ];
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:?}"
    );
    let whys = router.whys(refusals.len()).await;
    assert!(whys.iter().all(|why| *why == whys[0]), "{whys:?}");
}

/// A service of one realm decides for that realm only: it is told which it is.
#[tokio::test]
async fn t19_an_answer_for_one_realm_is_none_for_another() {
    let service = Service::start(|asked| {
        if asked.json()["realm"] == "realm2" {
            accept()
        } else {
            Reply::json(&json!({ "verdict": "deny" }))
        }
    })
    .await;
    let deployment = deployment(&service, "");
    deployment.realm("realm2", &realm(&service.origin(), "", ""));
    let router = deployment.start().await;
    refused(&router, "alice", PASSWORD).await;
    let mut client = Client::greet(&router, hello("realm2", &["ticket"], Some("alice"))).await;
    client.receive().await;
    client.send(&answer(PASSWORD)).await;
    assert_welcome(&client.receive().await);
}

#[tokio::test]
async fn a_service_that_is_slow_is_given_up() {
    let service = Service::that_says(Reply::Silence).await;
    let deployment = deployment(&service, "");
    let more = format!("{LOOPBACK}time = \"50ms\"\n");
    deployment.operator(&ceiling(&service.origin(), &more));
    let router = deployment.start().await;
    let refusal = refused(&router, "alice", PASSWORD).await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("took more than 50 ms"), "{why}");
}

/// Also where the method's own limit is the shorter one: what is told is the service's fault.
#[tokio::test]
async fn the_methods_wall_limit_holds_for_its_requests() {
    let service = Service::that_says(Reply::Silence).await;
    let deployment = deployment(&service, "");
    let limits = "limits = { wall = \"200ms\" }";
    deployment.realm("realm1", &realm(&service.origin(), "", limits));
    let router = deployment.start().await;
    refused(&router, "alice", PASSWORD).await;
    let why = router.whys(1).await.remove(0);
    assert!(
        why.contains("it was the response that was waited for"),
        "{why}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_left_alone_until_it_does() {
    let is_up = Arc::new(AtomicBool::new(false));
    let service = Service::start({
        let is_up = Arc::clone(&is_up);
        move |_| {
            if is_up.load(Ordering::SeqCst) {
                accept()
            } else {
                Reply::text("503 Service Unavailable", "text/plain", "")
            }
        }
    })
    .await;
    let router = deployment(&service, "").start().await;
    for _ in 0..5 {
        refused(&router, "alice", PASSWORD).await;
        service.asked().await;
    }
    let stopped = router.log.mention("requests to it are stopped").await;
    assert_eq!(stopped.text("realm"), "realm1");
    assert_eq!(stopped.text("origin"), service.origin());
    assert_eq!(stopped.text("why"), "it answers with status 503");
    assert_eq!(stopped.number("pause_ms"), Some(1000));

    refused(&router, "alice", PASSWORD).await;
    let why = router.whys(6).await.remove(5);
    assert!(why.contains("did not answer the last ones"), "{why}");
    assert!(service.was_left_alone().await);

    is_up.store(true, Ordering::SeqCst);
    soon(
        "a login",
        Box::pin(async { while !matches!(log_in(&router).await, Message::Welcome { .. }) {} }),
    )
    .await;
    router.log.mention("the service answers again").await;
    assert_welcome(&log_in(&router).await);
}

/// As many as the operator lets through at a time; the next is told to come again.
#[tokio::test]
async fn a_service_that_is_slow_takes_no_more_room_than_it_has() {
    let service = Service::that_says(Reply::Silence).await;
    let deployment = deployment(&service, "");
    let more = format!("{LOOPBACK}parallel = 1\ntime = \"1m\"\n");
    deployment.operator(&ceiling(&service.origin(), &more));
    let router = deployment.start().await;
    let mut waiting = challenged(&router, Some("alice")).await;
    waiting.send(&answer(PASSWORD)).await;
    service.asked().await;
    let refusal = refused(&router, "alice", PASSWORD).await;
    assert_eq!(refusal.reason, reason::UNAVAILABLE);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("under way already"), "{why}");
    // Who leaves makes room.
    drop(waiting);
    router.log.message("the client gave up its login").await;
    let mut next = challenged(&router, Some("alice")).await;
    next.send(&answer(PASSWORD)).await;
    service.asked().await;
}

/// T18: neither the key nor the password is in the log, whatever happens.
#[tokio::test]
async fn t18_no_secret_is_in_the_log() {
    let echo = |asked: &Asked| {
        let body = String::from_utf8(asked.body.clone()).unwrap();
        Reply::text("200 OK", "application/json", &body)
    };
    let service = Service::start(echo).await;
    let deployment = deployment(&service, "");
    deployment.secret("realm1", "token", "a-bearer-token\n");
    let more = "bearer_token = \"token\"";
    deployment.realm("realm1", &realm(&service.origin(), "", more));
    let router = deployment.start().await;
    refused(&router, "alice", PASSWORD).await;
    assert_eq!(
        service.asked().await.header("authorization"),
        "Bearer a-bearer-token"
    );
    router.whys(1).await;
    for event in router.log.so_far() {
        let line = event.to_string();
        assert!(
            !line.contains("a-bearer-token") && !line.contains(PASSWORD),
            "{line}"
        );
    }
}
