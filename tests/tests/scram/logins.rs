//! Logins by both dialects, and by stock clients.

use std::{
    fs,
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{Client, Component, Job, Program, authenticate};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use xtask::Identity;

use crate::house::{
    ARGON2, DIALECTS, Exchange, House, NO_FIT, PASSWORD, PBKDF2, REALM, asked, assert_logs_in,
    assert_welcome, greeting,
};

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
