use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What the rules look at in a certificate.
#[derive(Debug)]
pub struct Certificate {
    pub fingerprint: [u8; 32],
    pub public_key: [u8; 32],
    /// Its alternative names, each as `kind:name`. The subject is no name: what is in it has never
    /// been defined well enough to log in by (RFC 6125, section 6.4.4).
    pub names: Vec<String>,
    /// In milliseconds since the Unix epoch.
    pub not_after: u64,
}

#[derive(Debug)]
pub struct Unreadable;

impl Certificate {
    /// Reads a certificate from DER.
    pub fn read(der: &[u8]) -> Result<Self, Unreadable> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Unreadable)?;
        if !rest.is_empty() {
            return Err(Unreadable);
        }
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| Unreadable)?
            .map(|extension| &extension.value.general_names[..])
            .unwrap_or_default();
        let not_after = certificate.validity().not_after.timestamp();
        Ok(Self {
            fingerprint: Sha256::digest(der).into(),
            public_key: Sha256::digest(certificate.public_key().raw).into(),
            names: names.iter().filter_map(name).collect(),
            not_after: u64::try_from(not_after).map_err(|_| Unreadable)? * 1000,
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    let (kind, name) = match name {
        GeneralName::DNSName(name) => ("dns", name),
        GeneralName::RFC822Name(name) => ("email", name),
        GeneralName::URI(name) => ("uri", name),
        _ => return None,
    };
    // A name with a NUL or the like in it is made to be taken for another.
    name.chars()
        .all(|c| c.is_ascii_graphic())
        .then(|| format!("{kind}:{name}"))
}
