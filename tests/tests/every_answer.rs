//! T01: whatever is wrong with a login, by whichever method, the client reads the same octets; the
//! operator reads what it was.

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign::{
    credential::scram::{Dialect, Kdf},
    wamp::{Dict, Message, Value, reason},
};
use countersign_tests::{
    Client, Component, Deployment, Refusal, Router, answer, code, hello, sign, wrong_code,
};
use ed25519_dalek::{Signer, SigningKey};
use xtask::Identity;

const SECRET: &str = "wonderland";
const WRONG: &str = "looking-glass";

/// `totp` proves nothing by itself, so it comes second in a realm of its own.
const REALM1: &str = r#"
roles = ["user"]
[[login]]
steps = ["ticket"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["cryptosign"]
[[login]]
steps = ["scram"]
[method]
ticket = { guesses = { most = 5, first_step = "counted" } }
wampcra = { guesses = { most = 5, first_step = "counted" } }
cryptosign = { guesses = { most = 5, first_step = "counted" } }
scram = { guesses = { most = 5, first_step = "counted" } }
"#;
const REALM2: &str = r#"
roles = ["user"]
[[login]]
steps = ["wampcra", "totp"]
[method.totp]
guesses = { most = 5 }
"#;

/// What a client may be whose answer is right, or would be.
const PEOPLE: [&str; 5] = ["alice", "disabled", "expired", "locked", "removed"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Ticket,
    Wampcra,
    Cryptosign,
    Scram,
    Totp,
}

const METHODS: [Method; 5] = [
    Method::Ticket,
    Method::Wampcra,
    Method::Cryptosign,
    Method::Scram,
    Method::Totp,
];

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Wampcra => "wampcra",
            Self::Cryptosign => "cryptosign",
            Self::Scram => "scram",
            Self::Totp => "totp",
        }
    }

    const fn realm(self) -> &'static str {
        match self {
            Self::Totp => "realm2",
            _ => "realm1",
        }
    }

    /// A client that has come as far as this method's question, and the answer of somebody who knows
    /// the secret, or another.
    async fn asked(self, router: &Router, authid: &str, is_right: bool) -> (Client, Message) {
        let secret = if is_right { SECRET } else { WRONG };
        let first = match self {
            Self::Totp => "wampcra",
            _ => self.name(),
        };
        let Message::Hello { realm, mut details } = hello(self.realm(), &[first], Some(authid))
        else {
            unreachable!()
        };
        let public = hex::encode(signer(secret));
        details.insert(
            "authextra",
            Dict::new().with("pubkey", public).with("nonce", NONCE),
        );
        let greeting = Message::Hello { realm, details };
        let (mut client, extra) = Client::challenged(router, greeting).await;
        let challenge = |extra: &Dict| Message::Challenge {
            method: first.into(),
            extra: extra.clone(),
        };
        let right = match self {
            Self::Ticket => answer(secret),
            Self::Wampcra => sign(&challenge(&extra), secret),
            Self::Cryptosign => signed(&extra, secret),
            Self::Scram => proof(&extra, authid, secret),
            Self::Totp => {
                client.send(&sign(&challenge(&extra), SECRET)).await;
                let second = client.receive().await;
                assert!(matches!(second, Message::Challenge { .. }), "{second:?}");
                answer(&if is_right { code(0) } else { wrong_code() })
            }
        };
        (client, right)
    }
}

fn signing_key(secret: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed[..secret.len()].copy_from_slice(secret.as_bytes());
    SigningKey::from_bytes(&seed)
}

fn signer(secret: &str) -> [u8; 32] {
    signing_key(secret).verifying_key().to_bytes()
}

fn signed(challenge: &Dict, secret: &str) -> Message {
    let text = challenge.text("challenge").unwrap();
    let signature = signing_key(secret)
        .sign(&hex::decode(text).unwrap())
        .to_bytes();
    answer(&format!("{}{text}", hex::encode(signature)))
}

/// The nonce of a client of `scram`.
const NONCE: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

fn proof(challenge: &Dict, authid: &str, secret: &str) -> Message {
    let [salt, nonce] = ["salt", "nonce"].map(|key| challenge.text(key).unwrap());
    let iterations = challenge
        .value("iterations")
        .and_then(Value::as_u64)
        .unwrap();
    let kdf = Kdf::Pbkdf2 {
        iterations: iterations.try_into().unwrap(),
    };
    let octets = BASE64_STANDARD.decode(salt).unwrap();
    let salted = kdf
        .salted_password(Dialect::Autobahn, secret, &octets)
        .unwrap();
    let message = format!("n={authid},r={NONCE},r={nonce},s={salt},i={iterations},c=,r={nonce}");
    answer(&BASE64_STANDARD.encode(salted.proof(message.as_bytes())))
}

fn house() -> Deployment {
    let house = Deployment::bare();
    house.realm("realm1", REALM1);
    house.realm("realm2", REALM2);
    for method in METHODS {
        house.component(method.name(), &Component::method(method.name()));
    }
    let public = hex::encode(signer(SECRET));
    for authid in PEOPLE {
        for (realm, kind, secret, options) in [
            ("realm1", "ticket", SECRET, &[][..]),
            ("realm1", "wampcra", SECRET, &["--plain"]),
            ("realm1", "cryptosign", &public, &[]),
            (
                "realm1",
                "scram",
                SECRET,
                &["--kdf", "pbkdf2", "--iterations", "4096"],
            ),
            ("realm2", "wampcra", SECRET, &["--plain"]),
        ] {
            house.enrol(&Identity {
                realm,
                kind,
                authid,
                role: "user",
                secret,
                options,
            });
        }
        house.enrol_app("realm2", authid, "user");
    }
    house
}

async fn operate(router: &Router, words: &str, method: Method, authid: &str) {
    let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
    let words = format!(
        "{verb} {} {} {authid} {rest}",
        method.realm(),
        method.name()
    );
    let (done, said) = router.deployment.credential(words.trim_end()).await;
    assert!(done, "{words}: {said}");
}

/// All that can be wrong with a login by a method: how each is refused.
async fn all_that_is_wrong(router: &Router, method: Method) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    // Nobody gets as far as a second step.
    let unknown = if method == Method::Totp {
        "alice"
    } else {
        "nobody"
    };
    let (client, wrong) = method.asked(router, unknown, false).await;
    refusals.push(client.refused(&wrong).await);
    let (client, wrong) = method.asked(router, "alice", false).await;
    refusals.push(client.refused(&wrong).await);

    for garbage in ["x".repeat(12_000), "\u{ff10}\u{0}\"{".to_owned()] {
        let (client, _) = method.asked(router, "alice", true).await;
        refusals.push(client.refused(&answer(&garbage)).await);
    }
    for (authid, words) in [("disabled", "disable"), ("expired", "expire 1ms")] {
        operate(router, words, method, authid).await;
        let (client, right) = method.asked(router, authid, true).await;
        refusals.push(client.refused(&right).await);
    }
    let (client, right) = method.asked(router, "removed", true).await;
    operate(router, "remove", method, "removed").await;
    refusals.push(client.refused(&right).await);

    for _ in 0..5 {
        let (client, wrong) = method.asked(router, "locked", false).await;
        refusals.push(client.refused(&wrong).await);
    }
    let (client, right) = method.asked(router, "locked", true).await;
    refusals.push(client.refused(&right).await);
    refusals
}

#[tokio::test]
async fn t01_t21_r24_whatever_is_wrong_the_client_is_told_the_same_and_the_log_knows() {
    let router = house().start().await;
    let mut refusals = Vec::new();
    let mut seen = 0;
    for method in METHODS {
        let name = method.name();
        let these = all_that_is_wrong(&router, method).await;
        seen += these.len();
        refusals.extend(these);
        let whys = router.whys(seen).await;
        let [
            unknown,
            wrong,
            oversized,
            malformed,
            disabled,
            expired,
            removed,
            ..,
            locked,
        ] = &whys[seen - 13..]
        else {
            panic!("{whys:?}")
        };
        for why in &whys[seen - 13..] {
            assert!(why.starts_with(&format!("{name}: ")), "{why}");
        }
        assert_eq!((unknown, removed), (wrong, wrong));
        for (why, authid) in [(disabled, "disabled"), (expired, "expired")] {
            let told = format!("{wrong} (the {name} credential of {authid} is {authid})");
            assert_eq!(*why, told);
        }
        for why in [oversized, malformed] {
            let is_told = method == Method::Ticket || method == Method::Totp || why != wrong;
            assert!(is_told, "{name}: {why}");
        }
        assert!(locked.contains("it is locked"), "{name}: {locked}");
    }
    assert_eq!(refusals[0].reason, reason::AUTHENTICATION_DENIED);
    for refusal in &refusals {
        assert_eq!(*refusal, refusals[0]);
    }
    // And nothing was wrong with these but what was made so.
    for method in METHODS {
        let (mut client, right) = method.asked(&router, "alice", true).await;
        client.send(&right).await;
        let welcome = client.receive().await;
        assert!(matches!(welcome, Message::Welcome { .. }), "{welcome:?}");
    }
}
