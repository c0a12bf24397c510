//! Logins over everything that can be between a client and a router.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::transport::{RawSocket, RawSocketSettings, Wire};

const SETTINGS: RawSocketSettings = RawSocketSettings {
    login_frame: 16 << 10,
    session_frame: 1 << 20,
    ping: Duration::from_hours(1),
};

/// Lets one client in over RawSocket, and then go.
async fn serve_rawsocket(stream: impl Socket) {
    let mut wire = RawSocket::accept(stream, &SETTINGS).await.unwrap();
    let serializer = wire.serializer();
    for answer in [
        Message::Welcome {
            session: Id::new(7).unwrap(),
            details: Dict::new().with("authid", "over-rawsocket"),
        },
        Message::Goodbye {
            details: Dict::new(),
            reason: "wamp.close.goodbye_and_out".into(),
        },
    ] {
        let frame = wire.next().await.unwrap().unwrap();
        Message::decode(serializer, &frame, 16).unwrap();
        wire.send(answer.encode(serializer).unwrap()).await.unwrap();
    }
    while let Some(Ok(_)) = wire.next().await {}
}

/// Lets one client in over WebSocket, and then go.
async fn serve_websocket(stream: impl Socket + 'static) {
    let mut client = Client::accept(stream).await;
    client.hear_hello().await;
    let details = Dict::new().with("authid", "over-websocket");
    client.welcome(details).await;
    client.part().await;
}

/// What a login by these words shows, or why it failed.
async fn outcome(words: &[&str]) -> String {
    match login(&args(words).unwrap(), "").await {
        Ok(session) => {
            let table = session.welcome.table();
            session.leave().await;
            table
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn rawsocket_in_each_serialization() {
    let router = FakeRouter::start().await;
    let address = format!("rs://{}", router.listener.local_addr().unwrap());
    for serializer in ["json", "msgpack", "cbor"] {
        let served = async { serve_rawsocket(router.stream().await).await };
        let words = [&address, "--serializer", serializer];
        let (outcome, ()) = join!(outcome(&words), served);
        assert!(outcome.contains("over-rawsocket"), "{outcome}");
    }
}

#[tokio::test]
async fn both_transports_on_a_unix_socket() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("wamp.sock");
    let listener = UnixListener::bind(&file).unwrap();
    let file = file.to_str().unwrap();
    let (raw, web) = (format!("unix:{file}"), format!("unix+ws://{file}:/x"));
    let (raw, web) = ([raw.as_str()], [web.as_str()]);

    let served = async { serve_rawsocket(listener.accept().await.unwrap().0).await };
    let (shown, ()) = join!(outcome(&raw), served);
    assert!(shown.contains("over-rawsocket"), "{shown}");

    let served = async { serve_websocket(listener.accept().await.unwrap().0).await };
    let (shown, ()) = join!(outcome(&web), served);
    assert!(shown.contains("over-websocket"), "{shown}");

    drop(listener);
    let failed = outcome(&raw).await;
    assert!(failed.contains("is the router running"), "{failed}");
}

/// While a person types, say.
#[tokio::test]
async fn pings_are_answered_during_a_login() {
    let router = FakeRouter::start().await;
    let address = format!("rs://{}", router.listener.local_addr().unwrap());
    let served = async {
        let mut stream = router.stream().await;
        let mut octets = [0; 4];
        stream.read_exact(&mut octets).await.unwrap();
        stream.write_all(&[0x7f, 0xf1, 0, 0]).await.unwrap();
        stream.write_all(b"\x01\x00\x00\x02hi").await.unwrap();
        let mut header = [0; 4];
        stream.read_exact(&mut header).await.unwrap();
        let mut hello = vec![0; usize::from(header[2]) << 8 | usize::from(header[3])];
        stream.read_exact(&mut hello).await.unwrap();
        let mut pong = [0; 6];
        stream.read_exact(&mut pong).await.unwrap();
        pong
    };
    let words = [address.as_str()];
    let (failed, pong) = join!(outcome(&words), served);
    assert_eq!(&pong, b"\x02\x00\x00\x02hi");
    assert!(failed.contains("closed the connection"), "{failed}");
}

#[tokio::test]
async fn a_router_that_opens_no_rawsocket_is_told_apart() {
    let router = FakeRouter::start().await;
    let address = format!("rs://{}", router.listener.local_addr().unwrap());
    for (answer, explained) in [
        (&[0x7f, 0x10, 0, 0][..], "choose another --serializer"),
        (&[0x7f, 0xf2, 0, 0], "choose another --serializer"),
        (&[0x7f, 0x20, 0, 0], "maximum length"),
        (&[0x7f, 0x40, 0, 0], "try again later"),
        (b"HTTP/1.1 400", "use rss:// instead of rs://"),
        (&[0x7f], "closed the connection"),
    ] {
        let served = async {
            let mut stream = router.stream().await;
            stream.read_exact(&mut [0; 4]).await.unwrap();
            stream.write_all(answer).await.unwrap();
        };
        let words = [address.as_str()];
        let (failed, ()) = join!(outcome(&words), served);
        assert!(failed.contains(explained), "{failed}");
    }
}

/// A CA, and a directory for what it makes.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        // Two authorities of one name would be taken for one with a wrong signature.
        let name = directory.path().to_string_lossy().into_owned();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, directory };
        fs::write(authority.path("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// The CA's own certificate.
    fn ca(&self) -> String {
        self.path("ca.pem").to_str().unwrap().to_owned()
    }

    /// A file with a certificate for a name and its key.
    fn certify(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = self.path(&format!("{name}.pem"));
        fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// What a server with this file needs. With a CA, clients need certificates of it.
    fn acceptor(file: &str, clients: Option<&Self>) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(ca.issuer.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain = vec![CertificateDer::from_pem_file(file).unwrap()];
        let key = PrivateKeyDer::from_pem_file(file).unwrap();
        Arc::new(config.with_single_cert(chain, key).unwrap()).into()
    }
}

/// A router with TLS, as these words find it.
async fn over_tls(acceptor: &TlsAcceptor, transport: &str, words: &[&str]) -> String {
    let router = FakeRouter::start().await;
    let port = router.listener.local_addr().unwrap().port();
    let address = format!("{transport}://localhost:{port}");
    let served = async {
        let Ok(stream) = acceptor.accept(router.stream().await).await else {
            return;
        };
        match transport {
            "rss" => serve_rawsocket(stream).await,
            _ => serve_websocket(stream).await,
        }
    };
    let words = [&[address.as_str()], words].concat();
    join!(outcome(&words), served).0
}

#[tokio::test]
async fn both_transports_over_tls() {
    let ca = Authority::new();
    let acceptor = Authority::acceptor(&ca.certify("localhost", |_| ()), None);
    let words = ["--ca", &ca.ca()];
    let shown = over_tls(&acceptor, "rss", &words).await;
    assert!(shown.contains("over-rawsocket"), "{shown}");
    let shown = over_tls(&acceptor, "wss", &words).await;
    assert!(shown.contains("over-websocket"), "{shown}");
}

#[tokio::test]
async fn a_routers_certificate_that_is_not_good_is_explained() {
    let (ca, other) = (Authority::new(), Authority::new());
    let elsewhere = ca.certify("router.example", |_| ());
    let old = ca.certify("localhost", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let unknown = other.certify("localhost", |_| ());
    for (file, explained) in [
        (&unknown, "name the file with its certificate with --ca"),
        (&elsewhere, "router.example"),
        (&old, "renew it"),
    ] {
        let acceptor = Authority::acceptor(file, None);
        let failed = over_tls(&acceptor, "rss", &["--ca", &ca.ca()]).await;
        assert!(failed.contains(explained), "{failed}");
        assert!(failed.starts_with("rss://localhost:"), "{failed}");
    }
}

#[tokio::test]
async fn a_router_that_asks_for_a_certificate_gets_one() {
    let (ca, other) = (Authority::new(), Authority::new());
    let acceptor = Authority::acceptor(&ca.certify("localhost", |_| ()), Some(&ca));
    let (ours, alien) = (ca.certify("alice", |_| ()), other.certify("eve", |_| ()));
    let ca = ca.ca();
    for transport in ["rss", "wss"] {
        let login = async |words: &[&str]| {
            let words = [&["--ca", ca.as_str()], words].concat();
            over_tls(&acceptor, transport, &words).await
        };
        let shown = login(&["--certificate", &ours]).await;
        assert!(shown.contains("over-"), "{shown}");
        let failed = login(&[]).await;
        assert!(failed.contains("name one with --certificate"), "{failed}");
        let failed = login(&["--certificate", &alien]).await;
        assert!(failed.contains("does not accept our"), "{failed}");
    }
}

#[tokio::test]
async fn tls_on_one_side_only_is_explained() {
    let ca = Authority::new();
    let acceptor = Authority::acceptor(&ca.certify("localhost", |_| ()), None);
    for (scheme, explained) in [("rs", "use rss://"), ("ws", "use wss://")] {
        let router = FakeRouter::start().await;
        let address = format!("{scheme}://{}", router.listener.local_addr().unwrap());
        let served = async {
            let failed = acceptor.accept(router.stream().await).into_fallible().await;
            let (_, mut stream) = failed.map(|_| ()).unwrap_err();
            // A close with octets unread would be a reset.
            stream.shutdown().await.unwrap();
            while stream.read(&mut [0; 1024]).await.unwrap_or(0) > 0 {}
        };
        let words = [address.as_str()];
        let (failed, ()) = join!(outcome(&words), served);
        assert!(failed.contains(explained), "{failed}");
    }

    let router = FakeRouter::start().await;
    let port = router.listener.local_addr().unwrap().port();
    let served = async {
        let mut stream = router.stream().await;
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    };
    let address = format!("wss://localhost:{port}/ws");
    let (ca, words) = (ca.ca(), [address.as_str(), "--ca"]);
    let words = [&words[..], &[&ca]].concat();
    let (failed, ()) = join!(outcome(&words), served);
    assert!(failed.contains("the answer is not TLS"), "{failed}");
}

#[test]
fn files_for_tls_that_are_no_use_are_explained() {
    let ca = Authority::new();
    let (alice, bob) = (ca.certify("alice", |_| ()), ca.certify("bob", |_| ()));
    let (ca_file, empty) = (ca.ca(), ca.path("empty.pem"));
    fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    for (words, explained) in [
        (&["ws://localhost", "--ca", &ca_file][..], "wss://"),
        (&["unix:x", "--certificate", &alice], "wss://"),
        (&["rss://localhost", "--ca", "/nowhere"], "/nowhere: "),
        (&["rss://localhost", "--ca", empty], "no certificate in it"),
        (
            &["rss://x", "--ca", &ca_file, "--certificate", &ca_file],
            "no key in it",
        ),
        (
            &[
                "rss://x",
                "--ca",
                &ca_file,
                "--certificate",
                &alice,
                "--certificate-key",
                &bob,
            ],
            "not usable with its key",
        ),
    ] {
        let args = args(words).unwrap();
        let refused = Dialer::new(args.address.clone(), &args.tls);
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains(explained), "{refused}");
    }
    assert!(args(&["--certificate-key", &bob]).is_err());
}
