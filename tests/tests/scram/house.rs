//! A realm with both dialects, and a client that speaks them.

use std::process::Command;

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{
    credential::scram::{Dialect, Kdf, SaltedPassword},
    wamp::{Dict, Message, Value, reason},
};
use countersign_tests::{Client, Component, Deployment, Refusal, Router, authenticate, hello};
use xtask::Identity;

pub const PASSWORD: &str = "pencil";

/// The client's nonce: the same each time, since it is not the client's that makes an exchange
/// unique.
pub const NONCE: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

/// As cheap as a credential may be.
pub const ARGON2: [&str; 4] = ["--memory", "7168", "--iterations", "5"];

pub const PBKDF2: [&str; 4] = ["--kdf", "pbkdf2", "--iterations", "4096"];

pub const REALM: &str = r#"
roles = ["user"]

[[login]]
steps = ["wamp-scram"]

[[login]]
steps = ["scram"]

[method.wamp-scram]
component = "scram.wasm"
"#;

pub const DIALECTS: [&str; 2] = ["wamp-scram", "scram"];

/// A realm with SCRAM.
pub struct House(pub Deployment);

impl House {
    pub fn new() -> Self {
        let deployment = Deployment::bare();
        deployment.realm("realm1", REALM);
        deployment.component("scram", &Component::method("scram"));
        Self(deployment)
    }

    pub fn with_alice() -> Self {
        let house = Self::new();
        house.enrol("realm1", "alice", PASSWORD, &PBKDF2);
        house
    }

    pub fn enrol(&self, realm: &str, authid: &str, secret: &str, options: &[&str]) {
        enrol(&self.0, realm, authid, secret, options);
    }

    pub async fn start(self) -> Router {
        self.0.start().await
    }
}

pub fn enrol(deployment: &Deployment, realm: &str, authid: &str, secret: &str, options: &[&str]) {
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
pub fn hello_with(realm: &str, dialect: &str, authid: &str, authextra: Dict) -> Message {
    let Message::Hello { realm, mut details } = hello(realm, &[dialect], Some(authid)) else {
        unreachable!()
    };
    details.insert("authextra", authextra);
    Message::Hello { realm, details }
}

pub fn greeting(dialect: &str, authid: &str) -> Message {
    let authextra = Dict::new().with("nonce", NONCE);
    hello_with("realm1", dialect, authid, authextra)
}

/// A client's side of an exchange.
pub struct Exchange {
    pub salted: SaltedPassword,
    pub message: String,
    pub dialect: Dialect,
    pub nonce: String,
}

impl Exchange {
    pub fn new(dialect: &str, name: &str, password: &str, challenge: &Dict) -> Self {
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

    pub fn proof(&self) -> String {
        BASE64_STANDARD.encode(self.salted.proof(self.message.as_bytes()))
    }

    pub fn extra(&self) -> Dict {
        match self.dialect {
            Dialect::Wamp => Dict::new()
                .with("nonce", &*self.nonce)
                .with("channel_binding", Value::Null)
                .with("cbind_data", Value::Null),
            Dialect::Autobahn => Dict::new(),
        }
    }

    pub fn answer(&self) -> Message {
        authenticate(self.proof(), self.extra())
    }

    /// What WELCOME must have in its authextra.
    pub fn in_return(&self) -> Dict {
        let signature = self.salted.server_signature(self.message.as_bytes());
        let member = match self.dialect {
            Dialect::Wamp => "verifier",
            Dialect::Autobahn => "scram_server_signature",
        };
        Dict::new().with(member, BASE64_STANDARD.encode(signature))
    }
}

/// Somebody who has been asked, and who knows the password.
pub async fn asked(router: &Router, dialect: &str, authid: &str) -> (Client, Exchange) {
    let (client, challenge) = Client::challenged(router, greeting(dialect, authid)).await;
    let exchange = Exchange::new(dialect, authid, PASSWORD, &challenge);
    (client, exchange)
}

#[track_caller]
pub fn assert_welcome(message: &Message, dialect: &str, authid: &str, authextra: &Dict) {
    let Message::Welcome { details, .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(details.text("authid"), Some(authid));
    assert_eq!(details.text("authrole"), Some("user"));
    assert_eq!(details.text("authmethod"), Some(dialect));
    let expected = Value::Dict(authextra.clone());
    assert_eq!(details.value("authextra"), Some(&expected));
}

pub async fn assert_logs_in(router: &Router, dialect: &str, authid: &str) {
    let (mut client, exchange) = asked(router, dialect, authid).await;
    client.send(&exchange.answer()).await;
    let welcome = client.receive().await;
    assert_welcome(&welcome, dialect, authid, &exchange.in_return());
}

/// How a wrong password is refused: so is everything.
pub async fn wrong_password(router: &Router, dialect: &str) -> Refusal {
    let (client, challenge) = Client::challenged(router, greeting(dialect, "alice")).await;
    let exchange = Exchange::new(dialect, "alice", "pencils", &challenge);
    let refusal = client.refused(&exchange.answer()).await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    refusal
}

pub const NO_FIT: &str = "the proof does not fit";

pub fn remove(deployment: &Deployment, authid: &str) {
    let output = Command::new(xtask::router().unwrap())
        .args(["credential", "remove", "--config"])
        .arg(deployment.config())
        .args(["realm1", "scram", authid])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
