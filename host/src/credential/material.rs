use std::fmt;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::{EnrolledKey, PasswordHash, ScramKeys};

/// The part of a credential that stays in the host.
#[derive(Clone, Debug)]
pub enum Material {
    /// Checks a password, and cannot be turned back into it.
    Password(PasswordHash),
    /// Makes and checks HMACs. Whoever has it can log in.
    Key(Key),
    /// Check signatures. Not secret, but the host hands them to methods only.
    PublicKeys(Vec<PublicKey>),
    /// Check that a client knows a password, and show it that we have its keys.
    Scram(ScramKeys),
    /// As those, in forms that only their method knows.
    EnrolledKeys(Vec<EnrolledKey>),
}

/// The hash function inside an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    /// The octets of its output.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Material {
    /// What enrolled keys are found by.
    pub(super) fn ids(&self) -> Vec<&[u8]> {
        match self {
            Self::EnrolledKeys(keys) => keys.iter().map(EnrolledKey::id).collect(),
            _ => Vec::new(),
        }
    }
}

/// A key for HMAC: any octets. They are not printed, and are wiped when dropped.
#[derive(Clone)]
pub struct Key(Zeroizing<Box<[u8]>>);

impl Key {
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.into()))
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The HMAC of a message: 20, 32 or 64 octets.
    pub(super) fn hmac(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        match hash {
            Hash::Sha1 => self
                .mac::<Hmac<Sha1>>(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Hash::Sha256 => self
                .mac::<Hmac<Sha256>>(message)
                .finalize()
                .into_bytes()
                .to_vec(),
            Hash::Sha512 => self
                .mac::<Hmac<Sha512>>(message)
                .finalize()
                .into_bytes()
                .to_vec(),
        }
    }

    /// Whether `tag` is the whole HMAC of a message, in time that does not depend on where they
    /// differ.
    pub(super) fn verify_hmac(&self, hash: Hash, message: &[u8], tag: &[u8]) -> bool {
        match hash {
            Hash::Sha1 => self.mac::<Hmac<Sha1>>(message).verify_slice(tag).is_ok(),
            Hash::Sha256 => self.mac::<Hmac<Sha256>>(message).verify_slice(tag).is_ok(),
            Hash::Sha512 => self.mac::<Hmac<Sha512>>(message).verify_slice(tag).is_ok(),
        }
    }

    fn mac<M: Mac + KeyInit>(&self, message: &[u8]) -> M {
        let mut mac =
            <M as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(message);
        mac
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(_)")
    }
}

/// An Ed25519 public key: 32 octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; Self::LEN]);

/// Why octets are not a public key that a client may prove itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    #[error("a public key is 64 hex digits (32 octets); this is something else")]
    NotHex,
    #[error("not a public key: no point of the curve Ed25519 is written like this")]
    NotAPoint,
    /// The same point can be written in another way, so comparing keys would mislead.
    #[error("not a public key: the point is not written in its canonical form")]
    NotCanonical,
    /// Anyone can make signatures for such a key.
    #[error("weak public key: its point has a small order, so anyone can sign for it")]
    SmallOrder,
    /// No private key leads to such a point.
    #[error("not a public key: its point lies outside the group that Ed25519 keys come from")]
    OutsideGroup,
}

impl PublicKey {
    pub const LEN: usize = 32;

    /// Checks that the octets are a key that some Ed25519 private key has.
    ///
    /// # Errors
    /// For anything that no honest client would show.
    pub fn new(octets: [u8; Self::LEN]) -> Result<Self, PublicKeyError> {
        let key = VerifyingKey::from_bytes(&octets).map_err(|_| PublicKeyError::NotAPoint)?;
        let point = key.to_edwards();
        if point.compress().0 != octets {
            return Err(PublicKeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(PublicKeyError::SmallOrder);
        }
        if !point.is_torsion_free() {
            return Err(PublicKeyError::OutsideGroup);
        }
        Ok(Self(octets))
    }

    /// For octets that were checked when they were stored, or that we derived ourselves.
    pub(super) fn trusted(octets: [u8; Self::LEN]) -> Self {
        Self(octets)
    }

    #[must_use]
    pub fn octets(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    /// Reads 64 hex digits.
    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let mut octets = [0; Self::LEN];
        hex::decode_to_slice(text, &mut octets).map_err(|_| PublicKeyError::NotHex)?;
        Self::new(octets)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = concat!(
        r#"{ "nonce":"LHRTC9zeOIrt_9U3", "authprovider":"userdb", "authid":"peter", "#,
        r#""timestamp":"2014-06-22T16:36:25.448Z", "authrole":"user", "#,
        r#""authmethod":"wampcra", "session":3251278072152162 }"#
    );

    #[test]
    fn hmacs_are_those_of_rfc_2202_and_rfc_4231() {
        let key = Key::new(b"Jefe");
        let message = b"what do ya want for nothing?";
        let expected = [
            (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                Hash::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Hash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d\
                 034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (hash, tag) in expected {
            assert_eq!(hex::encode(key.hmac(hash, message)), tag);
            assert!(key.verify_hmac(hash, message, &hex::decode(tag).unwrap()));
        }
    }

    #[test]
    fn only_the_whole_tag_verifies() {
        let key = Key::new(b"secret");
        let tag = key.hmac(Hash::Sha256, CHALLENGE.as_bytes());
        assert!(key.verify_hmac(Hash::Sha256, CHALLENGE.as_bytes(), &tag));
        assert!(!key.verify_hmac(Hash::Sha256, b"another challenge", &tag));
        assert!(!key.verify_hmac(Hash::Sha512, CHALLENGE.as_bytes(), &tag));
        assert!(!key.verify_hmac(Hash::Sha256, CHALLENGE.as_bytes(), &tag[..31]));
        assert!(!key.verify_hmac(Hash::Sha256, CHALLENGE.as_bytes(), &[]));
    }

    #[test]
    fn a_key_that_was_generated_is_taken() {
        let text = "545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122";
        assert_eq!(text.parse::<PublicKey>().unwrap().to_string(), text);
        assert_eq!(
            text.to_uppercase()
                .parse::<PublicKey>()
                .unwrap()
                .to_string(),
            text
        );
    }

    #[test]
    fn t15_keys_that_nobody_can_have_are_refused() {
        use PublicKeyError::*;
        let zeros = |first: &str, last: &str| format!("{first}{}{last}", "00".repeat(30));
        let cases = [
            ("545efb".to_owned(), NotHex),
            ("zz".repeat(32), NotHex),
            ("00".repeat(33), NotHex),
            (zeros("02", "00"), NotAPoint),
            // y = 1, y = -1, y = 0: orders 1, 2 and 4. Then order 8.
            (zeros("01", "00"), SmallOrder),
            (format!("ec{}7f", "ff".repeat(30)), SmallOrder),
            (zeros("00", "00"), SmallOrder),
            (
                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
                SmallOrder,
            ),
            // y = p + 1, which is y = 1 written otherwise; and x = 0 with its sign bit set.
            (format!("ee{}7f", "ff".repeat(30)), NotCanonical),
            (zeros("01", "80"), NotCanonical),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<PublicKey>().unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn t15_a_key_with_a_small_order_part_is_refused() {
        // A genuine key and the point of order 2 added: (x, y) becomes (-x, -y).
        let genuine = "545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122";
        let order_2 = format!("ec{}7f", "ff".repeat(30));
        let point = |text: &str| {
            let octets = hex::decode(text).unwrap().try_into().unwrap();
            VerifyingKey::from_bytes(&octets).unwrap().to_edwards()
        };
        let mixed = (point(genuine) + point(&order_2)).compress().0;
        assert_eq!(
            PublicKey::new(mixed).unwrap_err(),
            PublicKeyError::OutsideGroup
        );
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(
            format!("{:?}", Material::Key(Key::new(b"secret"))),
            "Key(Key(_))"
        );
    }
}
