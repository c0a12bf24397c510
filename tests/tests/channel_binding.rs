//! An answer that is bound to the TLS connection that it is sent over (`tls-exporter`, RFC 9266), and
//! somebody who stands between two connections.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use countersign_tests::{Authority, Component, Deployment, Event, Router};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use xtask::Identity;

/// The specification's first test vector.
const SEED: &str = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510";
const PUBLIC_KEY: &str = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d";
const PASSWORD: &str = "pencil";

const REALM: &str = r#"
roles = ["user"]
[[login]]
steps = ["cryptosign"]
[[login]]
steps = ["wamp-scram"]
[method.wamp-scram]
component = "scram.wasm"
"#;

const TLS: &str = "address = \"127.0.0.1:0\"\n[listener.tls]\ncertificate = \"router.pem\"\n\
                   key = \"router.key\"\n";

const METHODS: [&str; 2] = ["cryptosign", "wamp-scram"];

/// A router with Alice, and a certificate that she trusts.
async fn house(listener: &str, settings: &str) -> Router {
    let deployment = Deployment::bare();
    deployment.listener(listener);
    let more = METHODS.map(|method| format!("[method.{method}.settings]\n{settings}\n"));
    let more = more.concat();
    deployment.realm("realm1", &format!("{REALM}{more}"));
    for method in ["cryptosign", "scram"] {
        deployment.component(method, &Component::method(method));
    }
    let cheap = ["--kdf", "pbkdf2", "--iterations", "4096"];
    for (kind, secret, options) in [
        ("cryptosign", PUBLIC_KEY, &[][..]),
        ("scram", PASSWORD, &cheap),
    ] {
        deployment.enrol(&Identity {
            realm: "realm1",
            kind,
            authid: "alice",
            role: "user",
            secret,
            options,
        });
    }
    let authority = Authority::new();
    authority.for_server().write(&deployment, "router");
    for (file, text) in [
        ("ca.pem", authority.pem()),
        ("alice.key", SEED.to_owned()),
        ("password", format!("{PASSWORD}\n")),
    ] {
        deployment.file(file, &text);
    }
    deployment.start().await
}

/// Alice logs in at this address.
async fn log_in(router: &Router, address: &str, method: &str, more: &[&str]) -> Output {
    let path = |file| router.deployment.path(file);
    let mut command = Command::new(xtask::router().unwrap());
    command
        .args(["login", address, "--realm", "realm1", "--authid", "alice"])
        .args(["--method", method])
        .args(more)
        .stdin(fs::File::open(path("password")).unwrap())
        .stdout(Stdio::piped());
    if address.starts_with("wss") || address.starts_with("rss") {
        command.arg("--ca").arg(path("ca.pem"));
    }
    if method == "cryptosign" {
        command.arg("--key").arg(path("alice.key"));
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output.unwrap().unwrap()
}

fn assert_is(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
}

/// Stands between: ends the client's TLS with a certificate that it trusts, and has one of its own
/// with the router. All that is said is handed on as it is.
async fn relay(router: &Router) -> SocketAddr {
    let path = |file| router.deployment.path(file);
    let provider = Arc::new(ring::default_provider());
    let chain = vec![CertificateDer::from_pem_file(path("router.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(path("router.key")).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(path("ca.pem")).unwrap())
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (acceptor, connector) = (
        TlsAcceptor::from(Arc::new(server)),
        TlsConnector::from(Arc::new(client)),
    );
    let beyond = router.address().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            let beyond = beyond.clone();
            tokio::spawn(async move {
                let mut near = acceptor.accept(stream).await.unwrap();
                let stream = TcpStream::connect(beyond).await.unwrap();
                let name = ServerName::try_from("127.0.0.1").unwrap();
                let mut far = connector.connect(name, stream).await.unwrap();
                // However it ends: the test looks at what the two ends say.
                _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    address
}

fn secure(router: &Router) -> String {
    router.url().replacen("ws", "wss", 1)
}

#[tokio::test]
async fn both_methods_bind_to_the_connection_on_either_transport() {
    let router = house(TLS, "channel_binding = \"required\"").await;
    let rawsocket = format!("rss://{}", router.address());
    for method in METHODS {
        for address in [&secure(&router), &rawsocket] {
            assert_is(&log_in(&router, address, method, &[]).await, 0);
        }
    }
}

#[tokio::test]
async fn an_answer_for_one_connection_is_denied_on_another() {
    let router = house(TLS, "").await;
    let between = format!("wss://{}/ws", relay(&router).await);
    for method in METHODS {
        assert_is(&log_in(&router, &between, method, &[]).await, 1);
        // Nothing else is in the way.
        let unbound = log_in(&router, &between, method, &["--no-channel-binding"]).await;
        assert_is(&unbound, 0);
    }
    let whys = router.whys(2).await;
    assert!(
        whys[0].contains("not the challenge bound to this TLS connection"),
        "{whys:?}"
    );
    assert!(
        whys[1].contains("other data than this end of the connection"),
        "{whys:?}"
    );
}

#[tokio::test]
async fn who_does_not_bind_comes_in_unless_the_realm_requires_it() {
    let router = house(TLS, "channel_binding = \"optional\"").await;
    let unbound = ["--no-channel-binding"];
    let unknown = ["--extra", "channel_binding=\"tls-unique\""];
    let address = secure(&router);
    for method in METHODS {
        assert_is(&log_in(&router, &address, method, &unbound).await, 0);
    }
    // What cannot be checked: `cryptosign` declines it, which the specification lets it say.
    assert_is(&log_in(&router, &address, "cryptosign", &unknown).await, 0);
    assert_is(&log_in(&router, &address, "wamp-scram", &unknown).await, 1);

    let router = house(TLS, "channel_binding = \"required\"").await;
    let address = secure(&router);
    for method in METHODS {
        for more in [&unbound[..], &unknown] {
            assert_is(&log_in(&router, &address, method, more).await, 1);
        }
    }
    for why in router.whys(4).await {
        assert!(why.contains("channel binding"), "{why}");
    }
}

/// Where TLS ends before the router, or there is none.
#[tokio::test]
async fn a_connection_that_has_nothing_to_bind_to_is_said_so() {
    let router = house(
        "address = \"127.0.0.1:0\"\n",
        "channel_binding = \"required\"",
    )
    .await;
    let asks = ["--extra", "channel_binding=\"tls-exporter\""];
    for method in METHODS {
        assert_is(&log_in(&router, router.url(), method, &asks).await, 1);
    }
    for why in router.whys(2).await {
        assert!(why.contains("this connection cannot show"), "{why}");
    }
}

#[tokio::test]
async fn a_setting_that_is_neither_of_the_two_is_refused() {
    let router = house(TLS, "channel_binding = \"optional\"").await;
    router.deployment.realm(
        "realm1",
        &format!("{REALM}[method.cryptosign.settings]\nchannel_binding = \"always\"\n"),
    );
    let told = |event: &Event| {
        let text = event.to_string();
        text.contains("`channel_binding`") && text.contains("always")
    };
    router.log.find(told).await;
}
