//! What bounds clients that wait, stay silent or do not read.

use countersign::wamp::{Dict, Id, Message, Payload, Serializer, Value, reason};
use countersign_tests::{Client, Deployment, Router, hello};

async fn demo_with(operator: &str) -> Router {
    let deployment = Deployment::demo();
    deployment.operator(operator);
    deployment.start().await
}

#[tokio::test]
async fn whoever_says_nothing_is_sent_away() {
    let router = demo_with("[login]\nhello = \"50ms\"\n").await;
    let silent = Client::connect(&router, Serializer::Json).await;
    assert_eq!(silent.refusal().await.reason, reason::TIMEOUT);
}

#[tokio::test]
async fn more_logins_than_there_are_places_are_told_so_whoever_they_are() {
    let router = demo_with("[login]\nwaiting = 1\n").await;
    let mut first = Client::connect(&router, Serializer::Json).await;
    for _ in 0..3 {
        let other = Client::connect(&router, Serializer::Json).await;
        assert_eq!(other.refusal().await.reason, reason::UNAVAILABLE);
    }
    first.send(&hello("realm1", &["anonymous"], None)).await;
    assert!(matches!(first.receive().await, Message::Welcome { .. }));
    // A session is no login under way.
    Client::join(&router, "realm1").await;
}

#[tokio::test]
async fn the_limit_of_descriptors_that_a_shell_sets_bounds_nobody() {
    let router = Deployment::demo().start_with_descriptors(64).await;
    let mut sessions = Vec::new();
    for _ in 0..100 {
        sessions.push(Client::join(&router, "realm1").await);
    }
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_up() {
    let deployment = Deployment::demo();
    let realm = std::fs::read_to_string(deployment.path("realms/realm1.toml")).unwrap();
    deployment.realm("realm1", &format!("longest_session = \"1s\"\n{realm}"));
    let router = deployment.start().await;
    let mut session = Client::join(&router, "realm1").await;
    let Message::Goodbye { reason, .. } = session.receive().await else {
        panic!("a GOODBYE");
    };
    assert_eq!(reason, reason::CLOSE_EXPIRED);
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_session_and_holds_nobody_up() {
    let limits = "[session]\nmessage_size = \"64KiB\"\nqueue = \"64KiB\"\n";
    let router = demo_with(limits).await;
    let mut deaf = Client::join(&router, "realm1").await;
    let topic = "com.example.noise".to_owned();
    let subscribe = Message::Subscribe {
        request: Id::MIN,
        options: Dict::new(),
        topic: topic.clone(),
    };
    deaf.send(&subscribe).await;
    assert!(matches!(deaf.receive().await, Message::Subscribed { .. }));

    // What the sockets hold and the queue besides are full at some time.
    let mut loud = Client::join(&router, "realm1").await;
    let noise = Payload::list(vec![Value::from("x".repeat(32 << 10))]);
    let broken_off = router.log.message("a session is broken off");
    tokio::pin!(broken_off);
    let mut request = Id::MIN;
    let event = loop {
        let publish = Message::Publish {
            request,
            options: Dict::new().with("acknowledge", true),
            topic: topic.clone(),
            payload: noise.clone(),
        };
        request = request.next();
        tokio::select! {
            event = &mut broken_off => break event,
            () = async {
                loud.send(&publish).await;
                assert!(matches!(loud.receive().await, Message::Published { .. }));
            } => {}
        }
    };
    assert_eq!(
        event.text("why"),
        "the client does not read what is sent to it"
    );
}
