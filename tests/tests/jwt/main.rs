//! Logging in by somebody else's token: keys in a file and at an address, what is refused, and when
//! a session ends.

use std::{
    fs,
    process::{Command, Stdio},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign::wamp::{Dict, Message, Value as Wamp, reason};
use countersign_tests::{Client, Component, Deployment, Reply, Router, Service, answer, hello};
use ed25519_dalek::{Signer, SigningKey};
use parking_lot::Mutex;
use serde_json::{Value, json};

mod key_sets;

const ISSUER: &str = "https://id.example.com";

/// A realm whose keys are where `key_set` says.
fn realm(audience: &str, key_set: &str) -> String {
    format!(
        r#"
roles = ["user", "admin"]
[[login]]
steps = ["jwt"]
[key_set.id]
{key_set}
[method.jwt]
imports = ["key-sets", "wasi"]
[method.jwt.settings]
issuer = "{ISSUER}"
audience = "{audience}"
keys = "id"
role = "user"
roles = [{{ claim = ["realm_access", "roles"], value = "root", role = "admin" }}]
"#
    )
}

/// A key of the issuer's.
struct Key {
    kid: &'static str,
    key: SigningKey,
}

impl Key {
    fn new(kid: &'static str) -> Self {
        let mut seed = [7; 32];
        seed.iter_mut()
            .zip(kid.bytes())
            .for_each(|(to, from)| *to = from);
        let key = SigningKey::from_bytes(&seed);
        Self { kid, key }
    }

    fn jwk(&self) -> Value {
        let point = BASE64_URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": point })
    }

    /// A token for an hour, but for these claims; null leaves one out.
    fn token(&self, different: &Value) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": "acme", "sub": "alice", "exp": in_seconds(3600),
        });
        for (name, value) in different.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.kid });
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn key_set(keys: &[&Key]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

fn in_seconds(seconds: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().saturating_add_signed(seconds)
}

/// A router with one realm, whose keys are in a file.
fn with_file(keys: &Value) -> Deployment {
    let deployment = Deployment::bare();
    deployment.component("jwt", &Component::method("jwt"));
    write_keys(&deployment, keys);
    deployment.realm("realm1", &realm("acme", "file = \"id.jwks\""));
    deployment
}

fn write_keys(deployment: &Deployment, keys: &Value) {
    let file = deployment.path("realms/id.jwks");
    xtask::put(&file, keys.to_string().as_bytes()).unwrap();
}

/// A router with one realm, whose keys are at an issuer's on this machine.
fn with_issuer(issuer: &Service, times: &str) -> Deployment {
    let deployment = Deployment::bare();
    let origin = issuer.origin();
    deployment.operator(&format!(
        "[egress]\norigins = [\"{origin}\"]\nnetworks = [\"127.0.0.1\"]\ntime = \"500ms\"\n"
    ));
    deployment.component("jwt", &Component::method("jwt"));
    let key_set = format!("url = \"{origin}/keys\"\n{times}");
    deployment.realm("realm1", &realm("acme", &key_set));
    deployment
}

/// The first word of the router to a token that is sent in HELLO.
async fn by_hello(router: &Router, realm: &str, token: &str) -> (Client, Message) {
    let authextra = Dict::new().with("token", token);
    let mut client = Client::greet(router, hello_with(realm, authextra)).await;
    let word = client.receive().await;
    (client, word)
}

fn hello_with(realm: &str, authextra: impl Into<Wamp>) -> Message {
    let Message::Hello { realm, mut details } = hello(realm, &["jwt"], None) else {
        unreachable!()
    };
    details.insert("authextra", authextra);
    Message::Hello { realm, details }
}

/// Sends the token as the answer to a challenge, and waits for the refusal.
async fn refused(router: &Router, authid: Option<&str>, token: &str) -> bytes::Bytes {
    let mut client = Client::greet(router, hello("realm1", &["jwt"], authid)).await;
    let challenge = client.receive().await;
    assert!(
        matches!(challenge, Message::Challenge { .. }),
        "{challenge:?}"
    );
    client.send(&answer(token)).await;
    client.refusal().await.octets
}

#[track_caller]
fn assert_welcome(message: &Message, authid: &str, authrole: &str) {
    let Message::Welcome { details, .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(details.text("authid"), Some(authid));
    assert_eq!(details.text("authrole"), Some(authrole));
    assert_eq!(details.text("authmethod"), Some("jwt"));
    assert_eq!(details.text("authprovider"), Some(ISSUER));
}

#[track_caller]
fn assert_denied(message: &Message) {
    let Message::Abort { reason, .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(reason, reason::AUTHENTICATION_DENIED);
}

#[tokio::test]
async fn a_token_logs_in_by_one_round_and_by_two() {
    let key = Key::new("a");
    let router = with_file(&key_set(&[&key])).start().await;
    let (_, word) = by_hello(&router, "realm1", &key.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");

    let root = key.token(&json!({ "sub": "bob", "realm_access": { "roles": ["root"] } }));
    let mut client = Client::greet(&router, hello("realm1", &["jwt"], Some("bob"))).await;
    let Message::Challenge { method, extra } = client.receive().await else {
        panic!("no challenge")
    };
    assert_eq!((&*method, extra), ("jwt", Dict::new()));
    client.send(&answer(&root)).await;
    assert_welcome(&client.receive().await, "bob", "admin");
}

#[tokio::test]
async fn a_session_ends_when_its_token_does() {
    let key = Key::new("a");
    let router = with_file(&key_set(&[&key])).start().await;
    // It may take the router a while to get to it.
    let token = key.token(&json!({ "exp": in_seconds(5) }));
    let (mut client, word) = by_hello(&router, "realm1", &token).await;
    assert_welcome(&word, "alice", "user");
    let Message::Goodbye { reason, .. } = client.receive().await else {
        panic!("no GOODBYE")
    };
    assert_eq!(reason, reason::CLOSE_EXPIRED);
    // And it opens nothing any more.
    let (_, word) = by_hello(&router, "realm1", &token).await;
    assert_denied(&word);
    assert_eq!(router.whys(1).await, ["jwt: the token has expired"]);
}

#[tokio::test]
async fn t14_every_bad_token_is_the_same_to_the_client_and_explained_in_the_log() {
    let (key, foreign) = (Key::new("a"), Key::new("b"));
    let router = with_file(&key_set(&[&key])).start().await;
    let good = key.token(&json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    let with_header = |header: Value| format!("{}.{claims}.AAAA", encoded(&header));
    let cases = [
        (None, String::new(), "the token is not three pieces"),
        (None, "x".repeat(9000), "the token has 9000 octets"),
        (None, format!("{signed}."), "the token's signature is wrong"),
        (
            None,
            with_header(json!({ "alg": "none", "kid": "a" })),
            "the token's algorithm is",
        ),
        (
            None,
            with_header(json!({ "alg": "HS256", "kid": "a" })),
            "the token's algorithm is",
        ),
        (
            None,
            with_header(json!({ "alg": "ES256", "kid": "a" })),
            "the token says ES256",
        ),
        (None, foreign.token(&json!({})), "the key set has no key"),
        (
            None,
            key.token(&json!({ "iss": "https://evil.example" })),
            "the token is from another issuer",
        ),
        (
            None,
            key.token(&json!({ "aud": "umbrella" })),
            "the token is for another audience",
        ),
        (
            None,
            key.token(&json!({ "exp": null })),
            "the token does not say when it expires",
        ),
        (
            None,
            key.token(&json!({ "exp": in_seconds(-1) })),
            "the token has expired",
        ),
        (
            None,
            key.token(&json!({ "nbf": in_seconds(300) })),
            "the token is not good yet",
        ),
        (
            None,
            key.token(&json!({ "sub": null })),
            "the token has no claim",
        ),
        (
            Some("bob"),
            good.clone(),
            "the token is \"alice\"'s, and the client says it is \"bob\"",
        ),
        (Some("nobody"), good.clone(), "the token is \"alice\"'s"),
    ];
    let mut octets = Vec::new();
    for (authid, token, _) in &cases {
        octets.push(refused(&router, *authid, token).await);
    }
    assert!(octets.windows(2).all(|two| two[0] == two[1]));
    for (why, (_, _, expected)) in router.whys(cases.len()).await.iter().zip(&cases) {
        assert!(why.starts_with(&format!("jwt: {expected}")), "{why}");
        assert!(!why.contains(claims), "the token is in the log: {why}");
    }
    // What is in HELLO is taken as it is.
    for authextra in [Dict::new().with("token", 1), Dict::new().with("token", "x")] {
        let client = Client::greet(&router, hello_with("realm1", authextra)).await;
        assert_eq!(client.refusal().await.octets, octets[0]);
    }
}

#[tokio::test]
async fn t14_a_token_for_one_realm_is_none_for_another() {
    let key = Key::new("a");
    let deployment = with_file(&key_set(&[&key]));
    deployment.realm("umbrella", &realm("umbrella", "file = \"id.jwks\""));
    let router = deployment.start().await;
    for (audience, realm, good) in [
        (json!("acme"), "realm1", true),
        (json!("acme"), "umbrella", false),
        (json!("umbrella"), "umbrella", true),
        (json!("umbrella"), "realm1", false),
        (json!(["acme", "umbrella"]), "umbrella", true),
    ] {
        let token = key.token(&json!({ "aud": audience }));
        let (_, word) = by_hello(&router, realm, &token).await;
        if good {
            assert_welcome(&word, "alice", "user");
        } else {
            assert_denied(&word);
        }
    }
}

/// A program of `tests/clients`, with this as its argument. Returns what it prints, line by line.
async fn python(name: &str, order: Value) -> Vec<Value> {
    let file = xtask::root().join("tests/clients").join(name);
    let mut command: Command = xtask::python_clients().unwrap().command(&file);
    command.arg(order.to_string()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.unwrap().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = str::from_utf8(&output.stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Tokens by another library, in each algorithm; RSA with 2048 and with 4096 bits.
#[tokio::test]
async fn autobahn_python_logs_in_by_tokens_of_pyjwt() {
    let order = json!({
        "algorithms": ["RS256", "PS256", "ES256", "EdDSA"], "lifetime": 3600,
        "claims": { "iss": ISSUER, "aud": ["other", "acme"], "sub": "alice" },
    });
    let issued = python("jwt_issuer.py", order).await.remove(0);
    let router = with_file(&issued["jwks"]).start().await;
    let tokens = issued["tokens"].as_array().unwrap();
    let mut logins = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        for form in ["rounds", "hello"] {
            let serializer = ["json", "msgpack", "cbor"][number % 3];
            logins.push(json!({ "form": form, "serializer": serializer, "token": token["token"] }));
        }
    }
    let order = json!({ "url": router.url(), "logins": logins });
    let outcomes = python("jwt_autobahn_python.py", order).await;
    assert_eq!(outcomes.len(), 8);
    for (login, outcome) in logins.iter().zip(outcomes) {
        let asked = if login["form"] == "rounds" {
            json!(["jwt"])
        } else {
            json!([])
        };
        let expected = json!({
            "asked": asked, "authid": "alice", "authrole": "user", "authmethod": "jwt",
            "authprovider": ISSUER, "left": "wamp.close.goodbye_and_out",
        });
        assert_eq!(outcome, expected, "{login}");
    }
}
