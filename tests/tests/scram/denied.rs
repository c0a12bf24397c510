//! What lets nobody in.

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::wamp::{Dict, reason};
use countersign_tests::{Client, authenticate, hello};

use crate::house::{
    ARGON2, DIALECTS, Exchange, House, NO_FIT, NONCE, PASSWORD, PBKDF2, REALM, asked,
    assert_logs_in, assert_welcome, enrol, greeting, hello_with, remove, wrong_password,
};

#[tokio::test]
async fn t05_an_answer_is_good_for_its_own_challenge_only() {
    let house = House::with_alice();
    // The same person with the same password, elsewhere.
    house.0.realm("realm2", REALM);
    house.enrol("realm2", "alice", PASSWORD, &PBKDF2);
    let router = house.start().await;
    for (at, dialect) in DIALECTS.into_iter().enumerate() {
        let (mut client, exchange) = asked(&router, dialect, "alice").await;
        client.send(&exchange.answer()).await;
        let welcome = client.receive().await;
        assert_welcome(&welcome, dialect, "alice", &exchange.in_return());

        let refusal = wrong_password(&router, dialect).await;
        for realm in ["realm1", "realm2"] {
            let authextra = Dict::new().with("nonce", NONCE);
            let greeting = hello_with(realm, dialect, "alice", authextra);
            let (other, challenge) = Client::challenged(&router, greeting).await;
            let mut extra = exchange.extra();
            if dialect == "wamp-scram" {
                extra.insert("nonce", challenge.text("nonce").unwrap());
            }
            let replayed = authenticate(exchange.proof(), extra);
            assert_eq!(other.refused(&replayed).await, refusal);
        }
        let whys = router.whys(3 * (at + 1)).await;
        assert_eq!(whys[3 * at..], vec![format!("{dialect}: {NO_FIT}"); 3]);
    }
}

/// The other dialect's keys are of another password, as it were, where Argon2 makes them.
#[tokio::test]
async fn an_answer_for_one_dialect_is_none_for_the_other() {
    let house = House::new();
    house.enrol("realm1", "alice", PASSWORD, &ARGON2);
    let router = house.start().await;
    for (dialect, other) in [("scram", "wamp-scram"), ("wamp-scram", "scram")] {
        let refusal = wrong_password(&router, dialect).await;
        let (client, challenge) = Client::challenged(&router, greeting(dialect, "alice")).await;
        let mine = Exchange::new(dialect, "alice", PASSWORD, &challenge);
        let others = Exchange::new(other, "alice", PASSWORD, &challenge);
        let answer = authenticate(others.proof(), mine.extra());
        assert_eq!(client.refused(&answer).await, refusal);
    }
}

/// What is done to an answer that would be right.
type Change<T> = fn(T) -> T;

#[tokio::test]
async fn every_bad_answer_is_refused_alike_and_the_log_says_why() {
    let router = House::with_alice().start().await;
    let refusal = wrong_password(&router, "wamp-scram").await;
    let no_base64 = "the signature is not 32 octets in base64";
    let no_nonce = "AUTHENTICATE.Extra does not have the challenge's `nonce`";
    let other_binding = "AUTHENTICATE.Extra has another channel binding";
    let signatures: [(Change<String>, &str); 9] = [
        (|_| String::new(), no_base64),
        (|_| "A".repeat(8 << 10), no_base64),
        (|proof| proof.trim_end_matches('=').to_owned(), no_base64),
        (|proof| format!("p={proof}"), no_base64),
        (|proof| format!("{proof}\n"), no_base64),
        (|proof| proof.replace('=', "\u{ff1d}"), no_base64),
        (|_| BASE64_STANDARD.encode([0; 31]), no_base64),
        (|_| BASE64_STANDARD.encode([0; 32]), NO_FIT),
        (|_| BASE64_STANDARD.encode([0xff; 32]), NO_FIT),
    ];
    let extras: [(Change<Dict>, &str); 8] = [
        (|_| Dict::new(), no_nonce),
        (|extra| extra.with("nonce", NONCE), no_nonce),
        (|extra| extra.with("nonce", ""), no_nonce),
        (|extra| extra.with("nonce", 7), "AUTHENTICATE.Extra: "),
        (
            |extra| {
                let nonce = extra.text("nonce").unwrap().to_owned();
                extra.with("nonce", format!("{nonce}="))
            },
            no_nonce,
        ),
        (
            |extra| extra.with("channel_binding", "tls-exporter"),
            other_binding,
        ),
        (|extra| extra.with("cbind_data", "AQID"), other_binding),
        (
            |extra| {
                extra
                    .with("channel_binding", "tls-unique")
                    .with("cbind_data", "AQID")
            },
            other_binding,
        ),
    ];
    let mut expected = vec![NO_FIT];
    for (wrong, why) in signatures {
        let (client, exchange) = asked(&router, "wamp-scram", "alice").await;
        let answer = authenticate(wrong(exchange.proof()), exchange.extra());
        assert_eq!(client.refused(&answer).await, refusal, "{why}");
        expected.push(why);
    }
    for (wrong, why) in extras {
        let (client, exchange) = asked(&router, "wamp-scram", "alice").await;
        let answer = authenticate(exchange.proof(), wrong(exchange.extra()));
        assert_eq!(client.refused(&answer).await, refusal, "{why}");
        expected.push(why);
    }
    let whys = router.whys(expected.len()).await;
    for (why, expected) in whys.iter().zip(expected) {
        assert!(
            why.starts_with(&format!("wamp-scram: {expected}")),
            "{why}, not {expected}"
        );
    }
    assert_logs_in(&router, "wamp-scram", "alice").await;
}

#[tokio::test]
async fn every_bad_hello_is_refused_alike_and_the_log_says_why() {
    let router = House::with_alice().start().await;
    for dialect in DIALECTS {
        let refusal = wrong_password(&router, dialect).await;
        let nonce = |nonce: &str| Dict::new().with("nonce", nonce);
        let binding = |name: &str| nonce(NONCE).with("channel_binding", name);
        let no_nonce = "authextra's `nonce` is not";
        let mut cases = vec![
            (Dict::new(), "authextra has no `nonce`"),
            (Dict::new().with("nonce", 7), "authextra: "),
            (nonce(""), no_nonce),
            (nonce("MDEy"), no_nonce),
            (nonce("MDEyMzQ1Njc4OWFiY2RlZg"), no_nonce),
            (nonce("MDEyMzQ1Njc4OWFiY2RlZg==,r=x"), no_nonce),
            (nonce(&"MDEy".repeat(2000)), no_nonce),
        ];
        // `scram` has none, so the wish is for another of the methods that a client announces.
        if dialect == "wamp-scram" {
            for name in ["tls-exporter", "tls-unique", ""] {
                cases.push((binding(name), "the client wants the channel binding"));
            }
        }
        let before = router.log.so_far().len();
        for (authextra, _) in &cases {
            let greeting = hello_with("realm1", dialect, "alice", authextra.clone());
            let client = Client::greet(&router, greeting).await;
            assert_eq!(client.refusal().await, refusal, "{authextra:?}");
        }
        let nameless = Client::greet(&router, hello("realm1", &[dialect], None)).await;
        assert_eq!(nameless.refusal().await, refusal);
        let whys = cases
            .iter()
            .map(|(_, why)| *why)
            .chain(["the client gave no authid"]);
        // The log is written before the client is told.
        let events = router.log.so_far();
        let refused = events[before..]
            .iter()
            .filter(|event| event.message() == "login refused");
        for (event, why) in refused.zip(whys) {
            let said = event.text("why");
            assert!(
                said.starts_with(&format!("{dialect}: {why}")),
                "{said}, not {why}"
            );
        }
    }
}

/// T21 and R24, as far as there is a way to take a credential away: replaced with the same password
/// or with another, or removed.
#[tokio::test]
async fn t21_r24_a_credential_that_changes_between_the_rounds_lets_nobody_in() {
    let house = House::new();
    for authid in ["same", "other", "gone", "alice"] {
        house.enrol("realm1", authid, PASSWORD, &PBKDF2);
    }
    let router = house.start().await;
    for dialect in DIALECTS {
        let refusal = wrong_password(&router, dialect).await;
        for authid in ["same", "other", "gone"] {
            let (client, exchange) = asked(&router, dialect, authid).await;
            match authid {
                "gone" => remove(&router.deployment, authid),
                "same" => enrol(&router.deployment, "realm1", authid, PASSWORD, &PBKDF2),
                _ => enrol(&router.deployment, "realm1", authid, "eraser", &PBKDF2),
            }
            assert_eq!(
                client.refused(&exchange.answer()).await,
                refusal,
                "{authid}"
            );
            // For the other dialect.
            enrol(&router.deployment, "realm1", authid, PASSWORD, &PBKDF2);
        }
    }
    for why in router.whys(8).await {
        assert!(why.ends_with(NO_FIT), "{why}");
    }
    assert_logs_in(&router, "scram", "gone").await;
}

/// The client knows its dialect by the step's name, so another name is the operator's mistake.
#[tokio::test]
async fn a_step_of_another_name_is_refused_and_the_log_says_what_to_do() {
    let house = House::with_alice();
    house.0.realm(
        "realm1",
        "roles = [\"user\"]\n[[login]]\nsteps = [\"password\"]\n\
         [method.password]\ncomponent = \"scram.wasm\"\n",
    );
    let router = house.start().await;
    let client = Client::greet(&router, greeting("password", "alice")).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    let [why] = &router.whys(1).await[..] else {
        panic!()
    };
    assert!(why.contains("call it `wamp-scram` or `scram`"), "{why}");
}
