//! Where clients connect, and what the router believes of them before they say a word: TLS, Unix
//! sockets, proxies, and the pages of other sites.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Command, Output},
};

use countersign::wamp::{Message, reason};
use countersign_tests::{Authority, Client, Component, Deployment, Event, Router, hello};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use xtask::Identity;

const REALM: &str = r#"
roles = ["user", "admin"]
[[login]]
steps = ["tls"]
[[login]]
steps = ["peer"]
[[login]]
steps = ["anonymous"]
[method.anonymous]
settings = { role = "user" }
[method.tls.settings]
certificates = [{ name = "email:*@example.com", role = "admin" }]
"#;

/// A realm for everybody, behind this listener.
fn behind(listener: &str) -> Deployment {
    let deployment = Deployment::bare();
    deployment.listener(listener);
    let uid = our_uid();
    let peer = format!(
        "[method.peer.settings]\nusers = [{{ uid = {uid}, authid = \"me\", role = \"admin\" }}]"
    );
    deployment.realm("realm1", &format!("{REALM}\n{peer}"));
    for name in ["anonymous", "peer", "tls"] {
        deployment.component(name, &Component::method(name));
    }
    deployment
}

fn our_uid() -> u32 {
    fs::metadata("/proc/self").expect("Linux").uid()
}

const PLAIN: &str = "address = \"127.0.0.1:0\"\n";

fn logged_in(event: &Event) -> bool {
    event.message() == "logged in"
}

/// Sends octets, and returns all that comes until the end.
async fn ask(router: &Router, request: &str) -> String {
    let mut stream = TcpStream::connect(router.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is dropped with octets unread is reset.
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn upgrade(headers: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: router\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Protocol: wamp.2.json\r\n{headers}\r\n"
    )
}

#[tokio::test]
async fn a_browser_that_asks_for_a_page_is_told_what_this_is() {
    let router = behind(PLAIN).start().await;
    for (request, status, text) in [
        ("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", "426", "WAMP router"),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404", "/ws"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
            "404",
            "/ws",
        ),
        ("GET / HTTP/1.0\r\n\r\n", "404", "/ws"),
    ] {
        let answer = ask(&router, request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(
            line.contains(status) && answer.contains(text),
            "{request:?}: {answer}"
        );
    }
    let answer = ask(&router, "what is this?\r\n\r\n").await;
    assert_eq!(answer, "", "whoever speaks something else is not answered");
}

#[tokio::test]
async fn t27_pages_of_other_sites_may_not_connect() {
    let listener = format!("{PLAIN}origins = [\"https://app.example.com\"]\n");
    let router = behind(&listener).start().await;
    for (origin, status) in [
        ("Origin: https://evil.example\r\n", "403"),
        ("Origin: https://app.example.com.evil.example\r\n", "403"),
        ("Origin: http://app.example.com\r\n", "403"),
        ("Origin: null\r\n", "403"),
        (
            "Origin: https://app.example.com\r\nOrigin: https://evil.example\r\n",
            "403",
        ),
    ] {
        let answer = ask(&router, &upgrade(origin)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{origin}: {answer}"
        );
    }
    for header in ["Origin: https://app.example.com\r\n", ""] {
        let mut client = Client::connect_through(&router, b"", header).await;
        client.send(&hello("realm1", &["anonymous"], None)).await;
        assert!(matches!(client.receive().await, Message::Welcome { .. }));
    }
}

/// Logs in through a proxy that sends this first, or these headers. Returns who the router takes
/// the client for.
async fn seen_through(listener: &str, preface: &[u8], headers: &str) -> String {
    let router = behind(listener).start().await;
    let mut client = Client::connect_through(&router, preface, headers).await;
    client.send(&hello("realm1", &["anonymous"], None)).await;
    client.receive().await;
    router.log.find(logged_in).await.text("peer").to_owned()
}

fn proxied(from: &str, header: &str) -> String {
    format!("{PLAIN}[listener.proxy]\nfrom = [\"{from}\"]\nheader = \"{header}\"\n")
}

#[tokio::test]
async fn a_proxy_that_is_believed_names_the_client() {
    let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 51334 443\r\n";
    let listener = proxied("127.0.0.1", "proxy-protocol");
    assert_eq!(
        seen_through(&listener, header, "").await,
        "tcp:192.0.2.7:51334"
    );

    let listener = proxied("127.0.0.0/8", "x-forwarded-for");
    let header = "X-Forwarded-For: 127.0.0.1, 192.0.2.7\r\n";
    assert_eq!(seen_through(&listener, b"", header).await, "tcp:192.0.2.7");

    let listener = proxied("127.0.0.0/8", "forwarded");
    let header = "Forwarded: for=\"192.0.2.7:99\";proto=https\r\n";
    assert_eq!(
        seen_through(&listener, b"", header).await,
        "tcp:192.0.2.7:99"
    );
}

#[tokio::test]
async fn whoever_is_no_proxy_is_not_believed() {
    let headers = "X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7\r\n";
    for listener in [
        PLAIN,
        &proxied("10.0.0.0/8", "x-forwarded-for"),
        &proxied("10.0.0.0/8", "forwarded"),
    ] {
        let peer = seen_through(listener, b"", headers).await;
        assert!(peer.starts_with("tcp:127.0.0.1:"), "{peer}");
    }
}

#[tokio::test]
async fn a_proxy_that_sends_no_header_is_refused_and_told_of() {
    let router = behind(&proxied("127.0.0.1", "proxy-protocol"))
        .start()
        .await;
    assert_eq!(ask(&router, &upgrade("")).await, "");
    let told = router.log.message("a connection carries no WAMP").await;
    assert!(told.text("reason").contains("no PROXY header"), "{told}");
}

/// Runs `countersign login`.
fn log_in(arguments: &[&str]) -> Output {
    Command::new(xtask::router().expect("it builds"))
        .arg("login")
        .args(["--realm", "realm1"])
        .args(arguments)
        .output()
        .expect("it starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn a_process_of_this_machine_logs_in_by_who_runs_it() {
    let router = behind("address = \"unix:wamp.sock\"\nmode = \"666\"\n")
        .start()
        .await;
    let socket = router.deployment.path("wamp.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
    for scheme in ["unix+ws", "unix"] {
        let address = format!("{scheme}:{}", socket.display());
        let output = log_in(&[&address, "--method", "peer"]);
        assert!(output.status.success(), "{}", said(&output));
        let event = router.log.find(logged_in).await;
        assert_eq!(event.text("peer"), format!("unix:{}", our_uid()));
        assert_eq!(event.text("authid"), "me");
    }
    let output = log_in(&[
        &format!("unix:{}", socket.display()),
        "--method",
        "peer",
        "--authid",
        "root",
    ]);
    assert!(!output.status.success());
}

#[tokio::test]
async fn who_comes_by_the_network_is_no_peer_and_has_no_certificate() {
    let router = behind(PLAIN).start().await;
    for (method, why) in [("peer", "Unix socket"), ("tls", "no certificate")] {
        let client = Client::greet(&router, hello("realm1", &[method], None)).await;
        assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
        router
            .log
            .find(|event| event.text("why").contains(why))
            .await;
    }
}

#[tokio::test]
async fn a_socket_that_a_dead_router_left_is_taken_over_and_a_living_one_is_not() {
    let deployment = behind("address = \"unix:wamp.sock\"\n")
        .start()
        .await
        .kill()
        .await;
    assert!(
        deployment.path("wamp.sock").exists(),
        "nobody could remove it"
    );
    let router = deployment.start().await;
    // A second router that would take its commands elsewhere.
    let other = "address = \"unix:wamp.sock\"\n[admin]\nsocket = \"other.sock\"\n";
    router.deployment.listener(other);
    let said = router.deployment.start_in_vain().await;
    assert!(said.contains("wamp.sock"), "{said}");
    router.interrupt();
    let deployment = router.ended().await;
    assert!(!deployment.path("wamp.sock").exists(), "it is tidied up");
}

const TLS: &str = "address = \"127.0.0.1:0\"\n[listener.tls]\ncertificate = \"router.pem\"\n\
                   key = \"router.key\"\nclient_roots = \"clients.pem\"\n";

#[tokio::test]
async fn a_client_logs_in_with_its_certificate() {
    let (routers, clients) = (Authority::new(), Authority::new());
    let deployment = behind(TLS);
    routers.for_server().write(&deployment, "router");
    deployment.file("clients.pem", &clients.pem());
    deployment.file("ca.pem", &routers.pem());
    for (name, authority) in [("alice", &clients), ("mallory", &Authority::new())] {
        let certified = authority.for_client(&["alice@example.com"]);
        certified.write(&deployment, name);
    }
    let router = deployment.start().await;
    let path = |file: &str| router.deployment.path(file).to_str().unwrap().to_owned();
    for scheme in ["wss", "rss"] {
        let address = router.url().replacen("ws", scheme, 1);
        let address = if scheme == "rss" {
            address.trim_end_matches("/ws")
        } else {
            &address
        };
        let as_whom = |name: &str| {
            let [ca, pem, key] =
                ["ca.pem", &format!("{name}.pem"), &format!("{name}.key")].map(path);
            log_in(&[
                address,
                "--ca",
                &ca,
                "--certificate",
                &pem,
                "--certificate-key",
                &key,
                "--method",
                "tls",
            ])
        };
        let output = as_whom("alice");
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            said(&output).contains("alice@example.com"),
            "{}",
            said(&output)
        );
        let output = as_whom("mallory");
        assert!(!output.status.success(), "{}", said(&output));
    }
    let refused = |event: &Event| event.text("reason").contains("UnknownIssuer");
    router.log.take(2, refused).await;
}

/// Alice and Bob with certificates of one authority, which the router's clients must have. It listens
/// in clear as well. Returns where it does by TLS.
async fn with_alice_and_bob() -> (Router, String) {
    let (routers, clients) = (Authority::new(), Authority::new());
    let deployment = behind(&format!("{PLAIN}[[listener]]\n{TLS}"));
    routers.for_server().write(&deployment, "router");
    deployment.file("clients.pem", &clients.pem());
    deployment.file("ca.pem", &routers.pem());
    for name in ["alice", "bob"] {
        let certified = clients.for_client(&[&format!("{name}@example.com")]);
        certified.write(&deployment, name);
    }
    let router = deployment.start().await;
    let listening = |event: &Event| event.message() == "listening";
    let by_tls = router.log.take(2, listening).await.remove(1);
    let address = format!("wss://{}{}", by_tls.text("address"), by_tls.text("path"));
    (router, address)
}

/// R3: a certificate is good for its own names, not for all that its authority vouches for.
#[tokio::test]
async fn r3_another_certificate_of_the_same_authority_is_another_client() {
    let (router, address) = with_alice_and_bob().await;
    let path = |file: &str| router.deployment.path(file).to_str().unwrap().to_owned();
    for (who, asks, good) in [
        ("alice", "alice@example.com", true),
        ("bob", "alice@example.com", false),
        ("bob", "bob@example.com", true),
    ] {
        let (pem, key) = (path(&format!("{who}.pem")), path(&format!("{who}.key")));
        let output = log_in(&[
            &address,
            "--ca",
            &path("ca.pem"),
            "--certificate",
            &pem,
            "--certificate-key",
            &key,
            "--method",
            "tls",
            "--authid",
            asks,
        ]);
        assert_eq!(output.status.success(), good, "{who}: {}", said(&output));
    }
    let [why] = &router.whys(1).await[..] else {
        panic!()
    };
    assert!(why.contains("no rule makes the certificate"), "{why}");
}

/// R21: the name alone is nothing where no certificates are looked at, whatever else is announced.
#[tokio::test]
async fn r21_the_owner_of_a_certificate_does_not_come_in_by_name_elsewhere() {
    let (router, _) = with_alice_and_bob().await;
    let alice = Some("alice@example.com");
    for methods in [&["tls"][..], &["tls", "anonymous"], &["anonymous", "tls"]] {
        let client = Client::greet(&router, hello("realm1", methods, alice)).await;
        assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    }
    for why in router.whys(3).await {
        assert_eq!(why, "tls: the client showed no certificate");
    }
    // The way in for everybody makes her nobody in particular.
    let mut client = Client::greet(&router, hello("realm1", &["anonymous"], alice)).await;
    let Message::Welcome { details, .. } = client.receive().await else {
        panic!("anonymous is for everybody")
    };
    assert_ne!(details.text("authid"), alice);
    assert_eq!(details.text("authrole"), Some("user"));
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_while_the_router_runs() {
    let (old, new) = (Authority::new(), Authority::new());
    let deployment = behind(TLS);
    old.for_server().write(&deployment, "router");
    deployment.file("clients.pem", &old.pem());
    deployment.file("old.pem", &old.pem());
    let router = deployment.start().await;
    let address = router.url().replacen("ws", "wss", 1);
    let comes = |authority: &str| {
        let ca = router.deployment.path(authority);
        let ca = ca.to_str().unwrap();
        log_in(&[&address, "--ca", ca, "--method", "anonymous"])
            .status
            .success()
    };
    assert!(comes("old.pem"));

    router.deployment.file("router.pem", "no certificate");
    router.deployment.file("new.pem", &new.pem());
    router.log.mention("the earlier ones stay in use").await;
    assert!(comes("old.pem"));

    new.for_server().write(&router.deployment, "router");
    router.log.mention("the certificate was renewed").await;
    assert!(comes("new.pem"));
    assert!(!comes("old.pem"));
}

/// From a network where anybody may read along, no password is asked for.
#[tokio::test]
async fn t27_a_password_is_not_asked_for_in_clear() {
    let listener = proxied("127.0.0.1", "proxy-protocol");
    let deployment = behind(&listener);
    deployment.realm(
        "realm1",
        "roles = [\"user\"]\n[[login]]\nsteps = [\"ticket\"]\n",
    );
    deployment.component("ticket", &Component::method("ticket"));
    deployment.enrol(&Identity::ticket("alice", "wonderland"));
    let router = deployment.start().await;
    let far = b"PROXY TCP4 192.0.2.7 10.0.0.1 51334 443\r\n";
    let asks = hello("realm1", &["ticket"], Some("alice"));
    let mut client = Client::connect_through(&router, far, "").await;
    client.send(&asks).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
    router
        .log
        .find(|event| event.text("why").contains("in clear"))
        .await;

    let near = b"PROXY TCP4 127.0.0.1 127.0.0.1 51334 443\r\n";
    let mut client = Client::connect_through(&router, near, "").await;
    client.send(&asks).await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));

    let allowed = "roles = [\"user\"]\n[[login]]\nsteps = [\"ticket\"]\n[method.ticket]\ncleartext = \"allow\"\n";
    router.deployment.realm("realm1", allowed);
    router.log.generation("realm1", 2).await;
    let mut client = Client::connect_through(&router, far, "").await;
    client.send(&asks).await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));

    let refused = "cleartext = \"refuse\"\nroles = [\"user\"]\n[[login]]\nsteps = [\"anonymous\"]\n[method.anonymous]\nsettings = { role = \"user\" }\n";
    router.deployment.realm("realm1", refused);
    router.log.generation("realm1", 3).await;
    let mut client = Client::connect_through(&router, far, "").await;
    client.send(&hello("realm1", &["anonymous"], None)).await;
    assert_eq!(client.refusal().await.reason, reason::AUTHENTICATION_DENIED);
}
