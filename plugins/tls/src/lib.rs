//! Login with a TLS client certificate. The router has checked that it leads to one of the
//! listener's `client_roots`, that its time has come and is not over, and that it is meant for
//! clients; TLS has shown that the client has its key. The realm's rules say who that is.
//!
//! Nothing is asked. The session ends when the certificate does.

mod certificate;

use certificate::Certificate;
use countersign_guest::transport::certificates;
use countersign_guest::{Attempt, Identity, Manifest, Method, Verdict};
use serde::Deserialize;

/// The method with its settings.
#[derive(Debug, Deserialize)]
pub struct Tls {
    /// The first that fits decides.
    certificates: Vec<Rule>,
}

/// Whose certificate it is. All that a rule names must fit.
#[derive(Debug, Deserialize)]
struct Rule {
    /// The SHA-256 of the certificate, in hex; colons between the octets do no harm.
    fingerprint: Option<String>,
    /// The SHA-256 of its `SubjectPublicKeyInfo`, in hex: it stays when a certificate is renewed
    /// with the same key.
    public_key: Option<String>,
    /// One of its alternative names: `dns:host.example.com`, `email:alice@example.com` or
    /// `uri:spiffe://example.com/worker`. A `*` stands for the first label of a DNS name, for all
    /// before the `@` of an address, and for the rest of a URI at its end.
    name: Option<String>,
    /// Who that is in the realm. It may be left out where `name` is there: then it is the name that
    /// fitted, without its kind.
    authid: Option<String>,
    /// One of the realm's roles.
    role: String,
}

impl Method for Tls {
    const MANIFEST: Manifest = Manifest {
        name: "tls",
        version: env!("CARGO_PKG_VERSION"),
        summary: "lets in who has the key of a certificate that the realm's rules know",
        credential_kinds: &[],
    };

    fn check(&self) -> Result<(), String> {
        if self.certificates.is_empty() {
            return Err("`certificates` is empty, so nobody could log in".into());
        }
        for (number, rule) in (1..).zip(&self.certificates) {
            rule.check()
                .map_err(|problem| format!("rule {number} of `certificates`: {problem}"))?;
        }
        Ok(())
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let chain = certificates();
        let Some(own) = chain.first() else {
            return Ok(Verdict::deny("the client showed no certificate"));
        };
        let Ok(certificate) = Certificate::read(own) else {
            return Ok(Verdict::deny("the client's certificate cannot be read"));
        };
        Ok(self.decide(&certificate, attempt.authid.as_deref()))
    }
}

impl Tls {
    /// A client may ask for one of several authids that its certificate gives; one that asks for
    /// none gets the first.
    fn decide(&self, certificate: &Certificate, asked: Option<&str>) -> Verdict {
        for rule in &self.certificates {
            for authid in rule.authids(certificate) {
                if asked.is_none_or(|asked| asked == authid) {
                    let identity = Identity::new(authid, &rule.role);
                    return identity.expiring_at(certificate.not_after).into();
                }
            }
        }
        Verdict::deny(format!(
            "no rule makes the certificate {} what it asks to be",
            hex::encode(certificate.fingerprint)
        ))
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        if self.role.is_empty() {
            return Err("`role` is empty".into());
        }
        for (key, value) in [
            ("fingerprint", &self.fingerprint),
            ("public_key", &self.public_key),
        ] {
            if value.as_deref().is_some_and(|text| digest(text).is_none()) {
                return Err(format!("`{key}` is not the hex of a SHA-256"));
            }
        }
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        if self.fingerprint.is_none() && self.public_key.is_none() && self.name.is_none() {
            return Err(
                "there is none of `fingerprint`, `public_key` and `name`: it would let in everyone"
                    .into(),
            );
        }
        match (&self.authid, &self.name) {
            (None, None) => Err("without a `name` there must be an `authid`".into()),
            (Some(authid), _) if authid.is_empty() => Err("`authid` is empty".into()),
            _ => Ok(()),
        }
    }

    /// Who a certificate is by this rule. Empty: it does not fit.
    fn authids<'a>(&'a self, certificate: &'a Certificate) -> Vec<&'a str> {
        let fits = |wanted: &Option<String>, found: &[u8; 32]| {
            wanted
                .as_deref()
                .is_none_or(|wanted| digest(wanted).as_ref() == Some(found))
        };
        if !fits(&self.fingerprint, &certificate.fingerprint)
            || !fits(&self.public_key, &certificate.public_key)
        {
            return Vec::new();
        }
        let Some(pattern) = &self.name else {
            return self.authid.as_deref().into_iter().collect();
        };
        let fitting = certificate
            .names
            .iter()
            .filter(|name| name_fits(pattern, name));
        fitting
            .filter_map(|name| {
                let bare = name.split_once(':').map(|(_, bare)| bare);
                self.authid.as_deref().or(bare)
            })
            .collect()
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let text: String = text.chars().filter(|c| *c != ':').collect();
    hex::decode(text).ok()?.try_into().ok()
}

fn check_name(pattern: &str) -> Result<(), String> {
    let Some((kind, name)) = pattern.split_once(':') else {
        return Err(format!(
            "`name` is {pattern:?}; begin it with \"dns:\", \"email:\" or \"uri:\""
        ));
    };
    let (place, rest) = match kind {
        "dns" => (
            "in place of the first label",
            name.strip_prefix("*.").unwrap_or(name),
        ),
        "email" => (
            "in place of all before the @",
            name.strip_prefix("*@").unwrap_or(name),
        ),
        "uri" => ("at the end", name.strip_suffix('*').unwrap_or(name)),
        _ => {
            return Err(format!(
                "`name` is of the kind {kind:?}; known are \"dns\", \"email\" and \"uri\""
            ));
        }
    };
    if rest.is_empty() {
        return Err(format!("`name` is {pattern:?}, which every name fits"));
    }
    if rest.contains('*') {
        return Err(format!(
            "`name` is {pattern:?}; its `*` can only stand {place}"
        ));
    }
    Ok(())
}

/// Names of hosts, and what is behind the `@`, have no case.
fn name_fits(pattern: &str, name: &str) -> bool {
    let (Some((kind, pattern)), Some((found, name))) =
        (pattern.split_once(':'), name.split_once(':'))
    else {
        return false;
    };
    if kind != found {
        return false;
    }
    match kind {
        "dns" => match (pattern.strip_prefix("*."), name.split_once('.')) {
            (Some(pattern), Some((_, rest))) => rest.eq_ignore_ascii_case(pattern),
            (Some(_), None) => false,
            (None, _) => name.eq_ignore_ascii_case(pattern),
        },
        "email" => match (pattern.rsplit_once('@'), name.rsplit_once('@')) {
            (Some((person, host)), Some((found, at))) => {
                (person == "*" || person == found) && host.eq_ignore_ascii_case(at)
            }
            _ => false,
        },
        "uri" => match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == pattern,
        },
        _ => false,
    }
}

countersign_guest::export!(Tls);

#[cfg(test)]
mod tests;
