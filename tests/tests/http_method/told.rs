//! What the service is told, and what it may say.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{Asked, Client, Job, Program, Reply, Service, answer, hello};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::house::{
    KEY, PASSWORD, accept, assert_welcome, challenged, deployment, log_in, passwords, realm,
};

#[tokio::test]
async fn stock_clients_log_in_by_their_ticket() {
    let service = Service::start(passwords).await;
    let router = deployment(&service, "").start().await;
    let job = |secret| Job {
        scenario: "tour",
        method: "ticket",
        serializer: "json",
        authid: "alice",
        secret,
    };
    for program in Program::ALL {
        let outcomes = program
            .run(&router, &[job(PASSWORD), job("looking-glass")])
            .await;
        let welcome = &outcomes[0]["welcome"];
        assert_eq!(welcome["authid"], "alice", "{program:?}: {outcomes:?}");
        assert_eq!(welcome["authrole"], "user", "{program:?}: {outcomes:?}");
        assert_eq!(outcomes[0]["result"], 5, "{program:?}: {outcomes:?}");
        let left = &outcomes[1]["left"];
        assert_eq!(left, reason::AUTHENTICATION_DENIED, "{program:?}");
    }
}

#[tokio::test]
async fn the_service_is_told_who_comes_from_where_with_what() {
    let service = Service::start(passwords).await;
    let router = deployment(&service, "").start().await;
    let Message::Hello { realm, mut details } = hello("realm1", &["ticket"], Some("alice")) else {
        unreachable!()
    };
    details.insert("authextra", Dict::new().with("device", "phone"));
    let mut client = Client::greet(&router, Message::Hello { realm, details }).await;
    client.receive().await;
    client.send(&answer(PASSWORD)).await;
    let welcome = client.receive().await;
    let Message::Welcome { session, .. } = &welcome else {
        panic!("{welcome:?}")
    };

    let asked = service.asked().await;
    assert_eq!(asked.line, "POST /login?from=wamp HTTP/1.1");
    assert_eq!(asked.header("content-type"), "application/json");
    let question = asked.json();
    for (member, expected) in [
        ("version", json!(1)),
        ("realm", json!("realm1")),
        ("session", json!(session.as_u64())),
        ("authmethod", json!("ticket")),
        ("authid", json!("alice")),
        ("authextra", json!({ "device": "phone" })),
        ("confidential", json!(true)),
        ("proven", json!([])),
    ] {
        assert_eq!(question[member], expected, "{member}");
    }
    let peer = question["peer"].as_str().unwrap();
    assert!(peer.starts_with("tcp:127.0.0.1:"), "{peer}");
    assert_eq!(question["answer"]["signature"], PASSWORD);
    assert!(service.was_left_alone().await, "it was asked once");
}

#[tokio::test]
async fn the_service_may_rename_describe_and_limit() {
    let service = Service::start(|_| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Reply::json(&json!({
            "verdict": "accept", "role": "user", "authid": "a.liddell",
            "authextra": { "team": 7 }, "expires_at": now.unwrap().as_secs() + 2,
        }))
    })
    .await;
    let router = deployment(&service, "").start().await;
    let mut client = challenged(&router, None).await;
    client.send(&answer("a token")).await;
    let welcome = client.receive().await;
    let details = assert_welcome(&welcome);
    assert_eq!(details.text("authid"), Some("a.liddell"));
    assert_eq!(details.text("authprovider"), Some("http"));
    let Some(countersign::wamp::Value::Dict(extra)) = details.value("authextra") else {
        panic!("{details:?}")
    };
    assert_eq!(
        extra
            .value("team")
            .and_then(countersign::wamp::Value::as_u64),
        Some(7)
    );
    let end = client.receive().await;
    assert!(matches!(end, Message::Goodbye { .. }), "{end:?}");
}

/// The service asks for a PIN, and keeps what it asked in the router.
#[tokio::test]
async fn the_service_may_ask_the_client_itself() {
    let service = Service::start(|asked| {
        let question = asked.json();
        let Some(answer) = question.get("answer") else {
            let challenge = question["nonce"].as_str().unwrap();
            return Reply::json(&json!({
                "verdict": "challenge",
                "extra": { "prompt": "PIN?", "challenge": challenge },
                "state": { "pin": "1234", "nonce": challenge },
            }));
        };
        let is_right = answer["signature"] == answer["state"]["pin"]
            && answer["nonce"] == answer["state"]["nonce"];
        if is_right {
            accept()
        } else {
            Reply::json(&json!({ "verdict": "deny" }))
        }
    })
    .await;
    let router = deployment(&service, "challenge = \"service\"")
        .start()
        .await;
    for (pin, is_right) in [("1234", true), ("1235", false)] {
        let greeting = hello("realm1", &["ticket"], Some("alice"));
        let mut client = Client::greet(&router, greeting).await;
        let challenge = client.receive().await;
        let Message::Challenge { extra, .. } = challenge else {
            panic!("{challenge:?}")
        };
        assert_eq!(extra.text("prompt"), Some("PIN?"));
        client.send(&answer(pin)).await;
        let end = client.receive().await;
        assert_eq!(matches!(end, Message::Welcome { .. }), is_right, "{end:?}");
    }
}

/// What the service knows the router by. The method has not seen it.
#[tokio::test]
async fn a_request_is_signed_with_the_realms_key() {
    let service = Service::start(passwords).await;
    let deployment = deployment(&service, "");
    deployment.secret("realm1", "auth.key", KEY);
    let more = "signing_key = \"auth.key\"";
    deployment.realm("realm1", &realm(&service.origin(), "", more));
    let router = deployment.start().await;
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        assert_welcome(&log_in(&router).await);
        let asked = service.asked().await;
        assert_eq!(asked.header("webhook-signature"), signature(&asked, KEY));
        let time: u64 = asked.header("webhook-timestamp").parse().unwrap();
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert!(now.abs_diff(Duration::from_secs(time)) < Duration::from_mins(5));
        ids.insert(asked.header("webhook-id").to_owned());
    }
    assert_eq!(ids.len(), 2);

    // Another key is taken as soon as it is there.
    let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    router.deployment.secret("realm1", "auth.key", other);
    router.log.generation("realm1", 2).await;
    assert_welcome(&log_in(&router).await);
    let asked = service.asked().await;
    assert_eq!(asked.header("webhook-signature"), signature(&asked, other));

    // And what is none is not.
    router.deployment.secret("realm1", "auth.key", "hunter2");
    let line = router.log.mention("this is no signing key").await;
    assert!(line.message().contains("secrets/realm1/auth.key"), "{line}");
    assert_welcome(&log_in(&router).await);
}

fn signature(asked: &Asked, key: &str) -> String {
    let key = BASE64_STANDARD
        .decode(key.trim_start_matches("whsec_"))
        .unwrap();
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, time) = (
        asked.header("webhook-id"),
        asked.header("webhook-timestamp"),
    );
    hmac.update(format!("{id}.{time}.").as_bytes());
    hmac.update(&asked.body);
    format!(
        "v1,{}",
        BASE64_STANDARD.encode(hmac.finalize().into_bytes())
    )
}

/// As a second step it is told who passed the first, and cannot make somebody else of them.
#[tokio::test]
async fn a_later_step_is_told_what_is_proven() {
    let as_somebody_else = Arc::new(AtomicBool::new(false));
    let service = Service::start({
        let as_somebody_else = Arc::clone(&as_somebody_else);
        move |_| {
            let mut verdict = json!({ "verdict": "accept", "role": "user" });
            if as_somebody_else.load(Ordering::SeqCst) {
                verdict["authid"] = json!("mallory");
            }
            Reply::json(&verdict)
        }
    })
    .await;
    let deployment = deployment(&service, "");
    let origin = service.origin();
    deployment.realm(
        "realm1",
        &format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"ticket\", \"http\"]\n[method.http]\n\
             imports = [\"http\", \"logging\", \"transport\", \"wasi\"]\n\
             origins = [\"{origin}\"]\n\
             settings = {{ url = \"{origin}\", challenge = \"service\" }}\n"
        ),
    );
    deployment.enrol(&xtask::Identity::ticket("alice", PASSWORD));
    let router = deployment.start().await;
    assert_welcome(&log_in(&router).await);
    let question = service.asked().await.json();
    let proven =
        json!([{ "authmethod": "ticket", "authid": "alice", "authrole": "user", "authextra": {} }]);
    assert_eq!(question["proven"], proven);
    assert_eq!(question.get("answer"), None::<&Value>);

    as_somebody_else.store(true, Ordering::SeqCst);
    let end = log_in(&router).await;
    assert!(matches!(end, Message::Abort { .. }), "{end:?}");
}
