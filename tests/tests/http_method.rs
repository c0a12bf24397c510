//! Logins that a service decides, asked by the method `http`: what it is told, what it may say, and
//! that whatever goes wrong on the way is a denial like any other.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{
    Asked, Client, Component, Deployment, Job, Program, Refusal, Reply, Router, Service, answer,
    hello, soon,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const PASSWORD: &str = "wonderland";

/// A signing key, as the router and the service have it.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What makes the test's own machine a place that requests may go to.
const LOOPBACK: &str = "networks = [\"127.0.0.0/8\"]\n";

/// A realm whose `ticket` is a service's to decide.
fn realm(origin: &str, settings: &str, more: &str) -> String {
    format!(
        r#"
roles = ["user"]

[[login]]
steps = ["ticket"]

[method.ticket]
component = "http.wasm"
imports = ["http", "logging", "transport", "wasi"]
origins = ["{origin}"]
settings = {{ url = "{origin}/login?from=wamp", {settings} }}
{more}

[[permission]]
role = "user"
uri = "com.example."
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
"#
    )
}

/// What the operator allows: this service, and more that the test wants to say.
fn ceiling(origin: &str, more: &str) -> String {
    format!("[egress]\norigins = [\"{origin}\"]\n{more}")
}

/// A router that asks this service, as each file says.
fn deployment(service: &Service, settings: &str) -> Deployment {
    let (deployment, origin) = (Deployment::bare(), service.origin());
    deployment.operator(&ceiling(&origin, LOOPBACK));
    deployment.realm("realm1", &realm(&origin, settings, ""));
    deployment.component("ticket", &Component::method("ticket"));
    deployment.component("http", &Component::method("http"));
    deployment
}

/// A service that knows Alice's password.
fn passwords(asked: &Asked) -> Reply {
    let question = asked.json();
    let is_right = question["authid"] == "alice" && question["answer"]["signature"] == PASSWORD;
    if is_right {
        accept()
    } else {
        Reply::json(&json!({ "verdict": "deny", "reason": "no such person, or another password" }))
    }
}

fn accept() -> Reply {
    Reply::json(&json!({ "verdict": "accept", "role": "user" }))
}

async fn challenged(router: &Router, authid: Option<&str>) -> Client {
    let mut client = Client::greet(router, hello("realm1", &["ticket"], authid)).await;
    let challenge = client.receive().await;
    let Message::Challenge { method, extra } = challenge else {
        panic!("{challenge:?}")
    };
    assert_eq!((&*method, extra), ("ticket", Dict::new()));
    client
}

/// Logs in, and returns the router's last word.
async fn log_in(router: &Router) -> Message {
    let mut client = challenged(router, Some("alice")).await;
    client.send(&answer(PASSWORD)).await;
    client.receive().await
}

async fn refused(router: &Router, authid: &str, password: &str) -> Refusal {
    let mut client = challenged(router, Some(authid)).await;
    client.send(&answer(password)).await;
    client.refusal().await
}

#[track_caller]
fn assert_welcome(message: &Message) -> &Dict {
    match message {
        Message::Welcome { details, .. } => details,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn stock_clients_log_in_by_their_ticket() {
    let service = Service::start(passwords).await;
    let router = deployment(&service, "").start().await;
    let job = |secret| Job {
        scenario: "tour",
        method: "ticket",
        serializer: "json",
        authid: "alice",
        secret,
    };
    for program in Program::ALL {
        let outcomes = program
            .run(&router, &[job(PASSWORD), job("looking-glass")])
            .await;
        let welcome = &outcomes[0]["welcome"];
        assert_eq!(welcome["authid"], "alice", "{program:?}: {outcomes:?}");
        assert_eq!(welcome["authrole"], "user", "{program:?}: {outcomes:?}");
        assert_eq!(outcomes[0]["result"], 5, "{program:?}: {outcomes:?}");
        let left = &outcomes[1]["left"];
        assert_eq!(left, reason::AUTHENTICATION_DENIED, "{program:?}");
    }
}

#[tokio::test]
async fn the_service_is_told_who_comes_from_where_with_what() {
    let service = Service::start(passwords).await;
    let router = deployment(&service, "").start().await;
    let Message::Hello { realm, mut details } = hello("realm1", &["ticket"], Some("alice")) else {
        unreachable!()
    };
    details.insert("authextra", Dict::new().with("device", "phone"));
    let mut client = Client::greet(&router, Message::Hello { realm, details }).await;
    client.receive().await;
    client.send(&answer(PASSWORD)).await;
    let welcome = client.receive().await;
    let Message::Welcome { session, .. } = &welcome else {
        panic!("{welcome:?}")
    };

    let asked = service.asked().await;
    assert_eq!(asked.line, "POST /login?from=wamp HTTP/1.1");
    assert_eq!(asked.header("content-type"), "application/json");
    let question = asked.json();
    for (member, expected) in [
        ("version", json!(1)),
        ("realm", json!("realm1")),
        ("session", json!(session.as_u64())),
        ("authmethod", json!("ticket")),
        ("authid", json!("alice")),
        ("authextra", json!({ "device": "phone" })),
        ("confidential", json!(true)),
        ("proven", json!([])),
    ] {
        assert_eq!(question[member], expected, "{member}");
    }
    let peer = question["peer"].as_str().unwrap();
    assert!(peer.starts_with("tcp:127.0.0.1:"), "{peer}");
    assert_eq!(question["answer"]["signature"], PASSWORD);
    assert!(service.was_left_alone().await, "it was asked once");
}

#[tokio::test]
async fn the_service_may_rename_describe_and_limit() {
    let service = Service::start(|_| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Reply::json(&json!({
            "verdict": "accept", "role": "user", "authid": "a.liddell",
            "authextra": { "team": 7 }, "expires_at": now.unwrap().as_secs() + 2,
        }))
    })
    .await;
    let router = deployment(&service, "").start().await;
    let mut client = challenged(&router, None).await;
    client.send(&answer("a token")).await;
    let welcome = client.receive().await;
    let details = assert_welcome(&welcome);
    assert_eq!(details.text("authid"), Some("a.liddell"));
    assert_eq!(details.text("authprovider"), Some("http"));
    let Some(countersign::wamp::Value::Dict(extra)) = details.value("authextra") else {
        panic!("{details:?}")
    };
    assert_eq!(
        extra
            .value("team")
            .and_then(countersign::wamp::Value::as_u64),
        Some(7)
    );
    let end = client.receive().await;
    assert!(matches!(end, Message::Goodbye { .. }), "{end:?}");
}

/// The service asks for a PIN, and keeps what it asked in the router.
#[tokio::test]
async fn the_service_may_ask_the_client_itself() {
    let service = Service::start(|asked| {
        let question = asked.json();
        let Some(answer) = question.get("answer") else {
            let challenge = question["nonce"].as_str().unwrap();
            return Reply::json(&json!({
                "verdict": "challenge",
                "extra": { "prompt": "PIN?", "challenge": challenge },
                "state": { "pin": "1234", "nonce": challenge },
            }));
        };
        let is_right = answer["signature"] == answer["state"]["pin"]
            && answer["nonce"] == answer["state"]["nonce"];
        if is_right {
            accept()
        } else {
            Reply::json(&json!({ "verdict": "deny" }))
        }
    })
    .await;
    let router = deployment(&service, "challenge = \"service\"")
        .start()
        .await;
    for (pin, is_right) in [("1234", true), ("1235", false)] {
        let greeting = hello("realm1", &["ticket"], Some("alice"));
        let mut client = Client::greet(&router, greeting).await;
        let challenge = client.receive().await;
        let Message::Challenge { extra, .. } = challenge else {
            panic!("{challenge:?}")
        };
        assert_eq!(extra.text("prompt"), Some("PIN?"));
        client.send(&answer(pin)).await;
        let end = client.receive().await;
        assert_eq!(matches!(end, Message::Welcome { .. }), is_right, "{end:?}");
    }
}

/// A challenge of the service's own choosing could be that of another router.
#[tokio::test]
async fn t05_the_services_challenge_must_be_from_the_routers_nonce() {
    let challenge = json!({ "verdict": "challenge", "extra": { "challenge": "sign this" } });
    let service = Service::that_says(Reply::json(&challenge)).await;
    let router = deployment(&service, "challenge = \"service\"")
        .start()
        .await;
    let client = Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("not from its nonce"), "{why}");
}

/// Everything that is no verdict, and verdicts that the realm does not take: one denial for all.
#[tokio::test]
async fn t01_whatever_the_service_says_but_yes_is_the_same_denial() {
    let text = |status: &str, body: &str| Reply::text(status, "application/json", body);
    let yes = r#"{"verdict":"accept","role":"user"}"#;
    let huge = format!(
        r#"{{"verdict":"accept","role":"user","authid":"{}"}}"#,
        "a".repeat(100_000)
    );
    let cases: Vec<(Reply, &str)> = vec![
        (
            Reply::json(&json!({ "verdict": "deny", "reason": "locked" })),
            "the service denies it: locked",
        ),
        (text("500 Internal Server Error", yes), "status 500"),
        (text("404 Not Found", yes), "status 404"),
        (text("401 Unauthorized", yes), "status 401"),
        (text("204 No Content", ""), "status 204"),
        (
            Reply::redirect("http://169.254.169.254/latest"),
            "redirects are not followed",
        ),
        (Reply::text("200 OK", "text/html", yes), "content type"),
        (text("200 OK", "<html>"), "not a verdict"),
        (text("200 OK", ""), "not a verdict"),
        (text("200 OK", r#"{"verdict":"accept"}"#), "not a verdict"),
        (
            text(
                "200 OK",
                r#"{"verdict":"accept","role":"user","expires":1}"#,
            ),
            "not a verdict",
        ),
        (
            text(
                "200 OK",
                r#"{"verdict":"deny","verdict":"accept","role":"user"}"#,
            ),
            "not a verdict",
        ),
        (
            text(
                "200 OK",
                r#"{"verdict":"accept","role":"user","expires_at":1}"#,
            ),
            "has passed",
        ),
        (
            text("200 OK", r#"{"verdict":"accept","role":"admin"}"#),
            "which the realm does not have",
        ),
        (
            text(
                "200 OK",
                r#"{"verdict":"accept","role":"user","authid":""}"#,
            ),
            "not a verdict",
        ),
        (text("200 OK", &huge), "the most that is read"),
        (
            Reply::Octets(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
            "not an HTTP response",
        ),
        (
            Reply::Octets(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}".to_vec()),
            "not an HTTP response",
        ),
        (
            Reply::Octets([b"HTTP/1.1 200 OK\r\n".to_vec(), vec![0xff; 20_000]].concat()),
            "not an HTTP response",
        ),
    ];
    let replies: Vec<Reply> = cases.iter().map(|(reply, _)| reply.clone()).collect();
    let service = Service::start(move |asked| {
        let number = asked.json()["answer"]["signature"]
            .as_str()
            .unwrap()
            .parse::<usize>();
        replies[number.unwrap()].clone()
    })
    .await;
    let router = deployment(&service, "").start().await;
    let mut octets = BTreeSet::new();
    for (number, (reply, expected)) in cases.iter().enumerate() {
        let refusal = refused(&router, "alice", &number.to_string()).await;
        assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
        octets.insert(refusal.octets);
        let whys = router.whys(number + 1).await;
        assert!(
            whys[number].contains(expected),
            "{reply:?}: {}",
            whys[number]
        );
    }
    assert_eq!(octets.len(), 1);
}

#[tokio::test]
async fn t01_an_unknown_authid_and_a_wrong_answer_are_the_same() {
    let service = Service::start(passwords).await;
    let router = deployment(&service, "").start().await;
    let refusals = [
        refused(&router, "alice", "looking-glass").await,
        refused(&router, "nobody", PASSWORD).await,
        refused(&router, "alice", "").await,
        refused(&router, "alice", &"x".repeat(8000)).await,
        refused(&router, "alice", "\u{202e}\"}").await,
    ];
    assert!(
        refusals.iter().all(|refusal| *refusal == refusals[0]),
        "{refusals:?}"
    );
    let whys = router.whys(refusals.len()).await;
    assert!(whys.iter().all(|why| *why == whys[0]), "{whys:?}");
}

/// A service of one realm decides for that realm only: it is told which it is.
#[tokio::test]
async fn t19_an_answer_for_one_realm_is_none_for_another() {
    let service = Service::start(|asked| {
        if asked.json()["realm"] == "realm2" {
            accept()
        } else {
            Reply::json(&json!({ "verdict": "deny" }))
        }
    })
    .await;
    let deployment = deployment(&service, "");
    deployment.realm("realm2", &realm(&service.origin(), "", ""));
    let router = deployment.start().await;
    refused(&router, "alice", PASSWORD).await;
    let mut client = Client::greet(&router, hello("realm2", &["ticket"], Some("alice"))).await;
    client.receive().await;
    client.send(&answer(PASSWORD)).await;
    assert_welcome(&client.receive().await);
}

#[tokio::test]
async fn a_service_that_is_slow_is_given_up() {
    let service = Service::that_says(Reply::Silence).await;
    let deployment = deployment(&service, "");
    let more = format!("{LOOPBACK}time = \"50ms\"\n");
    deployment.operator(&ceiling(&service.origin(), &more));
    let router = deployment.start().await;
    let refusal = refused(&router, "alice", PASSWORD).await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("took more than 50 ms"), "{why}");
}

/// Also where the method's own limit is the shorter one: what is told is the service's fault.
#[tokio::test]
async fn the_methods_wall_limit_holds_for_its_requests() {
    let service = Service::that_says(Reply::Silence).await;
    let deployment = deployment(&service, "");
    let limits = "limits = { wall = \"200ms\" }";
    deployment.realm("realm1", &realm(&service.origin(), "", limits));
    let router = deployment.start().await;
    refused(&router, "alice", PASSWORD).await;
    let why = router.whys(1).await.remove(0);
    assert!(
        why.contains("it was the response that was waited for"),
        "{why}"
    );
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_left_alone_until_it_does() {
    let is_up = Arc::new(AtomicBool::new(false));
    let service = Service::start({
        let is_up = Arc::clone(&is_up);
        move |_| {
            if is_up.load(Ordering::SeqCst) {
                accept()
            } else {
                Reply::text("503 Service Unavailable", "text/plain", "")
            }
        }
    })
    .await;
    let router = deployment(&service, "").start().await;
    for _ in 0..5 {
        refused(&router, "alice", PASSWORD).await;
        service.asked().await;
    }
    let stopped = router.log.mention("requests to it are stopped").await;
    assert_eq!(stopped.text("realm"), "realm1");
    assert_eq!(stopped.text("origin"), service.origin());
    assert_eq!(stopped.text("why"), "it answers with status 503");
    assert_eq!(stopped.number("pause_ms"), Some(1000));

    refused(&router, "alice", PASSWORD).await;
    let why = router.whys(6).await.remove(5);
    assert!(why.contains("did not answer the last ones"), "{why}");
    assert!(service.was_left_alone().await);

    is_up.store(true, Ordering::SeqCst);
    soon("a login", async {
        while !matches!(log_in(&router).await, Message::Welcome { .. }) {}
    })
    .await;
    router.log.mention("the service answers again").await;
    assert_welcome(&log_in(&router).await);
}

/// As many as the operator lets through at a time; the next is told to come again.
#[tokio::test]
async fn a_service_that_is_slow_takes_no_more_room_than_it_has() {
    let service = Service::that_says(Reply::Silence).await;
    let deployment = deployment(&service, "");
    let more = format!("{LOOPBACK}parallel = 1\ntime = \"1m\"\n");
    deployment.operator(&ceiling(&service.origin(), &more));
    let router = deployment.start().await;
    let mut waiting = challenged(&router, Some("alice")).await;
    waiting.send(&answer(PASSWORD)).await;
    service.asked().await;
    let refusal = refused(&router, "alice", PASSWORD).await;
    assert_eq!(refusal.reason, reason::UNAVAILABLE);
    let why = router.whys(1).await.remove(0);
    assert!(why.contains("under way already"), "{why}");
    // Who leaves makes room.
    drop(waiting);
    router.log.message("the client gave up its login").await;
    let mut next = challenged(&router, Some("alice")).await;
    next.send(&answer(PASSWORD)).await;
    service.asked().await;
}

/// What the service knows the router by. The method has not seen it.
#[tokio::test]
async fn a_request_is_signed_with_the_realms_key() {
    let service = Service::start(passwords).await;
    let deployment = deployment(&service, "");
    deployment.secret("realm1", "auth.key", KEY);
    let more = "signing_key = \"auth.key\"";
    deployment.realm("realm1", &realm(&service.origin(), "", more));
    let router = deployment.start().await;
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        assert_welcome(&log_in(&router).await);
        let asked = service.asked().await;
        assert_eq!(asked.header("webhook-signature"), signature(&asked, KEY));
        let time: u64 = asked.header("webhook-timestamp").parse().unwrap();
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert!(now.abs_diff(Duration::from_secs(time)) < Duration::from_mins(5));
        ids.insert(asked.header("webhook-id").to_owned());
    }
    assert_eq!(ids.len(), 2);

    // Another key is taken as soon as it is there.
    let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    router.deployment.secret("realm1", "auth.key", other);
    router.log.generation("realm1", 2).await;
    assert_welcome(&log_in(&router).await);
    let asked = service.asked().await;
    assert_eq!(asked.header("webhook-signature"), signature(&asked, other));

    // And what is none is not.
    router.deployment.secret("realm1", "auth.key", "hunter2");
    let line = router.log.mention("this is no signing key").await;
    assert!(line.message().contains("secrets/realm1/auth.key"), "{line}");
    assert_welcome(&log_in(&router).await);
}

fn signature(asked: &Asked, key: &str) -> String {
    let key = BASE64_STANDARD
        .decode(key.trim_start_matches("whsec_"))
        .unwrap();
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, time) = (
        asked.header("webhook-id"),
        asked.header("webhook-timestamp"),
    );
    hmac.update(format!("{id}.{time}.").as_bytes());
    hmac.update(&asked.body);
    format!(
        "v1,{}",
        BASE64_STANDARD.encode(hmac.finalize().into_bytes())
    )
}

/// T18: neither the key nor the password is in the log, whatever happens.
#[tokio::test]
async fn t18_no_secret_is_in_the_log() {
    let echo = |asked: &Asked| {
        let body = String::from_utf8(asked.body.clone()).unwrap();
        Reply::text("200 OK", "application/json", &body)
    };
    let service = Service::start(echo).await;
    let deployment = deployment(&service, "");
    deployment.secret("realm1", "token", "a-bearer-token\n");
    let more = "bearer_token = \"token\"";
    deployment.realm("realm1", &realm(&service.origin(), "", more));
    let router = deployment.start().await;
    refused(&router, "alice", PASSWORD).await;
    assert_eq!(
        service.asked().await.header("authorization"),
        "Bearer a-bearer-token"
    );
    router.whys(1).await;
    for event in router.log.so_far() {
        let line = event.to_string();
        assert!(
            !line.contains("a-bearer-token") && !line.contains(PASSWORD),
            "{line}"
        );
    }
}

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

/// As a second step it is told who passed the first, and cannot make somebody else of them.
#[tokio::test]
async fn a_later_step_is_told_what_is_proven() {
    let as_somebody_else = Arc::new(AtomicBool::new(false));
    let service = Service::start({
        let as_somebody_else = Arc::clone(&as_somebody_else);
        move |_| {
            let mut verdict = json!({ "verdict": "accept", "role": "user" });
            if as_somebody_else.load(Ordering::SeqCst) {
                verdict["authid"] = json!("mallory");
            }
            Reply::json(&verdict)
        }
    })
    .await;
    let deployment = deployment(&service, "");
    let origin = service.origin();
    deployment.realm(
        "realm1",
        &format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"ticket\", \"http\"]\n[method.http]\n\
             imports = [\"http\", \"logging\", \"transport\", \"wasi\"]\n\
             origins = [\"{origin}\"]\n\
             settings = {{ url = \"{origin}\", challenge = \"service\" }}\n"
        ),
    );
    deployment.enrol(&xtask::Identity {
        realm: "realm1",
        kind: "ticket",
        authid: "alice",
        role: "user",
        secret: PASSWORD,
        options: &[],
    });
    let router = deployment.start().await;
    assert_welcome(&log_in(&router).await);
    let question = service.asked().await.json();
    let proven =
        json!([{ "authmethod": "ticket", "authid": "alice", "authrole": "user", "authextra": {} }]);
    assert_eq!(question["proven"], proven);
    assert_eq!(question.get("answer"), None::<&Value>);

    as_somebody_else.store(true, Ordering::SeqCst);
    let end = log_in(&router).await;
    assert!(matches!(end, Message::Abort { .. }), "{end:?}");
}
