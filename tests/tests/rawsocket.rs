//! RawSocket: the same router on the same port, by a transport with less around a message.

use countersign::wamp::{Dict, Id, Message, Payload, Serializer, Value, reason};
use countersign_tests::{Client, Deployment, Job, Program, Router, Transport, hello};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use Transport::{RawSocket, WebSocket};

async fn demo() -> Router {
    Deployment::demo().start().await
}

/// Logs in as Alice.
async fn log_in(mut client: Client) -> Client {
    client
        .send(&hello("realm1", &["ticket"], Some("alice")))
        .await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));
    let answer = Message::Authenticate {
        signature: "wonderland".into(),
        extra: Dict::new(),
    };
    client.send(&answer).await;
    let welcome = client.receive().await;
    assert!(matches!(welcome, Message::Welcome { .. }), "{welcome:?}");
    client
}

async fn member(transport: Transport, router: &Router, serializer: Serializer) -> Client {
    log_in(Client::connect_by(transport, router, serializer).await).await
}

fn id(id: u64) -> Id {
    Id::new(id).unwrap()
}

/// Registers a procedure.
async fn register(callee: &mut Client, procedure: &str) {
    let register = Message::Register {
        request: id(1),
        options: Dict::new(),
        procedure: procedure.into(),
    };
    callee.send(&register).await;
    assert!(matches!(callee.receive().await, Message::Registered { .. }));
}

fn call(procedure: &str, arguments: Vec<Value>) -> Message {
    Message::Call {
        request: id(1),
        options: Dict::new(),
        procedure: procedure.into(),
        payload: Payload::list(arguments),
    }
}

#[tokio::test]
async fn members_by_either_transport_call_each_other_in_each_serialization() {
    let router = demo().await;
    for (there, here) in [(RawSocket, WebSocket), (WebSocket, RawSocket)] {
        for (i, serializer) in Serializer::ALL.into_iter().enumerate() {
            let other = Serializer::ALL[(i + 1) % 3];
            let mut callee = member(there, &router, serializer).await;
            register(&mut callee, "com.example.echo").await;
            let mut caller = member(here, &router, other).await;
            let arguments = vec![Value::from("hi"), Value::from(7_u64)];
            caller
                .send(&call("com.example.echo", arguments.clone()))
                .await;
            let Message::Invocation {
                request, payload, ..
            } = callee.receive().await
            else {
                panic!("not an invocation")
            };
            let result = Message::Yield {
                request,
                options: Dict::new(),
                payload,
            };
            callee.send(&result).await;
            let Message::Result { payload, .. } = caller.receive().await else {
                panic!("not a result")
            };
            assert_eq!(
                payload.arguments().unwrap(),
                arguments,
                "{serializer:?}, {other:?}"
            );
            callee.send(&goodbye()).await;
            assert!(matches!(callee.receive().await, Message::Goodbye { .. }));
        }
    }
}

fn goodbye() -> Message {
    Message::Goodbye {
        details: Dict::new(),
        reason: reason::CLOSE_REALM.into(),
    }
}

#[tokio::test]
async fn what_cannot_be_agreed_to_is_answered_with_its_error() {
    let router = demo().await;
    for (octets, error) in [
        ([0x7f, 0xf0, 0, 0], 1),
        ([0x7f, 0xf4, 0, 0], 1),
        ([0x7f, 0xff, 0, 0], 1),
        ([0x7f, 0x01, 0, 0], 2),
        ([0x7f, 0xf1, 1, 0], 3),
        ([0x7f, 0xf1, 0, 1], 3),
    ] {
        let (mut stream, answer) = Client::shake_hands(&router, octets).await;
        assert_eq!(answer, [0x7f, error << 4, 0, 0], "{octets:x?}");
        let mut more = Vec::new();
        stream.read_to_end(&mut more).await.unwrap();
        assert!(more.is_empty(), "{more:?}");
    }
}

#[tokio::test]
async fn pings_are_answered_before_the_login_and_after() {
    let router = demo().await;
    let mut client = Client::connect_by(RawSocket, &router, Serializer::Cbor).await;
    client.send_frame(1, b"before").await;
    let answer = client.receive_frame().await;
    assert_eq!(answer, Some((2, b"before"[..].into())));
    let mut member = log_in(client).await;
    member.send_frame(1, &vec![7; 20_000]).await;
    let answer = member.receive_frame().await;
    assert_eq!(answer, Some((2, vec![7; 20_000].into())));
}

#[tokio::test]
async fn a_client_that_pings_and_then_answers_none_is_given_up() {
    let deployment = Deployment::demo();
    deployment.operator("[session]\nping = \"100ms\"\n");
    let router = deployment.start().await;
    let mut member = member(RawSocket, &router, Serializer::Json).await;
    member.send_frame(1, b"").await;
    assert_eq!(member.receive_frame().await, Some((2, b""[..].into())));
    for _ in 0..2 {
        assert_eq!(member.receive_frame().await, Some((1, b""[..].into())));
    }
    assert_eq!(member.receive_frame().await, None);
}

#[tokio::test]
async fn what_is_too_large_for_a_login_is_refused() {
    let router = demo().await;
    let hello = hello("realm1", &["ticket"], Some("alice"));
    let hello = hello.encode(Serializer::Json).unwrap();
    for length in [(16 << 10) + 1, 100_000] {
        let mut client = Client::connect_by(RawSocket, &router, Serializer::Json).await;
        let mut large = hello.to_vec();
        large.resize(length, b' ');
        client.send_octets(large).await;
        let refusal = client.refusal().await;
        assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION);
    }
    let record = router.log.message("login refused").await;
    assert!(record.text("why").contains("16384"), "{record}");

    let mut client = Client::connect_by(RawSocket, &router, Serializer::Json).await;
    let mut fits = hello.to_vec();
    fits.resize(16 << 10, b' ');
    client.send_octets(fits).await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));
}

/// The answer comes before the octets do, and what is announced is not made room for.
#[tokio::test]
async fn a_message_of_16_mib_is_refused_by_its_header() {
    let router = demo().await;
    let before = router.peak_memory();
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = Client::connect_by(RawSocket, &router, Serializer::Json).await;
        client
            .stream()
            .write_all(&[0, 0xff, 0xff, 0xff])
            .await
            .unwrap();
        clients.push(client);
    }
    for client in clients {
        let refusal = client.refusal().await;
        assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION);
    }
    let growth = router.peak_memory().saturating_sub(before);
    assert!(growth < 10_000_000, "the router grew by {growth} octets");
}

#[tokio::test]
async fn what_is_no_frame_is_refused() {
    let router = demo().await;
    for header in [[3, 0, 0, 0], [0x10, 0, 0, 2], [8, 0, 0, 2]] {
        let mut client = Client::connect_by(RawSocket, &router, Serializer::Json).await;
        client.stream().write_all(&header).await.unwrap();
        let refusal = client.refusal().await;
        assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION, "{header:?}");
        let mut member = member(RawSocket, &router, Serializer::Json).await;
        member.stream().write_all(&header).await.unwrap();
        let refusal = member.refusal().await;
        assert_eq!(refusal.reason, reason::PROTOCOL_VIOLATION, "{header:?}");
    }
}

/// It said how much it takes, so there is no other way to keep what is sent to it whole.
#[tokio::test]
async fn a_session_ends_with_a_message_that_its_client_does_not_take() {
    let router = demo().await;
    // JSON, and 2 KiB.
    let (stream, answer) = Client::shake_hands(&router, [0x7f, 0x21, 0, 0]).await;
    assert_eq!(answer, [0x7f, 0xf1, 0, 0]);
    let mut callee = log_in(Client::of_rawsocket(stream, Serializer::Json)).await;
    register(&mut callee, "com.example.small").await;
    let mut caller = member(WebSocket, &router, Serializer::Json).await;
    let large = "x".repeat(2 << 10);
    caller
        .send(&call("com.example.small", vec![large.as_str().into()]))
        .await;
    callee.closed().await;
    let record = router.log.message("a session is broken off").await;
    let why = record.text("why");
    assert!(why.contains("takes no more than 2048"), "{record}");
    let answer = caller.receive().await;
    assert!(matches!(answer, Message::Error { .. }), "{answer:?}");
}

#[tokio::test]
async fn autobahn_python_tours_by_every_method_in_every_serializer() {
    let router = demo().await;
    let methods = [
        ("anonymous", ""),
        ("ticket", "wonderland"),
        ("wampcra", "wonderland"),
    ];
    let mut jobs = Vec::new();
    for (method, secret) in methods {
        for serializer in ["json", "msgpack", "cbor"] {
            jobs.push(Job {
                scenario: "tour",
                method,
                serializer,
                authid: "alice",
                secret,
            });
        }
    }
    let url = router.rawsocket_url();
    let outcomes = Program::AutobahnPython.run_at(&url, &jobs).await;
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let method = &outcome["welcome"]["authmethod"];
        assert_eq!(method, job.method, "{job:?}: {outcome}");
        let event = json!([["hello", 2], { "size": { "deep": [true] } }]);
        assert_eq!(outcome["event"], event, "{job:?}: {outcome}");
        assert_eq!(outcome["result"], 5, "{job:?}: {outcome}");
    }
}

/// It would break at a PING, and sends none: it is left alone, however often others are pinged.
#[tokio::test]
async fn autobahn_python_stays_although_it_says_nothing() {
    let deployment = Deployment::demo();
    deployment.operator("[session]\nping = \"100ms\"\n");
    let router = deployment.start().await;
    let job = Job {
        scenario: "host",
        method: "ticket",
        serializer: "json",
        authid: "alice",
        secret: "wonderland",
    };
    let url = router.rawsocket_url();
    let mut host = Program::AutobahnPython.start_at(&url, &[job]);
    assert_eq!(host.line().await, json!({ "ready": true }));
    // One that knows pings is given up after three rounds of them.
    let mut pinger = member(RawSocket, &router, Serializer::Json).await;
    pinger.send_frame(1, b"").await;
    while pinger.receive_frame().await.is_some() {}

    let visit = Job {
        scenario: "visit",
        ..job
    };
    let visited = Program::AutobahnPython.run(&router, &[visit]).await;
    assert_eq!(visited[0]["result"], 23, "{visited:?}");
    assert_eq!(host.line().await["event"][0], json!(["hello", 2]));
}
