//! What those learn who are nobody here.

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::wamp::{Dict, Value, reason};
use countersign_tests::Client;

use crate::house::{ARGON2, DIALECTS, Exchange, House, NONCE, PASSWORD, greeting, hello_with};

/// Neither does a nonce, a salt or a cost that the client names go into what it must prove.
#[tokio::test]
async fn costs_that_the_client_names_are_ignored() {
    let router = House::with_alice().start().await;
    for dialect in DIALECTS {
        let authextra = Dict::new()
            .with("nonce", NONCE)
            .with("iterations", 1)
            .with("memory", 8)
            .with("kdf", "plain")
            .with("salt", "c2FsdHNhbHQ=");
        let greeting = hello_with("realm1", dialect, "alice", authextra);
        let (client, challenge) = Client::challenged(&router, greeting).await;
        assert_eq!(
            challenge.value("iterations").and_then(Value::as_u64),
            Some(4096)
        );
        assert_eq!(challenge.text("kdf"), Some("pbkdf2"));
        let salt = challenge.text("salt").unwrap().to_owned();
        assert_ne!(salt, "c2FsdHNhbHQ=");

        // A proof for fewer iterations, by somebody between who has lowered them.
        let cheaper = challenge.with("iterations", 1);
        let exchange = Exchange::new(dialect, "alice", PASSWORD, &cheaper);
        let refusal = client.refused(&exchange.answer()).await;
        assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    }
}

/// What stays the same for one name, and what an answer costs the router, tell nothing of who exists.
#[tokio::test]
async fn t01_an_unknown_authid_looks_like_a_wrong_password() {
    let house = House::new();
    house.enrol("realm1", "alice", PASSWORD, &ARGON2);
    let router = house.start().await;
    for dialect in DIALECTS {
        let mut seen = Vec::new();
        for authid in ["alice", "nobody"] {
            let (client, challenge) = Client::challenged(&router, greeting(dialect, authid)).await;
            let exchange = Exchange::new(dialect, authid, "pencils", &challenge);
            let shape: Vec<(String, Value)> = challenge
                .iter()
                .map(|(key, value)| match (key, value) {
                    ("salt" | "nonce", Value::Text(text)) => (key, Value::from(text.len() as u64)),
                    _ => (key, value.clone()),
                })
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            seen.push((shape, client.refused(&exchange.answer()).await));
        }
        assert_eq!(seen[0], seen[1]);
    }
    let refused = |event: &countersign_tests::Event| event.message() == "login refused";
    let records = router.log.take(4, refused).await;
    for pair in records.chunks(2) {
        assert_eq!(pair[0].text("why"), pair[1].text("why"));
        assert_eq!(pair[0].text("steps"), pair[1].text("steps"));
    }
}

#[tokio::test]
async fn an_unknown_authid_has_the_same_salt_and_costs_ever_after() {
    let house = House::new();
    house.enrol("realm1", "alice", PASSWORD, &ARGON2);
    let mut router = house.start().await;
    let mut salts = Vec::new();
    for _restart in 0..2 {
        for dialect in DIALECTS {
            for _again in 0..5 {
                let (_, challenge) = Client::challenged(&router, greeting(dialect, "nobody")).await;
                let number = |key| challenge.value(key).and_then(Value::as_u64);
                assert_eq!(
                    (number("iterations"), number("memory")),
                    (Some(5), Some(7168))
                );
                let salt = challenge.text("salt").unwrap();
                assert_eq!(BASE64_STANDARD.decode(salt).unwrap().len(), 16);
                salts.push(salt.to_owned());
            }
        }
        router = router.kill().await.start().await;
    }
    salts.dedup();
    let [nobodys] = &salts[..] else {
        panic!("{salts:?}")
    };
    for other in ["alice", "somebody"] {
        let (_, challenge) = Client::challenged(&router, greeting("scram", other)).await;
        assert_ne!(challenge.text("salt"), Some(&**nobodys));
    }
}

/// Where nobody has a credential yet, the costs are those that the first one will have.
#[tokio::test]
async fn a_realm_without_credentials_asks_by_the_defaults() {
    let router = House::new().start().await;
    let (_, challenge) = Client::challenged(&router, greeting("wamp-scram", "nobody")).await;
    let number = |key| challenge.value(key).and_then(Value::as_u64);
    assert_eq!(challenge.text("kdf"), Some("argon2id13"));
    assert_eq!(
        (number("iterations"), number("memory")),
        (Some(3), Some(65536))
    );
}
