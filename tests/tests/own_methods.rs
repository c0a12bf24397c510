//! The examples in other languages: each is built, tried by its table as the router loads it, and logged
//! in by.

use countersign_tests::{Desk, OwnLogin, log_in};
use serde_json::{Value, json};
use xtask::Identity;

fn login(method: &str, answer: Value) -> OwnLogin<'_> {
    OwnLogin {
        method,
        authid: "alice",
        answer,
        authextra: Value::Null,
    }
}

const DENIED: &str = "wamp.error.authentication_denied";

#[tokio::test]
async fn a_code_of_the_list_is_good_once() {
    let (desk, name) = (Desk::new(), "one-time-codes");
    let component = desk.example(name).await;
    let deployment = desk.deploy(name, &component);
    deployment.enrol(&Identity {
        realm: "realm1",
        kind: "ticket",
        authid: "alice",
        role: "user",
        secret: "wonderland",
        options: &[],
    });
    let router = deployment.start().await;
    let logins = ["brave-otter", "brave-otter", "calm-heron"].map(|code| login(name, code.into()));
    let outcomes = log_in(router.url(), &logins).await;
    assert_eq!(outcomes[0]["authrole"], "user", "{outcomes:?}");
    assert_eq!(outcomes[1]["left"], DENIED, "{outcomes:?}");
    assert_eq!(outcomes[2]["authid"], "alice", "{outcomes:?}");
}

#[tokio::test]
async fn work_opens_the_door() {
    let (desk, name) = (Desk::new(), "proof-of-work");
    let component = desk.example(name).await;
    let router = desk.serve(name, &component).await;
    let logins = [
        login(name, json!({ "work": true })),
        login(name, "lazy".into()),
    ];
    let outcomes = log_in(router.url(), &logins).await;
    assert_eq!(outcomes[0]["authrole"], "guest", "{outcomes:?}");
    assert_eq!(outcomes[1]["left"], DENIED, "{outcomes:?}");
}

/// HMAC-SHA-256 of `alice.4102444800` under `ink and paper`.
const VOUCHER: &str =
    "alice.4102444800.afd554ae6b3e483abd761d4d808782fe12122c08f3da74d89ed6adf76c11f4dc";

#[tokio::test]
async fn a_voucher_of_the_office_is_taken() {
    let (desk, name) = (Desk::new(), "voucher");
    let component = desk.example(name).await;
    let deployment = desk.deploy(name, &component);
    deployment.enrol(&Identity {
        realm: "realm1",
        kind: "wampcra",
        authid: "office",
        role: "guest",
        secret: "ink and paper",
        options: &["--plain"],
    });
    let router = deployment.start().await;
    let forged = VOUCHER.replace("4102444800", "4102444801");
    let logins = [login(name, VOUCHER.into()), login(name, forged.into())];
    let outcomes = log_in(router.url(), &logins).await;
    assert_eq!(outcomes[0]["authid"], "alice", "{outcomes:?}");
    assert_eq!(outcomes[1]["left"], DENIED, "{outcomes:?}");
}

#[tokio::test]
async fn a_link_from_the_mail_is_good_once() {
    let (desk, name, secret) = (Desk::new(), "magic-link", "between site and router");
    let component = desk.example(name).await;
    desk.assert_passes(name).await;
    desk.assert_conforms(name).await;
    let deployment = desk.deploy(name, &component);
    for (kind, authid, secret, options) in [
        ("wampcra", "site", secret, &["--plain"][..]),
        ("ticket", "alice", "nobody knows it", &[]),
    ] {
        deployment.enrol(&Identity {
            realm: "realm1",
            kind,
            authid,
            role: "user",
            secret,
            options,
        });
    }
    let router = deployment.start().await;
    let earlier = desk.magic_link("alice", secret).await;
    let later = desk.magic_link("alice", secret).await;
    let forged = desk.magic_link("alice", "a guess").await;
    let logins = [forged, later.clone(), later, earlier].map(|link| login(name, link.into()));
    let outcomes = log_in(router.url(), &logins).await;
    assert_eq!(outcomes[0]["left"], DENIED, "{outcomes:?}");
    assert_eq!(outcomes[1]["authid"], "alice", "{outcomes:?}");
    assert_eq!(outcomes[1]["authrole"], "user", "{outcomes:?}");
    assert_eq!(outcomes[2]["left"], DENIED, "{outcomes:?}");
    assert_eq!(outcomes[3]["left"], DENIED, "{outcomes:?}");
}

#[tokio::test]
async fn whoever_is_on_the_same_machine_comes_in() {
    let (desk, name) = (Desk::new(), "same-machine");
    let component = desk.example(name).await;
    let router = desk.serve(name, &component).await;
    let outcome = log_in(router.url(), &[login(name, "".into())])
        .await
        .remove(0);
    assert_eq!(outcome["left"], "wamp.close.goodbye_and_out", "{outcome}");
    let record = router.log.message("logged in").await;
    assert_eq!(record.text("authid"), "neighbour", "{record}");
}
