//! What the methods `tls` and `peer` refuse, and by which of a realm's rules somebody comes in.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    process::{Command, Output, Stdio},
};

use countersign_tests::{Authority, Component, Deployment, Router};
use sha2::{Digest, Sha256};

const TLS: &str = "address = \"127.0.0.1:0\"\n[listener.tls]\ncertificate = \"router.pem\"\n\
                   key = \"router.key\"\nclient_roots = \"ca.pem\"\n";

/// A realm where this method, with these settings, is all that there is.
fn realm(method: &str, settings: &str) -> String {
    format!(
        "roles = [\"user\", \"admin\"]\n[[login]]\nsteps = [\"{method}\"]\n\
         [method.{method}.settings]\n{settings}\n"
    )
}

fn rules(rules: &[&str]) -> String {
    realm("tls", &format!("certificates = [{}]", rules.join(", ")))
}

/// A router that asks for certificates, with those of Alice, of Bob, and of somebody without names.
struct House {
    deployment: Deployment,
    /// The SHA-256 of Alice's certificate.
    fingerprint: String,
}

impl House {
    fn new() -> Self {
        let deployment = Deployment::bare();
        deployment.listener(TLS);
        for method in ["tls", "peer"] {
            deployment.component(method, &Component::method(method));
        }
        let authority = Authority::new();
        deployment.file("ca.pem", &authority.pem());
        authority.for_server().write(&deployment, "router");
        let alice = authority.for_client(&["alice@example.com", "ops@example.com"]);
        alice.write(&deployment, "alice");
        let bob = authority.for_client(&["bob@elsewhere.example"]);
        bob.write(&deployment, "bob");
        authority.for_client(&[]).write(&deployment, "nameless");
        let fingerprint = hex::encode(Sha256::digest(&alice.der));
        Self {
            deployment,
            fingerprint,
        }
    }
}

/// Logs in over TLS with somebody's certificate.
async fn with(router: &Router, who: &str, realm: &str, more: &[&str]) -> Output {
    let path = |file: String| router.deployment.path(&file);
    let mut command = Command::new(xtask::router().unwrap());
    command
        .arg("login")
        .arg(router.url().replacen("ws", "wss", 1))
        .args(["--realm", realm, "--method", "tls"])
        .args(more)
        .arg("--ca")
        .arg(path("ca.pem".to_owned()))
        .arg("--certificate")
        .arg(path(format!("{who}.pem")))
        .arg("--certificate-key")
        .arg(path(format!("{who}.key")))
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output.unwrap().unwrap()
}

fn assert_is(output: &Output, authid: &str, role: &str) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains(authid) && said.contains(role), "{said}");
}

#[tokio::test]
async fn the_first_rule_that_fits_decides_who_it_is() {
    let house = House::new();
    let by_fingerprint = format!(
        "{{ fingerprint = \"{}\", authid = \"first\", role = \"admin\" }}",
        house.fingerprint
    );
    let by_name = "{ name = \"email:*@example.com\", role = \"user\" }";
    let (first, second) = ("one", "two");
    // Two realms on one listener, each with rules of its own.
    for (realm, order) in [
        (first, [by_fingerprint.as_str(), by_name]),
        (second, [by_name, &by_fingerprint]),
    ] {
        house.deployment.realm(realm, &rules(&order));
    }
    let router = house.deployment.start().await;
    assert_is(&with(&router, "alice", first, &[]).await, "first", "admin");
    let alice = "alice@example.com";
    assert_is(&with(&router, "alice", second, &[]).await, alice, "user");
    for (asked, role) in [("first", "admin"), ("ops@example.com", "user")] {
        let more = ["--authid", asked];
        assert_is(&with(&router, "alice", first, &more).await, asked, role);
    }
}

/// R03: a certificate of the right authority is not yet one that a rule knows.
#[tokio::test]
async fn r03_another_valid_certificate_is_denied() {
    let house = House::new();
    let by_name = "{ name = \"email:*@example.com\", role = \"user\" }";
    house.deployment.realm("realm1", &rules(&[by_name]));
    let wrong_role = "{ name = \"email:*@example.com\", role = \"emperor\" }";
    house.deployment.realm("empire", &rules(&[wrong_role]));
    let router = house.deployment.start().await;
    for (who, more) in [
        ("bob", &[][..]),
        ("nameless", &[]),
        ("alice", &["--authid", "bob@elsewhere.example"]),
    ] {
        let output = with(&router, who, "realm1", more).await;
        assert_eq!(output.status.code(), Some(1), "{who}: {output:?}");
    }
    for why in router.whys(3).await {
        assert!(why.contains("no rule makes the certificate"), "{why}");
    }
    let output = with(&router, "alice", "empire", &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(router.whys(4).await[3].contains("emperor"));
    assert_is(
        &with(&router, "alice", "realm1", &[]).await,
        "alice@example.com",
        "user",
    );
}

#[tokio::test]
async fn a_process_that_no_rule_knows_is_denied() {
    let deployment = House::new().deployment;
    deployment.listener("address = \"unix:wamp.sock\"\n");
    let uid = fs::metadata("/proc/self").unwrap().uid();
    let other = uid + 1;
    let users = format!("users = [{{ uid = {other}, authid = \"other\", role = \"user\" }}]");
    deployment.realm("realm1", &realm("peer", &users));
    let users = format!("users = [{{ uid = {uid}, authid = \"me\", role = \"emperor\" }}]");
    deployment.realm("empire", &realm("peer", &users));
    let router = deployment.start().await;
    let socket = router.deployment.path("wamp.sock");
    for realm in ["realm1", "empire"] {
        let mut command = Command::new(xtask::router().unwrap());
        command
            .arg("login")
            .arg(format!("unix:{}", socket.display()))
            .args(["--realm", realm, "--method", "peer"]);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        assert_eq!(output.unwrap().unwrap().status.code(), Some(1));
    }
    let whys = router.whys(2).await;
    assert!(
        whys[0].contains(&format!("no rule makes the user {uid}")),
        "{whys:?}"
    );
    assert!(whys[1].contains("emperor"), "{whys:?}");
}

/// Told by `countersign check`, as a router that starts tells it.
#[tokio::test]
async fn settings_that_are_wrong_are_refused_with_what_is_wrong() {
    let deployment = House::new().deployment;
    for (realm, said) in [
        (rules(&[]), "`certificates` is empty"),
        (rules(&["{ role = \"user\" }"]), "rule 1 of `certificates`"),
        (
            rules(&["{ fingerprint = \"c0ffee\", authid = \"a\", role = \"user\" }"]),
            "is not the hex of a SHA-256",
        ),
        (
            rules(&["{ name = \"cn:alice\", role = \"user\" }"]),
            "is of the kind \"cn\"",
        ),
        (
            rules(&["{ name = \"dns:*\", role = \"user\" }"]),
            "can only stand",
        ),
        (
            rules(&["{ name = \"email:*@example.com\" }"]),
            "missing field `role`",
        ),
        (realm("peer", "users = []"), "`users` is empty"),
        (
            realm("peer", "users = [{ authid = \"a\", role = \"user\" }]"),
            "has neither `uid` nor `gid`",
        ),
        (
            realm(
                "peer",
                "users = [{ uid = -1, authid = \"a\", role = \"user\" }]",
            ),
            "`users[0].uid`",
        ),
        (realm("peer", "user = []"), "missing field `users`"),
    ] {
        deployment.realm("realm1", &realm);
        let (good, text) = deployment.check().await;
        assert!(!good && text.contains(said), "{said}: {text}");
    }
}
