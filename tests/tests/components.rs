//! Components that are not fit for use: each is refused, the log says what is wrong with it, and the
//! one before goes on.

use countersign::wamp::reason;
use countersign_tests::{Client, Component, Deployment, hello};

const REALM: &str = r#"
roles = ["guest"]
[[login]]
steps = ["anonymous"]
"#;

/// Puts a component in the place of a good one.
async fn assert_refused(component: &Component, complaint: &str) {
    assert_refused_in(REALM, component, complaint).await;
}

async fn assert_refused_in(realm: &str, component: &Component, complaint: &str) {
    let deployment = Deployment::bare();
    deployment.realm("realm1", realm);
    deployment.component("anonymous", &Component::method("anonymous"));
    let router = deployment.start().await;
    router.deployment.component("anonymous", component);

    let line = router
        .log
        .mention("not reloaded, the generation before goes on")
        .await;
    assert!(line.message().contains("methods/anonymous.wasm"), "{line}");
    assert!(
        line.message().contains(complaint),
        "{line} does not say {complaint:?}"
    );
    Client::join(&router, "realm1").await;
    let record = router.log.message("logged in").await;
    assert_eq!(record.number("generation"), Some(1));

    // And a good one is taken after it.
    router
        .deployment
        .component("anonymous", &Component::method("anonymous").remarked("new"));
    router.log.generation("realm1", 2).await;
}

#[tokio::test]
async fn a_truncated_component() {
    let whole = Component::method("anonymous");
    let half = &whole.octets()[..whole.octets().len() / 2];
    assert_refused(&Component::new(half), "it does not compile").await;
    assert_refused(&Component::new([]), "it is empty").await;
}

#[tokio::test]
async fn garbage() {
    assert_refused(
        &Component::new(*b"#!/bin/sh\n"),
        "it is not a WebAssembly component",
    )
    .await;
    let flipped = Component::method("anonymous").with(b"\0asm\x0d\0\x01\0", b"\0asm\x0d\0\x09\0");
    assert_refused(&flipped, "it is not a WebAssembly component").await;
}

#[tokio::test]
async fn a_core_module() {
    let module = Component::new(*b"\0asm\x01\0\0\0");
    assert_refused(&module, "it is a core WebAssembly module, not a component").await;
}

#[tokio::test]
async fn a_component_of_another_world() {
    let empty = Component::new(*b"\0asm\x0d\0\x01\0");
    assert_refused(
        &empty,
        "it does not implement the world countersign:auth/authenticator",
    )
    .await;
}

#[tokio::test]
async fn a_component_that_traps_when_asked_who_it_is() {
    let trap = Component::guest("trap");
    assert_refused(&trap, "asked to describe itself, it failed").await;
}

#[tokio::test]
async fn an_import_that_the_realm_does_not_grant() {
    let fetcher = Component::guest("fetcher");
    assert_refused(
        &fetcher,
        "it imports countersign:auth/http@0.1.0, which the",
    )
    .await;
}

#[tokio::test]
async fn an_import_that_nobody_grants() {
    let stranger = Component::guest("curious").with_all(b"wasi:sockets/tcp@", b"wasi:sockets/tcq@");
    assert_refused(&stranger, "it imports wasi:sockets/tcq@0.2").await;
}

/// What some languages import for every component is there, and opens nothing.
#[tokio::test]
async fn a_socket_is_nobodys() {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    deployment.component("anonymous", &Component::guest("curious"));
    let router = deployment.start().await;
    let client = Client::greet(&router, hello("realm1", &["anonymous"], None)).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    let [why] = &router.whys(1).await[..] else {
        panic!()
    };
    let expected = "it called create-tcp-socket of wasi:sockets/tcp-create-socket@0.2";
    assert!(why.contains(expected), "{why}");
    assert!(why.contains("there are no sockets for methods"), "{why}");
}
