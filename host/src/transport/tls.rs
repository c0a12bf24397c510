//! TLS at a listener: who we are, and whose certificates we believe.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::RwLock;
use rustls::{
    ConnectionCommon, ProtocolVersion, RootCertStore, ServerConfig,
    crypto::ring,
    server::{VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::connection::TlsFacts;
use crate::{
    config::{ClientCertificate, Tls},
    stamp::Stamp,
};

/// The label of RFC 9266, section 2.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// What a listener's TLS goes by. Certificates are renewed while it listens: what a connection
/// began with it keeps, and the next gets the new one.
#[derive(Debug)]
pub(super) struct Terms {
    files: Tls,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    stamps: Vec<Option<Stamp>>,
}

/// Why a listener's TLS files cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{}: cannot be read: {error}; it must be a PEM file that the router's user may read", .file.display())]
    Unreadable { file: PathBuf, error: pem::Error },
    #[error("{}: there is no certificate in it; it must be a PEM file with BEGIN CERTIFICATE", .0.display())]
    NoCertificate(PathBuf),
    #[error("{}: {error}; each certificate in it must be an authority's", .file.display())]
    Root { file: PathBuf, error: rustls::Error },
    #[error("{}: {error}", .file.display())]
    Verifier {
        file: PathBuf,
        error: VerifierBuilderError,
    },
    #[error(
        "{} and {}: {error}; the key must be that of the first certificate",
        .certificate.display(), .key.display()
    )]
    Identity {
        certificate: PathBuf,
        key: PathBuf,
        error: rustls::Error,
    },
}

impl Terms {
    pub(super) fn read(files: &Tls) -> Result<Self, TlsError> {
        let current = Current::read(files)?;
        Ok(Self {
            files: files.clone(),
            current: RwLock::new(current),
        })
    }

    /// Reads the files again if one of them has changed. True: new ones are in use. After an error
    /// the old ones are, and the error comes once for each change.
    pub(super) fn look(&self) -> Result<bool, TlsError> {
        let stamps = stamps(&self.files);
        if self.current.read().stamps == stamps {
            return Ok(false);
        }
        let read = Current::read(&self.files);
        let mut current = self.current.write();
        match read {
            Ok(new) => *current = new,
            Err(error) => {
                current.stamps = stamps;
                return Err(error);
            }
        }
        Ok(true)
    }

    /// Shakes hands with a client.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> std::io::Result<(TlsStream<S>, TlsFacts)> {
        let config = Arc::clone(&self.current.read().config);
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let (_, tls) = stream.get_ref();
        let certificates = tls.peer_certificates().unwrap_or_default();
        let facts = TlsFacts {
            certificates: certificates
                .iter()
                .map(|certificate| Bytes::copy_from_slice(certificate))
                .collect(),
            exporter: exporter(tls),
        };
        Ok((stream, facts))
    }
}

/// `tls-exporter` of RFC 9266, which both ends of a connection find to be the same and no other
/// connection has. None before TLS 1.3, or before the handshake is over.
pub fn exporter<Side>(tls: &ConnectionCommon<Side>) -> Option<[u8; 32]> {
    (tls.protocol_version() == Some(ProtocolVersion::TLSv1_3))
        .then(|| tls.export_keying_material([0; 32], EXPORTER_LABEL, None))
        .and_then(Result::ok)
}

impl Current {
    fn read(files: &Tls) -> Result<Self, TlsError> {
        // Before the files: a change in between is then seen the next time.
        let stamps = stamps(files);
        let chain = certificates(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| unreadable(&files.key, error))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| identity(files, error))?;
        let builder = match verifier(files, provider)? {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(verifier),
        };
        let config = builder
            .with_single_cert(chain, key)
            .map_err(|error| identity(files, error))?;
        Ok(Self {
            config: Arc::new(config),
            stamps,
        })
    }
}

/// Checks a client's certificate: its chain, its time, and that it is meant for clients.
fn verifier(
    files: &Tls,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let Some(file) = &files.client_roots else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for root in certificates(file)? {
        roots.add(root).map_err(|error| TlsError::Root {
            file: file.clone(),
            error,
        })?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match files.client_certificate {
        ClientCertificate::Optional => builder.allow_unauthenticated(),
        ClientCertificate::Required => builder,
    };
    let verifier = builder.build().map_err(|error| TlsError::Verifier {
        file: file.clone(),
        error,
    })?;
    Ok(Some(verifier))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(file, error))?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate(file.to_owned()));
    }
    Ok(found)
}

fn unreadable(file: &Path, error: pem::Error) -> TlsError {
    TlsError::Unreadable {
        file: file.to_owned(),
        error,
    }
}

fn identity(files: &Tls, error: rustls::Error) -> TlsError {
    TlsError::Identity {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        error,
    }
}

fn stamps(files: &Tls) -> Vec<Option<Stamp>> {
    [
        Some(&files.certificate),
        Some(&files.key),
        files.client_roots.as_ref(),
    ]
    .into_iter()
    .flatten()
    .map(|file| Stamp::of(file))
    .collect()
}

#[cfg(test)]
mod tests;
