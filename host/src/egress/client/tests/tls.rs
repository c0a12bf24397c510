//! Requests to a service with a certificate.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A service by the address 127.0.0.1, whose certificate has this name.
struct Secure {
    url: String,
    directory: TempDir,
}

impl Secure {
    async fn with(name: SanType) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
            )
            .unwrap();
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/who", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not believe the certificate goes.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut heard = Vec::new();
                while !heard.ends_with(b"\r\n\r\n") {
                    heard.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(GOOD.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        Self { url, directory }
    }

    /// What comes of a request by a router that trusts the service's authority, or only others.
    async fn asked(&self, trusted: bool) -> Result<Response, EgressError> {
        let file = self.directory.path().join("ca.pem");
        let config = EgressConfig {
            ca_file: trusted.then_some(file),
            ..config(&[&self.url], &["127.0.0.0/8"])
        };
        ask(&Egress::new(&config).unwrap(), &self.url).await
    }
}

fn here() -> SanType {
    SanType::IpAddress([127, 0, 0, 1].into())
}

#[tokio::test]
async fn a_service_is_known_by_the_operators_authority() {
    let response = Secure::with(here()).await.asked(true).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"{}"[..]));
}

#[tokio::test]
async fn who_is_not_known_or_another_is_not_asked() {
    let elsewhere = SanType::DnsName("elsewhere.example".try_into().unwrap());
    for (name, trusted, said) in [
        (here(), false, "UnknownIssuer"),
        (elsewhere, true, "not valid for"),
    ] {
        let error = Secure::with(name).await.asked(trusted).await.unwrap_err();
        let EgressError::Tls { why, .. } = &error else {
            panic!("{error}")
        };
        // A machine that trusts nobody at all says so.
        let nobody = !trusted && why.contains("no certificate authorities");
        assert!(why.contains(said) || nobody, "{error}");
        assert!(
            error.to_string().contains("no TLS with https://127.0.0.1:"),
            "{error}"
        );
    }
}
