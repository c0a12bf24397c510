//! What those see who watch a router.

use std::fs;

use countersign::wamp::{Dict, Message};
use countersign_tests::{Client, Component, Deployment, Router, hello, sign};
use tokio::net::TcpStream;

const SERVED: &str = "[metrics]\naddress = \"127.0.0.1:0\"\n";

const LOGINS: &str = "countersign_logins_total";
const CALLS: &str = "countersign_method_calls_total";

async fn demo() -> Router {
    let deployment = Deployment::demo();
    deployment.operator(SERVED);
    deployment.start().await
}

/// A realm of hostile methods.
async fn hostile() -> Router {
    let deployment = Deployment::bare();
    deployment.operator(SERVED);
    let loops = ("loop", "time = \"20ms\", wall = \"60s\"");
    deployment.hostile("hostile", &[loops, ("behave", "")], "");
    deployment.start().await
}

/// Tries to log in as Alice with a wrong key.
async fn log_in_wrongly(router: &Router) {
    let mut client = Client::greet(router, hello("realm1", &["wampcra"], Some("alice"))).await;
    let challenge = client.receive().await;
    client.send(&sign(&challenge, "a wrong key")).await;
    client.refusal().await;
}

#[tokio::test]
async fn logins_and_sessions_are_counted_by_realm_and_outcome() {
    let router = demo().await;
    let guest = Client::join(&router, "realm1").await;
    log_in_wrongly(&router).await;
    log_in_wrongly(&router).await;
    let stray = Client::greet(&router, hello("no.such.realm", &["ticket"], Some("alice"))).await;
    stray.refusal().await;

    let seen = router.metrics().await;
    let realm = ("realm", "realm1");
    let logins = |authmethod, outcome| {
        seen.value(
            LOGINS,
            &[realm, ("authmethod", authmethod), ("outcome", outcome)],
        )
    };
    assert_eq!(logins("anonymous", "accepted"), 1, "{}", seen.text());
    assert_eq!(logins("wampcra", "denied"), 2, "{}", seen.text());
    let calls = |outcome| seen.value(CALLS, &[realm, ("step", "wampcra"), ("outcome", outcome)]);
    assert_eq!((calls("challenge"), calls("deny")), (2, 2));
    let nowhere = [("realm", ""), ("outcome", "no-such-realm")];
    assert_eq!(seen.value(LOGINS, &nowhere), 1);
    let took = seen.value("countersign_login_duration_seconds_count", &[realm]);
    assert_eq!(took, 3, "{took}");
    assert_eq!(seen.value("countersign_sessions", &[realm]), 1);
    assert_eq!(seen.value("countersign_generation", &[realm]), 1);
    assert_eq!(seen.value("countersign_build_info", &[]), 1);
    let revision = &Component::method("wampcra").digest()[..12];
    let revision = [
        realm,
        ("step", "wampcra"),
        ("revision", revision),
        ("state", "live"),
    ];
    assert_eq!(seen.value("countersign_revision_info", &revision), 1);

    // Nothing that a client has said is on the page.
    for text in ["alice", "no.such.realm", "127.0.0.1"] {
        assert!(!seen.text().contains(text), "{text}");
    }
    drop(guest);
    let is_gone =
        |seen: &countersign_tests::Metrics| seen.value("countersign_sessions", &[realm]) == 0;
    router.metrics_where(is_gone).await;
}

#[tokio::test]
async fn a_limit_has_the_same_name_on_the_page_as_in_the_log() {
    let router = hostile().await;
    let client = Client::greet(&router, hello("hostile", &["loop"], None)).await;
    client.refusal().await;
    let why = router.whys(1).await.remove(0);
    let (_, rest) = why.split_once("ran into its limit \"").expect("a limit");
    let (limit, _) = rest.split_once('"').expect("a name");

    let seen = router.metrics().await;
    let outcomes = seen.labels(CALLS, "outcome");
    assert_eq!(outcomes, [limit.to_owned()].into(), "{}", seen.text());
    let labels = [("realm", "hostile"), ("step", "loop"), ("outcome", limit)];
    assert_eq!(seen.value(CALLS, &labels), 1);
}

#[tokio::test]
async fn a_method_that_only_fails_is_seen_to_be_left_alone() {
    let router = hostile().await;
    for _ in 0..5 {
        let client = Client::greet(&router, hello("hostile", &["loop"], None)).await;
        client.refusal().await;
    }
    let seen = router.metrics().await;
    let labels = [("realm", "hostile"), ("step", "loop"), ("round", "begin")];
    assert_eq!(seen.value("countersign_circuit_sources", &labels), 1);
    assert_eq!(seen.value("countersign_circuit_open", &labels), 0);
}

#[tokio::test]
async fn what_goes_through_a_realm_is_counted() {
    let router = demo().await;
    let mut client = Client::join(&router, "realm1").await;
    let topic = "com.example.greeting".to_owned();
    let request = |text: &str| {
        let message = format!("{text},\"{topic}\"]");
        message.into_bytes()
    };
    client.send_octets(request("[32,1,{}")).await;
    assert!(matches!(client.receive().await, Message::Subscribed { .. }));
    let publish = request("[16,2,{\"acknowledge\":true,\"exclude_me\":false}");
    client.send_octets(publish).await;
    for _ in 0..2 {
        let message = client.receive().await;
        assert!(matches!(
            message,
            Message::Event { .. } | Message::Published { .. }
        ));
    }
    let seen = router.metrics().await;
    for name in [
        "countersign_publications_total",
        "countersign_events_routed_total",
    ] {
        let value = seen.value(name, &[("realm", "realm1")]);
        assert_eq!(value, 1, "{name} is {value}");
    }
    let goodbye = Message::Goodbye {
        details: Dict::new(),
        reason: "wamp.close.normal".into(),
    };
    client.send(&goodbye).await;
}

#[tokio::test]
async fn reloads_are_counted_and_a_realm_that_is_gone_leaves_the_page() {
    let router = hostile().await;
    router
        .deployment
        .component("hostile", &Component::new("nonsense"));
    router.log.mention("not reloaded").await;
    let seen = router.metrics().await;
    let reloads = |labels: &[(&str, &str)]| seen.value("countersign_reloads_total", labels);
    assert_eq!(reloads(&[("outcome", "in-place")]), 1);
    assert_eq!(reloads(&[("outcome", "refused"), ("stage", "compile")]), 1);
    assert!(seen.text().contains("realm=\"hostile\""));

    fs::remove_file(router.deployment.path("realms/hostile.toml")).unwrap();
    router.log.mention("the realm is closed").await;
    let seen = router.metrics().await;
    assert!(
        !seen.text().contains("realm=\"hostile\""),
        "{}",
        seen.text()
    );
}

#[tokio::test]
async fn there_is_nothing_else_and_nonsense_does_no_harm() {
    let router = demo().await;
    assert_eq!(router.metrics_page("GET / HTTP/1.1").await.status, 404);
    assert_eq!(
        router.metrics_page("GET /metrics/x HTTP/1.1").await.status,
        404
    );
    assert_eq!(
        router.metrics_page("POST /metrics HTTP/1.1").await.status,
        405
    );
    let page = router.metrics_page("GET /metrics HTTP/1.1").await;
    let kind = page.header("content-type").expect("a type");
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");

    let large = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "x".repeat(1 << 20)
    );
    for nonsense in [b"\x16\x03\x01\0\xff\r\n\r\n".as_slice(), large.as_bytes()] {
        let answer = router.metrics_answer(nonsense).await;
        assert!(!answer.contains("countersign_"), "{answer}");
    }
    // Those who say nothing take all places for a while, and not for ever; and logins none the less
    // go on.
    let address = router.metrics_address().await;
    let mut silent = Vec::new();
    for _ in 0..16 {
        silent.push(TcpStream::connect(&address).await.unwrap());
    }
    Client::join(&router, "realm1").await;
    drop(silent);
    router.metrics().await;
}

#[tokio::test]
async fn nobody_serves_metrics_to_the_network_by_accident() {
    let deployment = Deployment::demo();
    deployment.operator("[metrics]\naddress = \"0.0.0.0:0\"\n");
    let complaint = deployment.start_in_vain().await;
    assert!(complaint.contains("countersign.toml:4:11:"), "{complaint}");
    assert!(complaint.contains("remote = \"allow\""), "{complaint}");
    deployment.operator("[metrics]\naddress = \"0.0.0.0:0\"\nremote = \"allow\"\n");
    let router = deployment.start().await;
    router.metrics_address().await;
}
