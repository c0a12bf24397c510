//! How a router ends, and what is left.

use countersign::wamp::{Dict, Message, Serializer, reason};
use countersign_tests::{Client, Deployment, Job, Program, hello};

#[tokio::test]
async fn ctrl_c_says_goodbye_to_everyone() {
    let router = Deployment::demo().start().await;
    let mut polite = Client::join(&router, "realm1").await;
    let mut silent = Client::join(&router, "realm1").await;
    let waiting = Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await;

    router.interrupt();

    for client in [&mut polite, &mut silent] {
        let Message::Goodbye { reason, .. } = client.receive().await else {
            panic!("not a GOODBYE");
        };
        assert_eq!(reason, reason::SYSTEM_SHUTDOWN);
    }
    let goodbye = Message::Goodbye {
        details: Dict::new(),
        reason: reason::GOODBYE_AND_OUT.into(),
    };
    polite.send(&goodbye).await;
    polite.closed().await;
    waiting.closed().await;
    // The silent one does not keep it.
    router.ended().await;
    silent.closed().await;
}

#[tokio::test]
async fn real_clients_learn_that_the_router_ends() {
    let router = Deployment::demo().start().await;
    let idle = Job {
        scenario: "idle",
        method: "wampcra",
        serializer: "msgpack",
        authid: "alice",
        secret: "wonderland",
    };
    let mut clients = Program::ALL.map(|program| program.start(&router, &[idle]));
    for client in &mut clients {
        client.line().await;
    }
    router.interrupt();
    let [python, js, wampy, xconn] = &mut clients;
    assert_eq!(python.line().await["left"], reason::SYSTEM_SHUTDOWN);
    assert_eq!(js.line().await["left"], reason::SYSTEM_SHUTDOWN);
    // They do not tell why.
    wampy.line().await;
    xconn.line().await;
    router.ended().await;
}

#[tokio::test]
async fn after_kill_9_credentials_are_intact_and_the_next_start_works() {
    let mut deployment = Deployment::demo();
    for round in 0..3 {
        let router = deployment.start().await;
        let authid = format!("visitor-{round}");
        // The command and the router have the file open at the same time.
        router
            .deployment
            .enrol(&xtask::Identity::ticket(&authid, "wonderland"));
        let _session = Client::join(&router, "realm1").await;
        let _waiting = Client::greet(&router, hello("realm1", &["ticket"], Some(&authid))).await;
        deployment = router.kill().await;
    }
    let router = deployment.start().await;
    for authid in ["alice", "visitor-0", "visitor-1", "visitor-2"] {
        let mut client = Client::connect(&router, Serializer::Cbor).await;
        client
            .send(&hello("realm1", &["ticket"], Some(authid)))
            .await;
        assert!(matches!(client.receive().await, Message::Challenge { .. }));
        let signature = "wonderland".to_owned();
        client
            .send(&Message::Authenticate {
                signature,
                extra: Dict::new(),
            })
            .await;
        let answer = client.receive().await;
        assert!(
            matches!(answer, Message::Welcome { .. }),
            "{authid}: {answer:?}"
        );
    }
}
