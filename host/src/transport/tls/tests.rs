use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::{TlsConnector, client};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A certificate in PEM, and its key.
struct Leaf {
    certificate: String,
    key: KeyPair,
}

fn authority() -> Authority {
    // Two authorities of one name would be taken for one with a wrong signature.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(authority: &Authority, usage: ExtendedKeyUsagePurpose) -> Leaf {
    leaf_with(authority, usage, |_| {})
}

fn leaf_with(
    authority: &Authority,
    usage: ExtendedKeyUsagePurpose,
    change: impl FnOnce(&mut CertificateParams),
) -> Leaf {
    let mut params = CertificateParams::new(["router.example".to_owned()]).unwrap();
    params.extended_key_usages = vec![usage];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap().pem();
    Leaf { certificate, key }
}

/// The files of a router whose authority is also that of its clients.
struct Files {
    directory: TempDir,
    tls: Tls,
}

impl Files {
    fn new(server: &Authority, clients: Option<(&Authority, ClientCertificate)>) -> Self {
        let directory = TempDir::new().unwrap();
        let tls = Tls {
            certificate: directory.path().join("certificate.pem"),
            key: directory.path().join("key.pem"),
            client_roots: clients.map(|_| directory.path().join("roots.pem")),
            client_certificate: clients.map_or(ClientCertificate::Optional, |(_, how)| how),
        };
        let files = Self { directory, tls };
        files.put(&leaf(server, ExtendedKeyUsagePurpose::ServerAuth));
        if let Some((authority, _)) = clients {
            fs::write(files.directory.path().join("roots.pem"), authority.pem()).unwrap();
        }
        files
    }

    fn put(&self, leaf: &Leaf) {
        fs::write(&self.tls.certificate, &leaf.certificate).unwrap();
        fs::write(&self.tls.key, leaf.key.serialize_pem()).unwrap();
    }
}

/// A client that believes an authority, shows a certificate if it has one, and says a word.
async fn shake(
    terms: &Terms,
    believes: &Authority,
    shows: Option<&Leaf>,
) -> (Result<TlsFacts, String>, Option<Vec<u8>>) {
    let mut roots = RootCertStore::empty();
    roots.add(believes.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shows {
        None => builder.with_no_client_auth(),
        Some(leaf) => {
            let chain = CertificateDer::pem_slice_iter(leaf.certificate.as_bytes());
            let key = PrivateKeyDer::from_pem_slice(leaf.key.serialize_pem().as_bytes());
            builder
                .with_client_auth_cert(chain.map(Result::unwrap).collect(), key.unwrap())
                .unwrap()
        }
    };
    let (ours, theirs) = duplex(1 << 16);
    let name = ServerName::try_from("router.example").unwrap();
    let client = async {
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream: client::TlsStream<_> = connector.connect(name, theirs).await.ok()?;
        let (_, tls) = stream.get_ref();
        let exported = tls.export_keying_material(vec![0; 32], EXPORTER_LABEL, None);
        stream.write_all(b"x").await.ok()?;
        // In TLS 1.3 a client learns only now that its certificate was refused.
        stream.read_exact(&mut [0]).await.ok()?;
        exported.ok()
    };
    let server = async {
        let (mut stream, facts) = terms
            .accept(ours)
            .await
            .map_err(|error| error.to_string())?;
        stream
            .read_exact(&mut [0])
            .await
            .map_err(|error| error.to_string())?;
        stream
            .write_all(b"y")
            .await
            .map_err(|error| error.to_string())?;
        Ok(facts)
    };
    let (exported, facts) = tokio::join!(client, server);
    (facts, exported)
}

#[tokio::test]
async fn both_ends_have_the_same_channel_binding_and_no_other_connection_has_it() {
    let authority = authority();
    let files = Files::new(&authority, None);
    let terms = Terms::read(&files.tls).unwrap();
    let (facts, exported) = shake(&terms, &authority, None).await;
    let first = facts.unwrap();
    assert_eq!(first.exporter.map(Vec::from), exported);
    assert!(first.certificates.is_empty());
    let (facts, _) = shake(&terms, &authority, None).await;
    assert_ne!(facts.unwrap().exporter, first.exporter);
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let authority = authority();
    let client = leaf(&authority, ExtendedKeyUsagePurpose::ClientAuth);
    for how in [ClientCertificate::Optional, ClientCertificate::Required] {
        let files = Files::new(&authority, Some((&authority, how)));
        let terms = Terms::read(&files.tls).unwrap();
        let (facts, _) = shake(&terms, &authority, Some(&client)).await;
        let shown = CertificateDer::from_pem_slice(client.certificate.as_bytes()).unwrap();
        assert_eq!(
            facts.unwrap().certificates,
            [Bytes::copy_from_slice(&shown)]
        );
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_may_come_where_it_is_optional() {
    let authority = authority();
    for (how, comes) in [
        (ClientCertificate::Optional, true),
        (ClientCertificate::Required, false),
    ] {
        let files = Files::new(&authority, Some((&authority, how)));
        let terms = Terms::read(&files.tls).unwrap();
        let (facts, _) = shake(&terms, &authority, None).await;
        assert_eq!(facts.is_ok(), comes, "{how:?}: {facts:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_usage_or_time_is_refused() {
    let (authority, stranger) = (authority(), authority());
    let (client, server) = (
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    );
    let day = Duration::from_hours(24);
    let now = time::OffsetDateTime::now_utc();
    for (what, leaf, said) in [
        (
            "another authority",
            leaf(&stranger, client.clone()),
            "UnknownIssuer",
        ),
        (
            "another usage",
            leaf(&authority, server),
            "ExtendedKeyUsage",
        ),
        (
            "its time is over",
            leaf_with(&authority, client.clone(), |params| {
                params.not_after = now - day;
            }),
            "xpired",
        ),
        (
            "its time is to come",
            leaf_with(&authority, client, |params| params.not_before = now + day),
            "NotValidYet",
        ),
    ] {
        let optional = ClientCertificate::Optional;
        let files = Files::new(&authority, Some((&authority, optional)));
        let terms = Terms::read(&files.tls).unwrap();
        let (facts, _) = shake(&terms, &authority, Some(&leaf)).await;
        let error = facts.expect_err(what);
        let plain = error.replace(' ', "").to_lowercase();
        assert!(plain.contains(&said.to_lowercase()), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_told_once() {
    let (old, new) = (authority(), authority());
    let files = Files::new(&old, None);
    let terms = Terms::read(&files.tls).unwrap();
    assert!(!terms.look().unwrap(), "nothing has changed");

    fs::write(&files.tls.certificate, "no certificate").unwrap();
    assert!(matches!(terms.look(), Err(TlsError::NoCertificate(_))));
    assert!(!terms.look().unwrap(), "it was told");
    assert!(
        shake(&terms, &old, None).await.0.is_ok(),
        "the old one serves"
    );

    files.put(&leaf(&new, ExtendedKeyUsagePurpose::ServerAuth));
    assert!(terms.look().unwrap());
    assert!(shake(&terms, &new, None).await.0.is_ok());
    assert!(shake(&terms, &old, None).await.0.is_err());
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = authority();
    let files = Files::new(&authority, None);
    let other = leaf(&authority, ExtendedKeyUsagePurpose::ServerAuth);
    fs::write(&files.tls.key, other.key.serialize_pem()).unwrap();
    let error = Terms::read(&files.tls).unwrap_err();
    assert!(error.to_string().contains("key.pem"), "{error}");
    assert!(matches!(error, TlsError::Identity { .. }), "{error:?}");

    fs::remove_file(&files.tls.key).unwrap();
    let error = Terms::read(&files.tls).unwrap_err();
    assert!(error.to_string().contains("key.pem"), "{error}");
}
