//! Where requests may go.

use countersign::wamp::reason;
use countersign_tests::{Client, Component, Deployment, Service, hello};

use crate::house::{
    LOOPBACK, PASSWORD, accept, assert_welcome, ceiling, deployment, passwords, realm, refused,
};

/// Runs a router, and returns what keeps its realm out.
async fn kept_out(deployment: Deployment) -> String {
    let (is_good, _) = deployment.check().await;
    assert!(!is_good, "the check finds it, too");
    let router = deployment.start().await;
    let line = router.log.mention("the realm stays out").await;
    line.message().to_owned()
}

#[tokio::test]
async fn an_origin_that_the_operator_does_not_allow_keeps_the_realm_out() {
    let service = Service::start(passwords).await;
    for (operator, expected) in [
        (
            String::new(),
            "which the operator does not allow: add it to \"origins\" under [egress]",
        ),
        (
            ceiling("https://auth.example.com", LOOPBACK),
            "which the operator does not allow: add it to \"origins\"",
        ),
        (
            ceiling(&service.origin(), ""),
            "a loopback address, which the operator does not allow: add it to \"networks\"",
        ),
        (
            ceiling(&service.origin(), "networks = [\"10.0.0.0/8\"]\n"),
            "a loopback address",
        ),
    ] {
        let deployment = deployment(&service, "");
        deployment.operator(&operator);
        let line = kept_out(deployment).await;
        assert!(
            line.contains(&service.origin()) && line.contains(expected),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_url_that_the_realm_does_not_grant_keeps_the_realm_out() {
    let service = Service::start(passwords).await;
    let origin = service.origin();
    for (url, expected) in [
        (
            "https://auth.example.com/login",
            "does not grant requests to https://auth.example.com",
        ),
        (
            "http://127.0.0.1:1@auth.example.com/",
            "is not an http or https URL",
        ),
        ("file:///etc/passwd", "is not an http or https URL"),
        ("login", "is not an http or https URL"),
    ] {
        let deployment = deployment(&service, "");
        let text = realm(&origin, "", "").replace(&format!("{origin}/login?from=wamp"), url);
        deployment.realm("realm1", &text);
        let line = kept_out(deployment).await;
        assert!(line.contains("`url`") && line.contains(expected), "{line}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_granted_requests_is_not_loaded() {
    let service = Service::start(passwords).await;
    let deployment = deployment(&service, "");
    let text = realm(&service.origin(), "", "")
        .lines()
        .filter(|line| !line.starts_with("imports") && !line.starts_with("origins"))
        .collect::<Vec<_>>()
        .join("\n");
    deployment.realm("realm1", &text);
    let line = kept_out(deployment).await;
    assert!(
        line.contains("countersign:auth/http") && line.contains("\"http\""),
        "{line}"
    );
}

/// The name is granted and allowed; where it leads is not.
#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_followed() {
    let service = Service::start(passwords).await;
    let origin = format!("http://localhost:{}", service.port());
    let deployment = deployment(&service, "");
    deployment.operator(&ceiling(&origin, ""));
    deployment.realm("realm1", &realm(&origin, "", ""));
    let router = deployment.start().await;
    let refusal = refused(&router, "alice", PASSWORD).await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("localhost has the address"), "{why}");
    assert!(
        why.contains("a loopback address, which the operator does not allow"),
        "{why}"
    );
    assert!(service.was_left_alone().await);
}

fn fetcher(origin: &str, url: &str, times: u32) -> Deployment {
    let deployment = Deployment::bare();
    deployment.operator(&ceiling(origin, LOOPBACK));
    deployment.component("fetcher", &Component::guest("fetcher"));
    deployment.realm(
        "realm1",
        &format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"fetcher\"]\n[method.fetcher]\n\
             imports = [\"http\", \"wasi\"]\norigins = [\"{origin}\"]\n\
             settings = {{ url = \"{url}\", times = {times} }}\n"
        ),
    );
    deployment
}

/// T17: a method keeps to itself where it wanted to go; the log tells.
#[tokio::test]
async fn t17_a_method_cannot_go_where_its_realm_does_not_let_it() {
    let service = Service::start(passwords).await;
    let deployment = fetcher(
        &service.origin(),
        "http://169.254.169.254/latest/meta-data/",
        1,
    );
    let router = deployment.start().await;
    let mut client = Client::greet(&router, hello("realm1", &["fetcher"], None)).await;
    assert_welcome(&client.receive().await);
    let line = router
        .log
        .find(|event| event.text("said").contains("a request was refused"))
        .await;
    let said = line.text("said");
    assert!(
        said.contains("does not grant requests to http://169.254.169.254"),
        "{said}"
    );
    assert_eq!(
        (line.text("realm"), line.text("step")),
        ("realm1", "fetcher")
    );
    assert!(service.was_left_alone().await);
}

#[tokio::test]
async fn t17_a_method_cannot_flood_a_service() {
    let service = Service::that_says(accept()).await;
    let router = fetcher(&service.origin(), &service.origin(), 9)
        .start()
        .await;
    let client = Client::greet(&router, hello("realm1", &["fetcher"], None)).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("its limit \"requests\""), "{why}");
    for _ in 0..8 {
        service.asked().await;
    }
    assert!(service.was_left_alone().await);
}
