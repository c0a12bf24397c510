use std::{fmt, path::Path, sync::Arc};

use tokio::{net::TcpStream, sync::OnceCell, task::spawn_blocking};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::SetupError;

pub(super) type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// The client's side of TLS. Whom to trust is the system's word, and the operator's.
pub(super) struct Tls {
    /// From the operator's file.
    more_roots: Vec<CertificateDer<'static>>,
    /// The system's are hundreds of certificates, and most routers never ask for them.
    connector: OnceCell<Result<TlsConnector, String>>,
}

impl Tls {
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, SetupError> {
        Ok(Self {
            more_roots: ca_file.map(read).transpose()?.unwrap_or_default(),
            connector: OnceCell::new(),
        })
    }

    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> Result<TlsStream, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let connector = self.connector.get_or_init(|| async {
            let more_roots = self.more_roots.clone();
            spawn_blocking(|| connector(more_roots))
                .await
                .unwrap_or_else(|error| Err(error.to_string()))
        });
        let connected = connector.await.clone()?.connect(name, stream).await;
        connected.map_err(|error| error.to_string())
    }
}

fn connector(more_roots: Vec<CertificateDer<'static>>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
    }
    // Old ones that today's rules do not let pass are of no use, and no reason to trust nobody.
    roots.add_parsable_certificates(system.certs);
    for root in more_roots {
        roots
            .add(root)
            .map_err(|error| format!("a certificate in \"ca_file\" cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err(
            "there are no certificate authorities to trust: install the system's, or name a file \
             under [egress] ca_file in countersign.toml"
                .into(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let unreadable = |error: &dyn fmt::Display| SetupError::CaFile {
        file: file.to_owned(),
        why: error.to_string(),
    };
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(|error| unreadable(&error))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    if certificates.is_empty() {
        let file = file.to_owned();
        return Err(SetupError::NoCertificate { file });
    }
    Ok(certificates)
}
