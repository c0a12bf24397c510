use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, SanType};

use super::*;

/// A certificate of its own making, with these alternative names.
fn der(names: &[&str]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    for name in names {
        let (kind, name) = name.split_once(':').unwrap();
        let name = name.try_into().unwrap();
        params.subject_alt_names.push(match kind {
            "dns" => SanType::DnsName(name),
            "email" => SanType::Rfc822Name(name),
            _ => SanType::URI(name),
        });
    }
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn rule(name: Option<&str>, authid: Option<&str>) -> Rule {
    Rule {
        fingerprint: None,
        public_key: None,
        name: name.map(Into::into),
        authid: authid.map(Into::into),
        role: "user".into(),
    }
}

fn decided(rules: Vec<Rule>, certificate: &Certificate, asked: Option<&str>) -> Option<String> {
    let tls = Tls {
        certificates: rules,
    };
    assert_eq!(tls.check(), Ok(()));
    match tls.decide(certificate, asked) {
        Verdict::Accept(identity) => {
            assert_eq!(identity.expires_at, Some(certificate.not_after));
            Some(identity.authid)
        }
        Verdict::Deny(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_fit_or_do_not() {
    for (pattern, name, fits) in [
        ("dns:a.example.com", "dns:a.example.com", true),
        ("dns:a.example.com", "dns:A.Example.com", true),
        ("dns:*.example.com", "dns:a.example.com", true),
        ("dns:*.example.com", "dns:a.b.example.com", false),
        ("dns:*.example.com", "dns:example.com", false),
        ("dns:a.example.com", "uri:a.example.com", false),
        ("email:alice@example.com", "email:alice@EXAMPLE.com", true),
        ("email:alice@example.com", "email:Alice@example.com", false),
        ("email:*@example.com", "email:bob@example.com", true),
        ("email:*@example.com", "email:bob@evil.com", false),
        ("email:*@example.com", "email:x@example.com@evil.com", false),
        ("uri:spiffe://x/worker", "uri:spiffe://x/worker", true),
        ("uri:spiffe://x/worker", "uri:spiffe://x/worker/2", false),
        ("uri:spiffe://x/*", "uri:spiffe://x/worker/2", true),
        ("uri:spiffe://x/*", "uri:spiffe://xy/worker", false),
    ] {
        let certificate = Certificate::read(&der(&[name])).unwrap();
        let found = decided(vec![rule(Some(pattern), Some("it"))], &certificate, None);
        assert_eq!(found.is_some(), fits, "{pattern} {name}");
    }
}

#[test]
fn without_an_authid_the_name_is_it() {
    let certificate = Certificate::read(&der(&["dns:a.example.com", "dns:b.example.com"])).unwrap();
    let rules = || vec![rule(Some("dns:*.example.com"), None)];
    let found = |asked| decided(rules(), &certificate, asked);
    assert_eq!(found(None).as_deref(), Some("a.example.com"));
    assert_eq!(
        found(Some("b.example.com")).as_deref(),
        Some("b.example.com")
    );
    assert_eq!(found(Some("c.example.com")), None);
}

#[test]
fn a_rule_by_digest_knows_one_certificate_or_one_key() {
    let [own, other] = [(), ()].map(|()| Certificate::read(&der(&[])).unwrap());
    let by = |fingerprint: Option<[u8; 32]>, public_key: Option<[u8; 32]>| Rule {
        fingerprint: fingerprint.map(hex::encode_upper),
        public_key: public_key.map(hex::encode),
        ..rule(None, Some("alice"))
    };
    for (fingerprint, public_key, fits) in [
        (Some(own.fingerprint), None, true),
        (None, Some(own.public_key), true),
        (Some(own.fingerprint), Some(own.public_key), true),
        (Some(own.fingerprint), Some(other.public_key), false),
        (Some(other.fingerprint), None, false),
        (None, Some(other.public_key), false),
        (Some(own.public_key), None, false),
    ] {
        let found = decided(vec![by(fingerprint, public_key)], &own, None);
        assert_eq!(found.is_some(), fits);
    }
    assert_eq!(digest("AA:bb"), None);
    assert_eq!(digest(&["AA"; 32].join(":")), Some([0xaa; 32]));
}

#[test]
fn rules_that_would_let_in_everyone_are_refused() {
    for (bad, said) in [
        (rule(None, Some("alice")), "let in everyone"),
        (rule(Some("dns:"), None), "every name"),
        (rule(Some("dns:*."), None), "every name"),
        (rule(Some("uri:*"), None), "every name"),
        (rule(Some("dns:a.*.com"), None), "first label"),
        (rule(Some("alice"), None), "dns:"),
        (rule(Some("ip:1.2.3.4"), None), "known are"),
        (rule(Some("dns:a"), Some("")), "`authid` is empty"),
        (
            Rule {
                fingerprint: Some("abc".into()),
                ..rule(None, Some("alice"))
            },
            "SHA-256",
        ),
    ] {
        let tls = Tls {
            certificates: vec![bad],
        };
        let error = tls.check().unwrap_err();
        assert!(error.contains(said) && error.contains("rule 1"), "{error}");
    }
    assert!(
        Tls {
            certificates: vec![]
        }
        .check()
        .is_err()
    );
}

#[test]
fn a_certificate_ends_where_its_octets_end() {
    let mut octets = der(&["dns:a"]);
    octets.push(0);
    assert!(Certificate::read(&octets).is_err());
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        _ = Certificate::read(&octets);
    }

    #[test]
    fn a_certificate_with_one_octet_changed_is_read_or_refused(at in 0_usize..1000, by in 1_u8..) {
        let mut octets = der(&["dns:a.example.com", "email:alice@example.com"]);
        let at = at % octets.len();
        octets[at] ^= by;
        if let Ok(certificate) = Certificate::read(&octets) {
            for name in &certificate.names {
                prop_assert!(name.is_ascii());
            }
        }
    }
}
