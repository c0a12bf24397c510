//! What clients should not send, and what they get for it: one test for each row of the table.

use countersign::wamp::{Dict, Id, Message, Payload, Serializer, reason};
use countersign_tests::{Client, Deployment, Refusal, Router, hello};
use tokio::io::AsyncWriteExt;

async fn demo() -> Router {
    Deployment::demo().start().await
}

fn text(octets: &str) -> Vec<u8> {
    octets.as_bytes().to_vec()
}

fn authenticate(signature: &str) -> Message {
    Message::Authenticate {
        signature: signature.into(),
        extra: Dict::new(),
    }
}

fn call() -> Message {
    Message::Call {
        request: Id::new(1).unwrap(),
        options: Dict::new(),
        procedure: "com.example.add".into(),
        payload: Payload::NONE,
    }
}

fn assert_violation(refusal: &Refusal) {
    assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION);
}

#[tokio::test]
async fn a_first_message_that_is_not_hello() {
    let router = demo().await;
    for message in [authenticate("wonderland"), call()] {
        assert_violation(&Client::greet(&router, message).await.refusal().await);
    }
}

#[tokio::test]
async fn a_second_hello() {
    let router = demo().await;
    let hello = hello("realm1", &["ticket"], Some("alice"));
    let mut client = Client::greet(&router, hello.clone()).await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));
    client.send(&hello).await;
    assert_violation(&client.refusal().await);

    let mut session = Client::join(&router, "realm1").await;
    session.send(&hello).await;
    assert_violation(&session.refusal().await);
}

#[tokio::test]
async fn an_answer_where_nothing_was_asked() {
    let router = demo().await;
    let mut session = Client::join(&router, "realm1").await;
    session.send(&authenticate("wonderland")).await;
    assert_violation(&session.refusal().await);
}

#[tokio::test]
async fn a_call_before_welcome() {
    let router = demo().await;
    let mut client = Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));
    client.send(&call()).await;
    assert_violation(&client.refusal().await);
}

#[tokio::test]
async fn what_is_no_wamp_message() {
    let router = demo().await;
    let deep = |open: &str, close: &str| {
        format!(
            "[1,\"realm1\",{{\"a\":{}{}}}]",
            open.repeat(10_000),
            close.repeat(10_000)
        )
    };
    let frames = [
        (Serializer::Json, text("hello?")),
        (Serializer::Json, text("")),
        (Serializer::Json, text("{}")),
        (Serializer::Json, text("[]")),
        (Serializer::Json, text("[1]")),
        (Serializer::Json, text("[999,1,{}]")),
        (Serializer::Json, text("[-1,\"realm1\",{}]")),
        (Serializer::Json, text("[1,\"realm1\"]")),
        (Serializer::Json, text("[1,1,{}]")),
        (Serializer::Json, text("[1,\"realm1\",[]]")),
        (Serializer::Json, text("[1,\"realm1\",{},{}]")),
        (
            Serializer::Json,
            text("[1,\"realm1\",{\"roles\":{\"caller\":{}}}] and more"),
        ),
        (
            Serializer::Json,
            text("[1,\"realm1\",{\"roles\":{\"caller\":{}}}"),
        ),
        (Serializer::Json, text(&deep("[", "]"))),
        (Serializer::Json, vec![0xff, 0xfe]),
        (Serializer::MsgPack, vec![0xc1]),
        (Serializer::MsgPack, vec![0x93, 1]),
        (Serializer::MsgPack, vec![0xdd, 0xff, 0xff, 0xff, 0xff]),
        (Serializer::MsgPack, vec![0x91; 10_000]),
        (Serializer::Cbor, vec![0xff]),
        (Serializer::Cbor, vec![0x83, 1]),
        (
            Serializer::Cbor,
            vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        (Serializer::Cbor, vec![0x81; 10_000]),
    ];
    for (serializer, octets) in frames {
        let shown = format!(
            "{serializer:?} {}",
            String::from_utf8_lossy(&octets[..octets.len().min(60)])
        );
        let mut client = Client::connect(&router, serializer).await;
        client.send_octets(octets).await;
        let refusal = client.refusal().await;
        assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION, "{shown}");
    }
    // And nobody else noticed.
    Client::join(&router, "realm1").await;
}

#[tokio::test]
async fn what_is_no_wamp_message_in_a_session() {
    let router = demo().await;
    for octets in [
        "hello?",
        "[999]",
        "[48,1,{}]",
        "[48,\"one\",{},\"com.example.add\"]",
    ] {
        let mut session = Client::join(&router, "realm1").await;
        session.send_octets(octets).await;
        let refusal = session.refusal().await;
        assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION, "{octets}");
    }
}

/// 100 MB, announced in the frame's header: the answer comes before the octets do.
#[tokio::test]
async fn a_message_of_100_mb_is_refused_by_its_header() {
    let router = demo().await;
    let mut client = Client::connect(&router, Serializer::Json).await;
    // A final text frame, masked, its length in eight octets, then the mask.
    let mut header = vec![0x81, 0xff];
    header.extend(100_000_000_u64.to_be_bytes());
    header.extend([0; 4]);
    client.stream().write_all(&header).await.unwrap();
    assert_violation(&client.refusal().await);
}

#[tokio::test]
async fn a_message_of_100_mb_costs_no_memory() {
    let router = demo().await;
    Client::join(&router, "realm1").await;
    let before = router.peak_memory();
    for _ in 0..4 {
        let mut client = Client::connect(&router, Serializer::Json).await;
        // The router closes long before the end, so that is what the sender sees.
        client.send_octets(vec![b' '; 100_000_000]).await;
        client.closed().await;
    }
    let growth = router.peak_memory().saturating_sub(before);
    assert!(growth < 10_000_000, "the router grew by {growth} octets");
    router.log.message("login refused").await;
}

#[tokio::test]
async fn an_unknown_realm_and_one_without_a_policy_are_the_same() {
    let deployment = Deployment::demo();
    deployment.realm("closed", "roles = [\"user\"]\n");
    let router = deployment.start().await;
    router.log.generation("closed", 1).await;
    let mut refusals = Vec::new();
    for realm in [
        "closed",
        "unheard.of",
        "realm1.toml",
        "../realms/realm1",
        "",
    ] {
        let client = Client::greet(&router, hello(realm, &["ticket"], Some("alice"))).await;
        refusals.push(client.refusal().await);
    }
    assert_eq!(refusals[0].reason, reason::NO_SUCH_REALM);
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:?}"
    );
}

#[tokio::test]
async fn no_method_in_common() {
    let router = demo().await;
    let client = Client::greet(
        &router,
        hello("realm1", &["scram", "cookie"], Some("alice")),
    )
    .await;
    assert_eq!(
        client.refusal().await.reason,
        reason::NO_MATCHING_AUTH_METHOD
    );
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let deployment = Deployment::demo();
    // A place that is not given back would be missed.
    deployment.operator("[login]\nwaiting = 2\n");
    let router = deployment.start().await;
    for _ in 0..10 {
        drop(Client::connect(&router, Serializer::Json).await);
        drop(Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await);
        let hello = hello("realm1", &["wampcra"], Some("alice"));
        let mut challenged = Client::greet(&router, hello).await;
        match challenged.receive().await {
            Message::Challenge { .. } => {}
            // The places of those who left may be a moment away from being free.
            Message::Abort { reason, .. } => assert_eq!(reason, reason::UNAVAILABLE),
            other => panic!("{other:?}"),
        }
    }
    loop {
        let mut client = Client::greet(&router, hello("realm1", &["anonymous"], None)).await;
        match client.receive().await {
            Message::Welcome { .. } => break,
            Message::Abort { reason, .. } => assert_eq!(reason, reason::UNAVAILABLE),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_of_somebody_who_goes_away_is_answered() {
    let router = demo().await;
    let mut callee = Client::join(&router, "realm1").await;
    let register = Message::Register {
        request: Id::new(1).unwrap(),
        options: Dict::new(),
        procedure: "com.example.add".into(),
    };
    callee.send(&register).await;
    assert!(matches!(callee.receive().await, Message::Registered { .. }));
    let mut caller = Client::join(&router, "realm1").await;
    caller.send(&call()).await;
    assert!(matches!(callee.receive().await, Message::Invocation { .. }));

    drop(callee);

    let answer = caller.receive().await;
    assert!(matches!(answer, Message::Error { .. }), "{answer:?}");
    // And the procedure is gone with it.
    let mut successor = Client::join(&router, "realm1").await;
    successor.send(&register).await;
    assert!(matches!(
        successor.receive().await,
        Message::Registered { .. }
    ));
}
