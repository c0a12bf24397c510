//! Requests to services that behave and that do not.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;
use crate::egress::Stage;

/// A service that says the same to everyone, and hands on what it heard.
struct Service {
    address: SocketAddr,
    heard: mpsc::UnboundedReceiver<String>,
}

const GOOD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

impl Service {
    /// `says`: none is silence.
    async fn that_says(says: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, heard) = mpsc::unbounded_channel();
        let says = says.map(str::to_owned);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                _ = sender.send(head(&mut stream).await);
                match &says {
                    Some(says) => _ = stream.write_all(says.as_bytes()).await,
                    None => silent.push(stream),
                }
            }
        });
        Self { address, heard }
    }

    fn url(&self) -> String {
        format!("http://{}/who?x=1", self.address)
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => heard.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8(heard).unwrap()
}

fn config(origins: &[&str], networks: &[&str]) -> EgressConfig {
    let origins = origins
        .iter()
        .map(|text| Origin::of(&text.parse().unwrap()).unwrap());
    EgressConfig {
        origins: Some(origins.collect()),
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        response_size: crate::config::Octets::kib(1),
        ..EgressConfig::new("".as_ref())
    }
}

/// One that may ask this service.
fn egress(service: &Service) -> Egress {
    Egress::new(&config(&[&service.url()], &["127.0.0.0/8"])).unwrap()
}

async fn ask(egress: &Egress, url: &str) -> Result<Response, EgressError> {
    egress.get(&"realm1".into(), url).await
}

#[tokio::test]
async fn a_service_is_asked_and_answers() {
    let mut service = Service::that_says(Some(GOOD)).await;
    let response = ask(&egress(&service), &service.url()).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.content_type.as_deref(), Some("application/json"));
    assert_eq!(&response.body[..], b"{}");
    let heard = service.heard.recv().await.unwrap().to_lowercase();
    assert!(heard.starts_with("get /who?x=1 http/1.1\r\n"), "{heard}");
    let host = format!("host: {}\r\n", service.address);
    assert!(heard.contains(&host), "{heard}");
}

/// By its length, in pieces, or with the connection; and after what comes before a response.
#[tokio::test]
async fn a_body_may_end_in_three_ways() {
    for says in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}and more",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\n\r\n{}",
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        let service = Service::that_says(Some(says)).await;
        let response = ask(&egress(&service), &service.url()).await;
        let response = response.unwrap_or_else(|error| panic!("{says:?}: {error}"));
        assert_eq!(
            (response.status, &response.body[..]),
            (200, &b"{}"[..]),
            "{says:?}"
        );
    }
    let service = Service::that_says(Some("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let response = ask(&egress(&service), &service.url()).await.unwrap();
    assert_eq!((response.status, response.body.len()), (204, 0));
}

#[tokio::test]
async fn a_status_is_a_response_and_a_redirect_is_not() {
    let service = Service::that_says(Some("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")).await;
    let response = ask(&egress(&service), &service.url()).await.unwrap();
    assert_eq!(response.status, 500);

    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n";
    let mut service = Service::that_says(Some(elsewhere)).await;
    let error = ask(&egress(&service), &service.url()).await.unwrap_err();
    let EgressError::Redirected { status, to, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((*status, &**to), (302, "http://169.254.169.254/"));
    service.heard.recv().await.unwrap();
    assert!(service.heard.try_recv().is_err(), "it was asked once");
}

#[tokio::test]
async fn what_is_no_response_is_an_error() {
    for says in [
        "",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "\0\0\0",
    ] {
        let service = Service::that_says(Some(says)).await;
        // Some of these wait for more; closing the connection is what ends them.
        let error = ask(&egress(&service), &service.url()).await.unwrap_err();
        assert!(
            matches!(error, EgressError::Malformed { .. }),
            "{says:?}: {error}"
        );
        assert_eq!(error.health(), crate::breaker::Health::Ill);
    }
}

#[tokio::test]
async fn a_response_is_bounded() {
    let large = |length: String| format!("HTTP/1.1 200 OK\r\n{length}\r\n{}", "x".repeat(2048));
    for says in [
        large("content-length: 2048\r\n".into()),
        large(String::new()),
    ] {
        let service = Service::that_says(Some(&says)).await;
        let error = ask(&egress(&service), &service.url()).await.unwrap_err();
        assert!(
            matches!(error, EgressError::TooLarge { limit: 1024, .. }),
            "{error}"
        );
    }
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(64 << 10));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000));
    let line = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;{}",
        "x".repeat(64 << 10)
    );
    for says in [head, many, line] {
        let service = Service::that_says(Some(&says)).await;
        let error = ask(&egress(&service), &service.url()).await.unwrap_err();
        assert!(matches!(error, EgressError::Malformed { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up() {
    let service = Service::that_says(None).await;
    let config = EgressConfig {
        time: Duration::from_millis(50),
        ..config(&[&service.url()], &["127.0.0.0/8"])
    };
    let egress = Egress::new(&config).unwrap();
    let error = ask(&egress, &service.url()).await.unwrap_err();
    assert!(
        matches!(
            error,
            EgressError::TimedOut {
                stage: Stage::Answering,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn only_what_the_operator_allows_is_asked() {
    let mut service = Service::that_says(Some(GOOD)).await;
    let egress = egress(&service);
    let port = service.address.port();
    for (url, is_origin) in [
        (format!("https://127.0.0.1:{port}/"), true),
        (format!("http://localhost:{port}/"), true),
        (format!("http://127.0.0.1:{}/", port ^ 1), true),
        (format!("http://127.0.0.1:{port}@example.com/"), false),
        (format!("http://user@127.0.0.1:{port}/"), false),
        ("file:///etc/passwd".into(), false),
        ("/who".into(), false),
    ] {
        let error = ask(&egress, &url).await.unwrap_err();
        assert!(error.is_refusal(), "{error}");
        assert_eq!(
            matches!(error, EgressError::NotAllowed(_)),
            is_origin,
            "{error}"
        );
    }
    assert!(service.heard.try_recv().is_err(), "nobody was asked");
}

#[test]
fn by_default_any_origin_may_be_named_that_is_public_and_has_tls() {
    let egress = Egress::new(&EgressConfig::new("".as_ref())).unwrap();
    assert_eq!(egress.check("https://auth.example.com/x"), Ok(()));
    for url in [
        "http://auth.example.com/x",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
    ] {
        assert!(egress.check(url).unwrap_err().is_refusal(), "{url}");
    }
}

/// The name is one that is allowed; what it stands for is not.
#[tokio::test]
async fn a_name_does_not_hide_an_address() {
    let mut service = Service::that_says(Some(GOOD)).await;
    let url = format!("http://localhost:{}/", service.address.port());
    let strict = Egress::new(&config(&[&url], &[])).unwrap();
    let error = ask(&strict, &url).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, EgressError::Address { .. }), "{error}");
    assert!(text.starts_with("localhost has the address "), "{text}");
    assert!(text.contains(", a loopback address, which"), "{text}");
    assert!(service.heard.try_recv().is_err(), "nobody was asked");

    // Where some of its addresses are allowed, those are connected to.
    let lenient = Egress::new(&config(&[&url], &["127.0.0.0/8"])).unwrap();
    assert!(ask(&lenient, &url).await.is_ok());
}

#[tokio::test]
async fn a_service_that_is_not_there_is_left_alone() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let egress = Egress::new(&config(&[&url], &["127.0.0.0/8"])).unwrap();
    for _ in 0..5 {
        let error = ask(&egress, &url).await.unwrap_err();
        assert!(matches!(error, EgressError::Connect { .. }), "{error}");
    }
    let error = ask(&egress, &url).await.unwrap_err();
    assert!(matches!(error, EgressError::Stopped { .. }), "{error}");
    // To another realm it may be known under the same name, and be there.
    let error = egress.get(&"realm2".into(), &url).await.unwrap_err();
    assert!(matches!(error, EgressError::Connect { .. }), "{error}");
}

/// One realm's slow service takes no room from another's.
#[tokio::test]
async fn each_realm_has_so_many_requests_at_a_time() {
    let mut service = Service::that_says(None).await;
    let config = EgressConfig {
        parallel: 2,
        ..config(&[&service.url()], &["127.0.0.0/8"])
    };
    let egress = Arc::new(Egress::new(&config).unwrap());
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let (egress, url) = (Arc::clone(&egress), service.url());
        waiting.push(tokio::spawn(async move { ask(&egress, &url).await }));
        service.heard.recv().await.unwrap();
    }
    let error = ask(&egress, &service.url()).await.unwrap_err();
    assert_eq!(error, EgressError::Busy(2));
    let other = tokio::spawn({
        let (egress, url) = (Arc::clone(&egress), service.url());
        async move { egress.get(&"realm2".into(), &url).await }
    });
    service.heard.recv().await.unwrap();
    // Who gives up gives back.
    for task in waiting.into_iter().chain([other]) {
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let url = service.url();
    let again = tokio::spawn(async move { ask(&egress, &url).await });
    service.heard.recv().await.unwrap();
    again.abort();
}

mod tls;
