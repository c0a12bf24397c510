//! SCRAM in both of its dialects: `wamp-scram` as the specification has it, and `scram` as
//! autobahn-python speaks it.

use std::{
    fs,
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{
    credential::scram::{Dialect, Kdf, SaltedPassword},
    wamp::{Dict, Message, Value, reason},
};
use countersign_tests::{
    Client, Component, Deployment, Job, Program, Refusal, Router, authenticate, hello,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use xtask::Identity;

const PASSWORD: &str = "pencil";

/// The client's nonce: the same each time, since it is not the client's that makes an exchange
/// unique.
const NONCE: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

/// As cheap as a credential may be.
const ARGON2: [&str; 4] = ["--memory", "7168", "--iterations", "5"];
const PBKDF2: [&str; 4] = ["--kdf", "pbkdf2", "--iterations", "4096"];

const REALM: &str = r#"
roles = ["user"]

[[login]]
steps = ["wamp-scram"]

[[login]]
steps = ["scram"]

[method.wamp-scram]
component = "scram.wasm"
"#;

const DIALECTS: [&str; 2] = ["wamp-scram", "scram"];

/// A realm with SCRAM.
struct House(Deployment);

impl House {
    fn new() -> Self {
        let deployment = Deployment::bare();
        deployment.realm("realm1", REALM);
        deployment.component("scram", &Component::method("scram"));
        Self(deployment)
    }

    fn with_alice() -> Self {
        let house = Self::new();
        house.enrol("realm1", "alice", PASSWORD, &PBKDF2);
        house
    }

    fn enrol(&self, realm: &str, authid: &str, secret: &str, options: &[&str]) {
        enrol(&self.0, realm, authid, secret, options);
    }

    async fn start(self) -> Router {
        self.0.start().await
    }
}

fn enrol(deployment: &Deployment, realm: &str, authid: &str, secret: &str, options: &[&str]) {
    deployment.enrol(&Identity {
        realm,
        kind: "scram",
        authid,
        role: "user",
        secret,
        options,
    });
}

/// A HELLO for SCRAM, with this in its authextra.
fn hello_with(realm: &str, dialect: &str, authid: &str, authextra: Dict) -> Message {
    let Message::Hello { realm, mut details } = hello(realm, &[dialect], Some(authid)) else {
        unreachable!()
    };
    details.insert("authextra", authextra);
    Message::Hello { realm, details }
}

fn greeting(dialect: &str, authid: &str) -> Message {
    let authextra = Dict::new().with("nonce", NONCE);
    hello_with("realm1", dialect, authid, authextra)
}

/// A client's side of an exchange.
struct Exchange {
    salted: SaltedPassword,
    message: String,
    dialect: Dialect,
    nonce: String,
}

impl Exchange {
    fn new(dialect: &str, name: &str, password: &str, challenge: &Dict) -> Self {
        let text = |key| challenge.text(key).expect("a text");
        let number = |key| {
            let value = challenge.value(key).and_then(Value::as_u64);
            u32::try_from(value.expect("a number")).unwrap()
        };
        let iterations = number("iterations");
        let kdf = match text("kdf") {
            "pbkdf2" => Kdf::Pbkdf2 { iterations },
            "argon2id13" | "argon2id-13" => Kdf::Argon2id13 {
                iterations,
                memory: number("memory"),
            },
            other => panic!("{other}"),
        };
        let (dialect, binding) = match dialect {
            "scram" => (Dialect::Autobahn, ""),
            _ => (Dialect::Wamp, "biws"),
        };
        let (salt, nonce) = (text("salt"), text("nonce"));
        assert!(nonce.starts_with(NONCE) && nonce.len() > NONCE.len() + 40);
        let octets = BASE64_STANDARD.decode(salt).unwrap();
        Self {
            salted: kdf.salted_password(dialect, password, &octets).unwrap(),
            message: format!(
                "n={name},r={NONCE},r={nonce},s={salt},i={iterations},c={binding},r={nonce}"
            ),
            dialect,
            nonce: nonce.to_owned(),
        }
    }

    fn proof(&self) -> String {
        BASE64_STANDARD.encode(self.salted.proof(self.message.as_bytes()))
    }

    fn extra(&self) -> Dict {
        match self.dialect {
            Dialect::Wamp => Dict::new()
                .with("nonce", &*self.nonce)
                .with("channel_binding", Value::Null)
                .with("cbind_data", Value::Null),
            Dialect::Autobahn => Dict::new(),
        }
    }

    fn answer(&self) -> Message {
        authenticate(self.proof(), self.extra())
    }

    /// What WELCOME must have in its authextra.
    fn in_return(&self) -> Dict {
        let signature = self.salted.server_signature(self.message.as_bytes());
        let member = match self.dialect {
            Dialect::Wamp => "verifier",
            Dialect::Autobahn => "scram_server_signature",
        };
        Dict::new().with(member, BASE64_STANDARD.encode(signature))
    }
}

/// Somebody who has been asked, and who knows the password.
async fn asked(router: &Router, dialect: &str, authid: &str) -> (Client, Exchange) {
    let (client, challenge) = Client::challenged(router, greeting(dialect, authid)).await;
    let exchange = Exchange::new(dialect, authid, PASSWORD, &challenge);
    (client, exchange)
}

#[track_caller]
fn assert_welcome(message: &Message, dialect: &str, authid: &str, authextra: &Dict) {
    let Message::Welcome { details, .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(details.text("authid"), Some(authid));
    assert_eq!(details.text("authrole"), Some("user"));
    assert_eq!(details.text("authmethod"), Some(dialect));
    let expected = Value::Dict(authextra.clone());
    assert_eq!(details.value("authextra"), Some(&expected));
}

async fn assert_logs_in(router: &Router, dialect: &str, authid: &str) {
    let (mut client, exchange) = asked(router, dialect, authid).await;
    client.send(&exchange.answer()).await;
    let welcome = client.receive().await;
    assert_welcome(&welcome, dialect, authid, &exchange.in_return());
}

/// How a wrong password is refused: so is everything.
async fn wrong_password(router: &Router, dialect: &str) -> Refusal {
    let (client, challenge) = Client::challenged(router, greeting(dialect, "alice")).await;
    let exchange = Exchange::new(dialect, "alice", "pencils", &challenge);
    let refusal = client.refused(&exchange.answer()).await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    refusal
}

const NO_FIT: &str = "the proof does not fit";

#[tokio::test]
async fn both_dialects_log_in_with_both_functions_and_the_router_proves_itself() {
    for options in [ARGON2, PBKDF2] {
        let house = House::new();
        house.enrol("realm1", "alice", PASSWORD, &options);
        let router = house.start().await;
        for dialect in DIALECTS {
            assert_logs_in(&router, dialect, "alice").await;
        }
    }
}

/// What the specification prepares, escapes and puts in; and autobahn does not.
#[tokio::test]
async fn names_and_passwords_are_prepared_as_each_dialect_does() {
    let house = House::new();
    let (authid, password) = ("a=1,\u{aa}", "p\u{ad}encil");
    house.enrol("realm1", authid, password, &PBKDF2);
    let router = house.start().await;
    for (dialect, name, typed) in [
        ("wamp-scram", "a=3D1=2Ca", "pencil"),
        ("scram", "a=1,a", password),
    ] {
        let (mut client, challenge) = Client::challenged(&router, greeting(dialect, authid)).await;
        let exchange = Exchange::new(dialect, name, typed, &challenge);
        client.send(&exchange.answer()).await;
        let welcome = client.receive().await;
        assert_welcome(&welcome, dialect, authid, &exchange.in_return());
    }
}

const fn job<'a>(serializer: &'a str, secret: &'a str) -> Job<'a> {
    Job {
        scenario: "idle",
        method: "scram",
        serializer,
        authid: "alice",
        secret,
    }
}

/// It checks the router's signature before it takes the session.
#[tokio::test]
async fn autobahn_python_logs_in_with_argon2id() {
    let house = House::new();
    house.enrol("realm1", "alice", PASSWORD, &ARGON2);
    let router = house.start().await;
    for serializer in ["json", "msgpack", "cbor"] {
        let mut client = Program::AutobahnPython.start(&router, &[job(serializer, PASSWORD)]);
        assert_eq!(
            client.line().await,
            json!({ "ready": true }),
            "{serializer}"
        );
    }
    let wrong = Program::AutobahnPython
        .run(&router, &[job("json", "pencils")])
        .await
        .remove(0);
    assert_eq!(wrong["left"], reason::AUTHENTICATION_DENIED, "{wrong}");
    assert_eq!(router.whys(1).await, [format!("scram: {NO_FIT}")]);
}

/// The client's own defect, of which docs/methods/scram.md speaks: it hands the salt to PBKDF2 as
/// text. When this fails, it is mended.
#[tokio::test]
async fn autobahn_python_cannot_do_pbkdf2() {
    let router = House::with_alice().start().await;
    let outcome = Program::AutobahnPython
        .run(&router, &[job("json", PASSWORD)])
        .await
        .remove(0);
    assert_eq!(outcome["welcome"], json!(null), "{outcome}");
    assert_eq!(
        outcome["left"], "wamp.error.cannot_authenticate",
        "{outcome}"
    );
}

#[tokio::test]
async fn our_own_client_logs_in_by_both_dialects() {
    let house = House::with_alice();
    let right = house.0.path("right.txt");
    fs::write(&right, format!("{PASSWORD}\n")).unwrap();
    let wrong = house.0.path("wrong.txt");
    fs::write(&wrong, "pencils\n").unwrap();
    let router = house.start().await;
    for dialect in DIALECTS {
        for (input, status) in [(&right, 0), (&wrong, 1)] {
            let mut command = Command::new(xtask::router().unwrap());
            command
                .args(["login", "--realm", "realm1", "--authid", "alice"])
                .args(["--method", dialect, router.url()])
                .stdin(fs::File::open(input).unwrap());
            let output = tokio::task::spawn_blocking(move || command.output()).await;
            let output = output.unwrap().unwrap();
            assert_eq!(output.status.code(), Some(status), "{dialect}: {output:?}");
        }
    }
}

/// Everybody's seed, and how long its codes last in seconds: no test gets near the end of that.
const SEED: &[u8; 20] = b"12345678901234567890";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const PERIOD: u64 = 300;

fn code() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut hmac = Hmac::<Sha1>::new_from_slice(SEED).unwrap();
    hmac.update(&(now.as_secs() / PERIOD).to_be_bytes());
    let tag = hmac.finalize().into_bytes();
    let offset = usize::from(tag[19] & 0xf);
    let octets = tag[offset..offset + 4].try_into().unwrap();
    let number = (u32::from_be_bytes(octets) & 0x7fff_ffff) % 1_000_000;
    format!("{number:06}")
}

/// A realm where a code comes after the password.
fn two_factors() -> House {
    let house = House::new();
    let steps = |first| format!("[[login]]\nsteps = [\"{first}\", \"totp\"]\n");
    let realm = REALM
        .replace(
            "[[login]]\nsteps = [\"wamp-scram\"]\n",
            &steps("wamp-scram"),
        )
        .replace("[[login]]\nsteps = [\"scram\"]\n", &steps("scram"));
    house.0.realm("realm1", &realm);
    house.0.component("totp", &Component::method("totp"));
    for authid in ["alice", "bob"] {
        house.enrol("realm1", authid, PASSWORD, &ARGON2);
        house.0.enrol(&Identity {
            realm: "realm1",
            kind: "totp",
            authid,
            role: "user",
            secret: BASE32,
            options: &["--import", "--period", &PERIOD.to_string()],
        });
    }
    house
}

#[tokio::test]
async fn the_routers_signature_arrives_although_a_code_was_asked_for_after_it() {
    let router = two_factors().start().await;
    for (dialect, authid) in DIALECTS.into_iter().zip(["alice", "bob"]) {
        let (mut client, exchange) = asked(&router, dialect, authid).await;
        client.send(&exchange.answer()).await;
        let Message::Challenge { method, .. } = client.receive().await else {
            panic!("nobody asks for a code")
        };
        assert_eq!(method, "totp");
        client.send(&authenticate(code(), Dict::new())).await;
        let welcome = client.receive().await;
        assert_welcome(&welcome, dialect, authid, &exchange.in_return());
    }
}

#[tokio::test]
async fn autobahn_python_logs_in_by_scram_and_a_code() {
    let router = two_factors().start().await;
    let login = json!({ "authid": "alice", "secret": PASSWORD, "code": code() });
    let order = json!({ "url": router.url(), "logins": [login] }).to_string();
    let program = xtask::root().join("tests/clients/scram_autobahn_python.py");
    let mut command = xtask::python_clients().unwrap().command(&program);
    command.arg(order).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.unwrap().unwrap();
    let outcome: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(outcome["asked"], json!(["scram", "totp"]), "{outcome}");
    assert_eq!(outcome["router_is_genuine"], true, "{outcome}");
    assert_eq!(outcome["authid"], "alice", "{outcome}");
    assert_eq!(outcome["authmethod"], "scram", "{outcome}");
}

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

fn remove(deployment: &Deployment, authid: &str) {
    let output = Command::new(xtask::router().unwrap())
        .args(["credential", "remove", "--config"])
        .arg(deployment.config())
        .args(["realm1", "scram", authid])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
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
