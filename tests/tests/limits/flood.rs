//! Floods: of connections that say nothing, of messages that are large, of passwords.

use countersign::wamp::{Message, Serializer, reason};
use countersign_tests::{Client, Deployment, Event, Refusal, Transport, answer, hello};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncWriteExt;

/// T09: connections that say nothing, or not all of it.
#[tokio::test]
async fn t09_hundreds_of_silent_clients_keep_nobody_out() {
    let deployment = Deployment::demo();
    // However busy the machine is, none of them is sent away before the test is over.
    deployment.operator("[login]\nhello = \"1h\"\ntotal = \"1h\"\n");
    let router = deployment.start().await;
    let mut silent = Vec::new();
    for number in 0..300 {
        let mut client = Client::connect_by(Transport::RawSocket, &router, Serializer::Json).await;
        if number % 2 == 0 {
            // A message of 200 octets that does not come.
            _ = client.stream().write_all(&[0, 0, 0, 200, b'[']).await;
        }
        silent.push(client);
    }
    for _ in 0..10 {
        Client::join(&router, "realm1").await;
    }
    drop(silent);
}

/// The largest HELLO that may come, of lists in lists as deep as they may be.
fn large_hello(size: usize) -> Vec<u8> {
    let deep = format!("{}{}", "[".repeat(12), "]".repeat(12));
    let mut items = String::new();
    while items.len() + deep.len() + 200 < size {
        items.push_str(&deep);
        items.push(',');
    }
    format!("[1,\"nowhere\",{{\"roles\":{{}},\"authextra\":{{\"a\":[{items}0]}}}}]").into_bytes()
}

/// T10: what a message is made into is larger than it was, and gone with it.
#[tokio::test]
async fn t10_a_thousand_of_the_largest_hellos_leave_no_memory_behind() {
    let router = Deployment::demo().start().await;
    let octets = large_hello(16 << 10);
    let greet = async || {
        let mut client = Client::connect(&router, Serializer::Json).await;
        client.send_octets(octets.clone()).await;
        client.refusal().await
    };
    // Those that come at the same time.
    let refusals = async |count: usize| -> Vec<Refusal> {
        stream::iter(0..count)
            .map(|_| greet())
            .buffer_unordered(50)
            .collect()
            .await
    };
    assert!(
        refusals(50)
            .await
            .iter()
            .all(|refusal| refusal.reason == reason::NO_SUCH_REALM)
    );
    let before = router.peak_memory();
    assert_eq!(refusals(1000).await.len(), 1000);
    let more = router.peak_memory().saturating_sub(before);
    assert!(more < 64 << 20, "{more} octets more");
}

/// R22: a message that is announced takes no memory before it comes, and one that comes in part no
/// more than that part.
#[tokio::test]
async fn r22_messages_that_come_in_part_take_little_memory() {
    let deployment = Deployment::demo();
    deployment.operator("[login]\nhello = \"1h\"\n");
    let router = deployment.start().await;
    Client::join(&router, "realm1").await;
    let before = router.peak_memory();
    let mut halves = Vec::new();
    for _ in 0..500 {
        let mut client = Client::connect_by(Transport::RawSocket, &router, Serializer::Json).await;
        // 16 KiB less one octet are announced, and the half of it comes.
        let mut part = vec![0, 0, 0x3f, 0xff];
        part.resize(8 << 10, b' ');
        client.stream().write_all(&part).await.expect("a socket");
        halves.push(client);
    }
    // As large as RawSocket has it: refused before any of it is there.
    let mut greedy = Client::connect_by(Transport::RawSocket, &router, Serializer::Json).await;
    greedy
        .stream()
        .write_all(&[0, 0xff, 0xff, 0xff])
        .await
        .expect("a socket");
    greedy.closed().await;
    Client::join(&router, "realm1").await;
    let each = (router.peak_memory().saturating_sub(before)) / 500;
    assert!(each < 48 << 10, "{each} octets each");
    drop(halves);
}

/// T11: a realm that is flooded with passwords waits for itself; another's come in between, and no
/// more are checked at one time than there is memory for.
#[tokio::test]
async fn t11_a_flood_of_passwords_in_one_realm_holds_up_no_other() {
    const FLOOD: usize = 100;
    let deployment = Deployment::demo();
    deployment.operator("[passwords]\nparallel = 1\nqueue = 64\nwait = \"60s\"\n");
    let realm = std::fs::read_to_string(deployment.path("realms/realm1.toml")).unwrap();
    deployment.realm("flooded", &realm);
    let router = deployment.start().await;
    let ticket = |realm: &'static str| hello(realm, &["ticket"], Some("alice"));
    let wrong = async || {
        let (client, _) = Client::challenged(&router, ticket("flooded")).await;
        client.refused(&answer("wrong")).await.reason
    };
    let (mut client, _) = Client::challenged(&router, ticket("realm1")).await;
    // Two checks are over, so there is the memory that one takes.
    for _ in 0..2 {
        assert_eq!(wrong().await, reason::AUTHENTICATION_DENIED);
    }
    let before = router.peak_memory();

    let flood = stream::iter(0..FLOOD)
        .map(|_| wrong())
        .buffer_unordered(FLOOD);
    let flood = flood.collect::<Vec<_>>();
    let other = async {
        // The queue of the flooded realm is full.
        let full = |event: &Event| event.text("outcome") == "unavailable";
        router.log.find(full).await;
        client.send(&answer("wonderland")).await;
        let told = client.receive().await;
        assert!(matches!(told, Message::Welcome { .. }), "{told:?}");
        let denied = router.log.so_far();
        denied
            .iter()
            .filter(|event| event.text("outcome") == "denied")
            .count()
    };
    let (reasons, denied_before) = tokio::join!(flood, other);
    let denied = reasons
        .iter()
        .filter(|it| *it == reason::AUTHENTICATION_DENIED)
        .count();
    let unavailable = reasons
        .iter()
        .filter(|it| *it == reason::UNAVAILABLE)
        .count();
    assert_eq!(denied + unavailable, FLOOD);
    assert!(
        unavailable >= FLOOD / 3,
        "half of the queue is for others: {unavailable}"
    );
    assert!(
        denied_before < denied + 2,
        "some of the flood were still waiting: {denied_before} of {denied}"
    );
    let more = router.peak_memory().saturating_sub(before);
    assert!(more < 32 << 20, "{more} octets more");
}
