use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};
use thiserror::Error;
use tokio_rustls::TlsConnector;

/// How TLS is done.
#[derive(Clone, Debug, Default, Args)]
pub struct TlsArgs {
    /// The CA that the router's certificate is from, in PEM [default: those that this machine
    /// trusts]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// A certificate of ours to show to the router, in PEM, with those between it and its CA
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// The key of --certificate, in PEM [default: it is in the same file]
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
}

/// Why TLS cannot be done as it was asked for.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("--ca and --certificate are for TLS; use a wss:// or an rss:// address")]
    Unused,
    #[error("{}: not read as PEM: {source}; name a PEM file that you may read", .file.display())]
    Unreadable { file: PathBuf, source: pem::Error },
    #[error("{}: there is no certificate in it; name a file with a CERTIFICATE in PEM", .file.display())]
    NoCertificate { file: PathBuf },
    #[error(
        "{}: there is no key in it; name the file of the certificate's key with --certificate-key",
        .file.display()
    )]
    NoKey { file: PathBuf },
    #[error("{}: this certificate cannot be a CA's: {source}; name the CA's own", .file.display())]
    NoCa {
        file: PathBuf,
        source: rustls::Error,
    },
    #[error("this machine trusts no CA ({0}); name one with --ca FILE")]
    NoRoots(String),
    #[error("{}: not usable with its key: {source}; name the key of this certificate", .file.display())]
    Certificate {
        file: PathBuf,
        source: rustls::Error,
    },
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

impl TlsArgs {
    /// What an address without TLS makes no use of.
    pub fn check_unused(&self) -> Result<(), TlsError> {
        match self {
            Self {
                ca: None,
                certificate: None,
                certificate_key: None,
            } => Ok(()),
            _ => Err(TlsError::Unused),
        }
    }

    pub fn connector(&self) -> Result<TlsConnector, TlsError> {
        let roots = match &self.ca {
            Some(file) => roots_of(file)?,
            None => roots_of_the_machine()?,
        };
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(roots);
        let config = match &self.certificate {
            None => config.with_no_client_auth(),
            Some(file) => {
                let key = key(self.certificate_key.as_ref().unwrap_or(file))?;
                config
                    .with_client_auth_cert(certificates(file)?, key)
                    .map_err(|source| TlsError::Certificate {
                        file: file.clone(),
                        source,
                    })?
            }
        };
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn roots_of(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|source| TlsError::NoCa {
            file: file.to_owned(),
            source,
        })?;
    }
    Ok(roots)
}

fn roots_of_the_machine() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Machines have odd certificates among theirs; those are no use to anybody.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(ToString::to_string);
        return Err(TlsError::NoRoots(
            why.unwrap_or_else(|| "no certificate of one was found".to_owned()),
        ));
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|source| TlsError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate {
            file: file.to_owned(),
        });
    }
    Ok(certificates)
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        let file = file.to_owned();
        match error {
            pem::Error::NoItemsFound => TlsError::NoKey { file },
            source => TlsError::Unreadable { file, source },
        }
    })
}
