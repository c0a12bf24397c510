use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};

use crate::Deployment;

/// Somebody who issues certificates.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Debug)]
pub struct Certified {
    pub der: Vec<u8>,
    pem: String,
    key: String,
}

impl Authority {
    /// Two authorities of one name would be taken for one with a wrong signature: each has its own.
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("the system gives randomness");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate of its own"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a router on this machine.
    pub fn for_server(&self) -> Certified {
        let names = [
            SanType::IpAddress([127, 0, 0, 1].into()),
            SanType::DnsName("localhost".try_into().expect("a name")),
        ];
        self.issue(&names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client with these addresses for email.
    pub fn for_client(&self, emails: &[&str]) -> Certified {
        let email = |email: &&str| (*email).try_into().map(SanType::Rfc822Name);
        let names: Result<Vec<_>, _> = emails.iter().map(email).collect();
        let names = names.expect("an address in ASCII");
        self.issue(&names, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, names: &[SanType], usage: ExtendedKeyUsagePurpose) -> Certified {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.to_vec();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().expect("the system gives randomness");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Certified {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Certified {
    /// Puts it into the files `NAME.pem` and `NAME.key`.
    pub fn write(&self, deployment: &Deployment, name: &str) {
        for (kind, text) in [("pem", &self.pem), ("key", &self.key)] {
            deployment.file(&format!("{name}.{kind}"), text);
        }
    }
}
