//! Keys that clients make themselves, and the codes that allow one to be kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Authid, CodeHash, Key, Kind, Parameters, Realm, RecoveryCode};

/// A key that a client has made, in the form of the method that reads it. Not secret, but the host
/// hands it to methods only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledKey {
    id: Box<[u8]>,
    public_key: Box<[u8]>,
    counter: u64,
    about: Parameters,
}

/// Why something is not a key that can be kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolledKeyError {
    #[error("a key's id of {0} octets: 1 to {max} are possible", max = EnrolledKey::LONGEST_ID)]
    Id(usize),
    #[error("a key of {0} octets: 1 to {max} are possible", max = EnrolledKey::LARGEST)]
    Size(usize),
    #[error("{0} octets about a key: {max} are possible", max = EnrolledKey::LONGEST_ABOUT)]
    TooMuch(usize),
    #[error("what is said about a key is not a JSON object")]
    NotAnObject,
    #[error("a counter of {0}: 2^63 - 1 at most is possible")]
    Counter(u64),
}

/// Why a key was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEnrolled {
    #[error("no such code is open")]
    NotOpen,
    #[error("another key has this id")]
    Taken,
    #[error("the credential has {max} keys, the most that it can have", max = EnrolledKey::MOST)]
    Full,
}

impl EnrolledKey {
    /// What one credential can have. Every call of a method copies all of them.
    pub const MOST: usize = 16;

    /// `WebAuthn` allows as many for a credential id.
    pub const LONGEST_ID: usize = 1023;

    /// An RSA key of 4096 bits with its labels has 530.
    const LARGEST: usize = 2048;

    const LONGEST_ABOUT: usize = 1024;

    /// # Errors
    /// For what is larger than a key can sensibly be.
    pub fn new(
        id: &[u8],
        public_key: &[u8],
        counter: u64,
        about: &str,
    ) -> Result<Self, EnrolledKeyError> {
        if !(1..=Self::LONGEST_ID).contains(&id.len()) {
            return Err(EnrolledKeyError::Id(id.len()));
        }
        if !(1..=Self::LARGEST).contains(&public_key.len()) {
            return Err(EnrolledKeyError::Size(public_key.len()));
        }
        if about.len() > Self::LONGEST_ABOUT {
            return Err(EnrolledKeyError::TooMuch(about.len()));
        }
        // What a column of the store holds.
        if i64::try_from(counter).is_err() {
            return Err(EnrolledKeyError::Counter(counter));
        }
        let about = Parameters::parse(about).map_err(|_| EnrolledKeyError::NotAnObject)?;
        Ok(Self {
            id: id.into(),
            public_key: public_key.into(),
            counter,
            about,
        })
    }

    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// What it was when the credential was read.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// What the method said of it: a JSON object.
    #[must_use]
    pub fn about(&self) -> &str {
        self.about.as_str()
    }

    /// The same but for what differs from one client's key to the next.
    pub(super) fn with(&self, id: &[u8], public_key: &[u8]) -> Self {
        Self {
            id: id.into(),
            public_key: public_key.into(),
            ..self.clone()
        }
    }

    /// The parameters of a credential that has these keys.
    pub(super) fn parameters(keys: &[Self]) -> Parameters {
        let keys = keys.iter().map(|key| {
            // The text is that of a `Parameters`, so it parses; were it not to, nothing is said.
            let mut members: Map<String, Value> =
                serde_json::from_str(key.about.as_str()).unwrap_or_default();
            members.insert("id".into(), json!(URL_SAFE_NO_PAD.encode(&key.id)));
            members.insert("counter".into(), json!(key.counter));
            Value::from(members)
        });
        let keys: Value = keys.collect();
        Parameters::from(Map::from_iter([("keys".to_owned(), keys)]))
    }
}

/// A code that lets somebody have one key kept: as hard to guess as a recovery code, and written
/// like one.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentCode(RecoveryCode);

impl EnrolmentCode {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        RecoveryCode::generate().map(Self)
    }

    /// Reads a code, in upper or lower case, with or without hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        RecoveryCode::parse(text).map(Self)
    }

    /// The code as a person gets it.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        self.0.expose()
    }

    /// What is kept of it: a hash that is good for one authid and one kind in one realm. The code
    /// cannot be found from it, since it has 80 bits of randomness.
    #[must_use]
    pub fn hash(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> CodeHash {
        let names = ["enrolment", realm.as_str(), kind.as_str(), authid.as_str()];
        let mut place = Vec::new();
        for name in names {
            place.extend_from_slice(&(name.len() as u64).to_be_bytes());
            place.extend_from_slice(name.as_bytes());
        }
        self.0.hash(&Key::new(&place))
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentCode(_)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(about: &str) -> Result<EnrolledKey, EnrolledKeyError> {
        EnrolledKey::new(&[0xfb; 3], b"key", 7, about)
    }

    #[test]
    fn a_key_has_bounds() {
        let new = |id: usize, key: usize, counter| {
            EnrolledKey::new(&vec![1; id], &vec![2; key], counter, "{}").map(|_| ())
        };
        assert_eq!(new(1023, 2048, (1 << 63) - 1), Ok(()));
        assert_eq!(new(0, 1, 0), Err(EnrolledKeyError::Id(0)));
        assert_eq!(new(1024, 1, 0), Err(EnrolledKeyError::Id(1024)));
        assert_eq!(new(1, 0, 0), Err(EnrolledKeyError::Size(0)));
        assert_eq!(new(1, 2049, 0), Err(EnrolledKeyError::Size(2049)));
        assert_eq!(new(1, 1, 1 << 63), Err(EnrolledKeyError::Counter(1 << 63)));
        assert_eq!(key("[]"), Err(EnrolledKeyError::NotAnObject));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1024));
        assert!(matches!(key(&long), Err(EnrolledKeyError::TooMuch(_))));
    }

    #[test]
    fn parameters_tell_of_each_key() {
        let keys = [
            key(r#"{"transports":["usb"]}"#).unwrap(),
            key(r#"{"id":"mine","counter":8}"#).unwrap(),
        ];
        assert_eq!(
            EnrolledKey::parameters(&keys).as_str(),
            r#"{"keys":[{"counter":7,"id":"-_v7","transports":["usb"]},{"counter":7,"id":"-_v7"}]}"#
        );
    }

    #[test]
    fn a_code_is_good_in_one_place() {
        let code = EnrolmentCode::generate().unwrap();
        let hash = |realm: &str, kind: &str, authid: &str| {
            *code
                .hash(&realm.into(), &kind.into(), &authid.into())
                .octets()
        };
        let alice = hash("realm1", "webauthn", "alice");
        assert_eq!(alice, hash("realm1", "webauthn", "alice"));
        for other in [
            hash("realm2", "webauthn", "alice"),
            hash("realm1", "other", "alice"),
            hash("realm1", "webauthn", "bob"),
            hash("realm1", "webauthna", "lice"),
        ] {
            assert_ne!(alice, other);
        }
        let spelt = code.expose().to_uppercase().replace('-', "");
        assert_eq!(EnrolmentCode::parse(&spelt), Some(code.clone()));
        assert_eq!(format!("{code:?}"), "EnrolmentCode(_)");
    }
}
