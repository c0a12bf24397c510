//! Time-based one-time passwords (RFC 6238): what the app on a person's telephone is told.

use std::fmt::{self, Write as _};

use data_encoding::BASE32_NOPAD;
use serde_json::{Map, json};
use zeroize::Zeroizing;

use super::{EnrolError, Enrolment};
use crate::credential::{Authid, Hash, Key, Kind, Material, Parameters, Realm, RecoveryCode};

/// How an app makes its codes. The default is what every app can do; some ignore anything else and
/// show codes that never fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totp {
    pub algorithm: Hash,
    /// 6 to 8.
    pub digits: u8,
    /// Seconds that a code is shown for: 10 to 300.
    pub period: u32,
}

/// What app and host share. It is not printed, and is wiped when dropped.
#[derive(Clone)]
pub struct Seed(Zeroizing<Vec<u8>>);

/// Why a text is no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    #[error("a seed is base32: the letters A to Z and the digits 2 to 7; this is something else")]
    NotBase32,
    #[error(
        "a seed of {0} octets: {min} to {max} are possible (RFC 4226 asks for 16 at least)",
        min = Seed::SHORTEST, max = Seed::LONGEST
    )]
    Length(usize),
}

/// A seed for `totp`, with recovery codes beside it. The seed is kept as it is: the host computes
/// with it. Of the codes only hashes are kept.
///
/// # Errors
/// For numbers that no app can be asked to work with.
pub fn totp(seed: &Seed, totp: &Totp, codes: &[RecoveryCode]) -> Result<Enrolment, EnrolError> {
    let Totp { digits, period, .. } = *totp;
    if !(6..=8).contains(&digits) || !(10..=300).contains(&period) {
        return Err(EnrolError::Totp { digits, period });
    }
    let key = Key::new(&seed.0);
    Ok(Enrolment {
        kind: Kind::totp(),
        parameters: totp.parameters(),
        recovery: codes.iter().map(|code| code.hash(&key)).collect(),
        material: Material::Key(key),
    })
}

impl Totp {
    pub(in crate::credential) fn parameters(self) -> Parameters {
        Parameters::from(Map::from_iter([
            ("algorithm".to_owned(), json!(self.algorithm_name())),
            ("digits".to_owned(), json!(self.digits)),
            ("period".to_owned(), json!(self.period)),
        ]))
    }

    /// As `otpauth` addresses have it.
    const fn algorithm_name(self) -> &'static str {
        match self.algorithm {
            Hash::Sha1 => "SHA1",
            Hash::Sha256 => "SHA256",
            Hash::Sha512 => "SHA512",
        }
    }

    /// The address that an app takes, usually as a QR code: all that there is to know, the seed
    /// included.
    #[must_use]
    pub fn address(&self, seed: &Seed, realm: &Realm, authid: &Authid) -> Zeroizing<String> {
        let (issuer, account) = (escaped(realm.as_str()), escaped(authid.as_str()));
        let seed = Zeroizing::new(BASE32_NOPAD.encode(&seed.0));
        let algorithm = self.algorithm_name();
        let Self { digits, period, .. } = self;
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}\
             &algorithm={algorithm}&digits={digits}&period={period}",
            *seed
        ))
    }
}

impl Default for Totp {
    fn default() -> Self {
        Self {
            algorithm: Hash::Sha1,
            digits: 6,
            period: 30,
        }
    }
}

impl Seed {
    /// 128 bits.
    const SHORTEST: usize = 16;
    /// What the longest hash works with at once.
    const LONGEST: usize = 128;

    /// A new one, as long as the hash that it is for.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn fresh(algorithm: Hash) -> Result<Self, EnrolError> {
        let mut seed = Self(Zeroizing::new(vec![0; algorithm.octets()]));
        getrandom::fill(&mut seed.0)?;
        Ok(seed)
    }

    /// Reads base32 as people copy it: in either case, with spaces or hyphens between, with padding
    /// or without.
    ///
    /// # Errors
    /// For other text, and for a seed that is too short to be one or longer than any is.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        let text: Zeroizing<String> = Zeroizing::new(
            text.chars()
                .filter(|c| !matches!(c, ' ' | '-'))
                .map(|c| c.to_ascii_uppercase())
                .collect(),
        );
        let octets = BASE32_NOPAD
            .decode(text.trim_end_matches('=').as_bytes())
            .map_err(|_| SeedError::NotBase32)?;
        let seed = Self(Zeroizing::new(octets));
        if !(Self::SHORTEST..=Self::LONGEST).contains(&seed.0.len()) {
            return Err(SeedError::Length(seed.0.len()));
        }
        Ok(seed)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(_)")
    }
}

/// Percent-encoded (RFC 3986) as far as possible: apps differ in what they take otherwise.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, octet| {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            // Writing to a String does not fail.
            _ = write!(escaped, "%{octet:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The octets "12345678901234567890", of RFC 6238's examples.
    const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn octets(text: &str) -> Result<Vec<u8>, SeedError> {
        Seed::parse(text).map(|seed| seed.0.to_vec())
    }

    #[test]
    fn a_seed_is_read_however_it_was_copied() {
        let expected = b"12345678901234567890".to_vec();
        for text in [
            BASE32,
            &BASE32.to_lowercase(),
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
            "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ",
        ] {
            assert_eq!(octets(text), Ok(expected.clone()), "{text}");
        }
        assert_eq!(
            octets("GEZDGNBVGY3TQOJQGEZDGNBVGY======").unwrap().len(),
            16
        );
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        assert_eq!(octets("0189"), Err(SeedError::NotBase32));
        assert_eq!(octets("GEZDGNBVGY3TQOJQ"), Err(SeedError::Length(10)));
        assert_eq!(octets(""), Err(SeedError::Length(0)));
        assert_eq!(octets(&"A".repeat(208)), Err(SeedError::Length(130)));
    }

    #[test]
    fn an_address_has_all_that_an_app_must_know() {
        let seed = Seed::parse(BASE32).unwrap();
        let address = |totp: Totp, realm: &str, authid: &str| {
            totp.address(&seed, &realm.into(), &authid.into())
                .to_string()
        };
        assert_eq!(
            address(Totp::default(), "acme", "alice"),
            format!(
                "otpauth://totp/acme:alice?secret={BASE32}&issuer=acme&algorithm=SHA1&digits=6\
                 &period=30"
            )
        );
        let odd = Totp {
            algorithm: Hash::Sha512,
            digits: 8,
            period: 60,
        };
        assert_eq!(
            address(odd, "com.example", "zoë&digits=1:x"),
            format!(
                "otpauth://totp/com.example:zo%C3%AB%26digits%3D1%3Ax?secret={BASE32}\
                 &issuer=com.example&algorithm=SHA512&digits=8&period=60"
            )
        );
    }

    #[test]
    fn a_new_seed_is_as_long_as_its_hash() {
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            assert_eq!(Seed::fresh(hash).unwrap().0.len(), hash.octets());
        }
    }

    #[test]
    fn what_no_app_can_do_is_refused() {
        let seed = Seed::fresh(Hash::Sha1).unwrap();
        for (digits, period) in [(5, 30), (9, 30), (6, 9), (6, 301)] {
            let refused = totp(
                &seed,
                &Totp {
                    digits,
                    period,
                    ..Totp::default()
                },
                &[],
            );
            assert!(matches!(refused, Err(EnrolError::Totp { .. })));
        }
    }
}
