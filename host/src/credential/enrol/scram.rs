//! Salted challenge and response (RFC 5802, RFC 7677, WAMP's `wamp-scram`): what is kept of a
//! password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, json};

use super::{EnrolError, Enrolment};
use crate::credential::scram::{Kdf, ScramKeys};
use crate::credential::{Kind, Material, Parameters};

/// A password for `scram` and `wamp-scram`, with a fresh salt. Kept are `StoredKey` and `ServerKey`, for
/// both kinds of clients: nobody can log in with them, and the password cannot be read from them.
///
/// # Errors
/// For a password that is empty or that SCRAM clients refuse, for numbers that make guessing too
/// cheap or logging in too dear, and if the system lacks memory or randomness.
pub fn scram(password: &str, kdf: Kdf) -> Result<Enrolment, EnrolError> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt)?;
    scram_with_salt(password, kdf, &salt)
}

/// The same with a salt that is known before: for tests, whose answers must be known too.
///
/// # Errors
/// As for [`scram`].
pub fn scram_with_salt(
    password: &str,
    kdf: Kdf,
    salt: &[u8; SALT_LEN],
) -> Result<Enrolment, EnrolError> {
    if password.is_empty() {
        return Err(EnrolError::Empty);
    }
    kdf.check()?;
    Ok(Enrolment {
        kind: Kind::scram(),
        parameters: kdf.parameters(salt),
        material: Material::Scram(ScramKeys::derive(kdf, password, salt)?),
        recovery: Vec::new(),
    })
}

/// Octets; what the specification recommends.
pub const SALT_LEN: usize = 16;

impl Kdf {
    /// RFC 7677 section 4.
    pub const LEAST_PBKDF2: u32 = 4096;
    /// More would keep our own client from logging in.
    pub const MOST_PBKDF2: u32 = 10_000_000;
    /// KiB: the least memory in OWASP's list of equally strong settings (7 MiB with five passes).
    pub const LEAST_MEMORY: u32 = 7 << 10;
    /// KiB: 1 GiB, which few clients have to spare.
    pub const MOST_MEMORY: u32 = 1 << 20;
    /// KiB that are gone over in all passes together, by the same setting of that list.
    pub const LEAST_WORK: u64 = 5 * (7 << 10);
    /// The same: at 16 GiB a client computes for about ten seconds.
    pub const MOST_WORK: u64 = 16 << 20;

    /// OWASP's advice for PBKDF2 with SHA-256.
    #[must_use]
    pub const fn pbkdf2() -> Self {
        Self::Pbkdf2 {
            iterations: 600_000,
        }
    }

    /// Whether guessing costs enough and logging in not too much.
    ///
    /// # Errors
    /// If not; the error says what is possible.
    pub fn check(self) -> Result<(), EnrolError> {
        let possible = match self {
            Self::Pbkdf2 { iterations } => {
                (Self::LEAST_PBKDF2..=Self::MOST_PBKDF2).contains(&iterations)
            }
            Self::Argon2id13 { iterations, memory } => {
                (Self::LEAST_MEMORY..=Self::MOST_MEMORY).contains(&memory)
                    && (Self::LEAST_WORK..=Self::MOST_WORK)
                        .contains(&(u64::from(iterations) * u64::from(memory)))
            }
        };
        match self {
            _ if possible => Ok(()),
            Self::Pbkdf2 { iterations } => Err(EnrolError::Pbkdf2(iterations)),
            Self::Argon2id13 { iterations, memory } => {
                Err(EnrolError::Argon2id { iterations, memory })
            }
        }
    }

    /// What the client must be told. The names are those of the specification.
    pub(in crate::credential) fn parameters(self, salt: &[u8; SALT_LEN]) -> Parameters {
        let mut members = Map::from_iter([("salt".to_owned(), json!(BASE64.encode(salt)))]);
        match self {
            Self::Argon2id13 { iterations, memory } => {
                members.insert("kdf".to_owned(), json!("argon2id13"));
                members.insert("iterations".to_owned(), json!(iterations));
                members.insert("memory".to_owned(), json!(memory));
            }
            Self::Pbkdf2 { iterations } => {
                members.insert("kdf".to_owned(), json!("pbkdf2"));
                members.insert("iterations".to_owned(), json!(iterations));
            }
        }
        Parameters::from(members)
    }
}

impl Default for Kdf {
    /// RFC 9106's second recommendation, 64 MiB and three passes, but for the lanes, of which WAMP
    /// has one: about 150 ms for a client, and for each guess of whoever has stolen the store.
    fn default() -> Self {
        Self::Argon2id13 {
            iterations: 3,
            memory: 64 << 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::scram::ScramError;

    #[test]
    fn what_is_too_cheap_or_too_dear_is_refused() {
        let argon2 = |memory, iterations| Kdf::Argon2id13 { iterations, memory };
        let pbkdf2 = |iterations| Kdf::Pbkdf2 { iterations };
        for good in [
            Kdf::default(),
            Kdf::pbkdf2(),
            pbkdf2(4096),
            pbkdf2(10_000_000),
            argon2(7 << 10, 5),
            argon2(19 << 10, 2),
            argon2(1 << 20, 1),
            argon2(1 << 20, 16),
        ] {
            assert!(good.check().is_ok(), "{good:?}");
        }
        for bad in [pbkdf2(0), pbkdf2(4095), pbkdf2(10_000_001)] {
            let refused = scram("pencil", bad);
            assert!(matches!(refused, Err(EnrolError::Pbkdf2(_))), "{bad:?}");
        }
        for bad in [
            argon2(64 << 10, 0),
            argon2(7 << 10, 4),
            argon2((7 << 10) - 1, 100),
            argon2((1 << 20) + 1, 1),
            argon2(1 << 20, 17),
            argon2(u32::MAX, u32::MAX),
        ] {
            let refused = scram("pencil", bad);
            assert!(
                matches!(refused, Err(EnrolError::Argon2id { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn the_parameters_say_how_the_client_derives_its_keys() {
        let salt = &[0; SALT_LEN];
        assert_eq!(
            Kdf::default().parameters(salt).as_str(),
            r#"{"iterations":3,"kdf":"argon2id13","memory":65536,"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}"#
        );
        assert_eq!(
            Kdf::pbkdf2().parameters(salt).as_str(),
            r#"{"iterations":600000,"kdf":"pbkdf2","salt":"AAAAAAAAAAAAAAAAAAAAAA=="}"#
        );
    }

    #[test]
    fn each_credential_has_a_salt_of_its_own() {
        let kdf = Kdf::Pbkdf2 { iterations: 4096 };
        let enrol = || scram("pencil", kdf).unwrap().parameters;
        assert_ne!(enrol(), enrol());
    }

    #[test]
    fn a_password_that_no_client_can_send_is_refused_and_not_shown() {
        let kdf = Kdf::Pbkdf2 { iterations: 4096 };
        assert!(matches!(scram("", kdf), Err(EnrolError::Empty)));
        let refused = scram("pen\u{7}cil", kdf).unwrap_err();
        assert!(matches!(refused, EnrolError::Scram(ScramError::Unprepared)));
        assert!(!refused.to_string().contains('\u{7}'), "{refused}");
    }
}
