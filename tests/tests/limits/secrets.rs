//! What nobody may find in the log, however much is logged.

use countersign::wamp::{Message, Serializer};
use countersign_tests::{Client, Deployment, Transport, answer, hello, sign};

/// What Alice's credentials are made from, and what somebody typed who had them wrong.
const SECRETS: [&str; 3] = ["wonderland", "a-canary-that-was-typed", "$argon2id$"];

/// T18: also in the octets of frames, as somebody may have them printed.
#[tokio::test]
async fn t18_no_secret_is_in_the_log_however_much_is_logged() {
    // How a component is compiled takes a million lines.
    let quiet = [
        "cranelift_codegen",
        "cranelift_frontend",
        "regalloc2",
        "wasmtime_internal_cranelift",
        "wasmtime_environ",
    ];
    let filter = quiet.iter().fold("trace".to_owned(), |filter, target| {
        format!("{filter},{target}=info")
    });
    let router = Deployment::demo().start_with_log(&filter).await;
    for transport in [Transport::WebSocket, Transport::RawSocket] {
        for typed in ["wonderland", "a-canary-that-was-typed"] {
            let mut client = Client::connect_by(transport, &router, Serializer::Json).await;
            client
                .send(&hello("realm1", &["ticket"], Some("alice")))
                .await;
            assert!(matches!(client.receive().await, Message::Challenge { .. }));
            client.send(&answer(typed)).await;
            client.receive().await;
        }
    }
    // Signed with the secret itself: her key is derived from it.
    let mut client = Client::greet(&router, hello("realm1", &["wampcra"], Some("alice"))).await;
    let challenge = client.receive().await;
    let signed = sign(&challenge, "wonderland");
    client.refused(&signed).await;

    let whys = router.whys(3).await;
    assert!(
        whys.iter().any(|why| why.starts_with("wampcra: ")),
        "{whys:?}"
    );
    let lines = router.log.so_far();
    assert!(lines.iter().any(|line| line.text("level") == "TRACE"));
    for line in lines {
        let line = line.to_string();
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret:?} in {line}");
            assert!(!line.contains(&hex::encode(secret)), "{secret:?} in {line}");
        }
    }
}
