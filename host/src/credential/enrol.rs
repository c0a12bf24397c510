//! Making credentials out of what a person types. The secret itself is kept only where a method
//! needs it; see the functions.

mod scram;
mod totp;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pbkdf2::pbkdf2_hmac;
use serde_json::{Map, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::password::Argon2Error;
use super::scram::{Kdf, ScramError};
use super::{CodeHash, Key, Kind, Material, Parameters, PasswordHash, PublicKey, PublicKeyError};
pub use scram::{SALT_LEN as SCRAM_SALT_LEN, scram, scram_with_salt};
pub use totp::{Seed, SeedError, Totp, totp};

/// A new credential, before it is somebody's.
#[derive(Clone, Debug)]
pub struct Enrolment {
    pub kind: Kind,
    pub parameters: Parameters,
    pub material: Material,
    /// What else may be shown once each instead, if the person cannot show what this asks for.
    pub recovery: Vec<CodeHash>,
}

/// Why a credential could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("the secret is empty")]
    Empty,
    #[error("{0} iterations: 1 to {max} are possible", max = Derivation::MAX_ITERATIONS)]
    Iterations(u32),
    #[error("a key of {0} octets: 16 to 64 are possible")]
    KeyLength(u16),
    #[error("{0} public keys: 1 to {max} are possible", max = MAX_PUBLIC_KEYS)]
    KeyCount(usize),
    #[error("{key}: {error}")]
    PublicKey { key: String, error: PublicKeyError },
    #[error("{digits} digits, each for {period} s: 6 to 8 digits and 10 to 300 s are possible")]
    Totp { digits: u8, period: u32 },
    #[error(
        "{0} iterations of PBKDF2: {min} (RFC 7677 section 4) to {max} are possible",
        min = Kdf::LEAST_PBKDF2, max = Kdf::MOST_PBKDF2
    )]
    Pbkdf2(u32),
    #[error(
        "{iterations} iterations of Argon2id over {memory} KiB: {min} to {max} KiB are possible, and \
         iterations times memory must be {least} to {most} KiB",
        min = Kdf::LEAST_MEMORY, max = Kdf::MOST_MEMORY,
        least = Kdf::LEAST_WORK, most = Kdf::MOST_WORK
    )]
    Argon2id { iterations: u32, memory: u32 },
    #[error(transparent)]
    Scram(#[from] ScramError),
    #[error("the system has no randomness for a salt: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error(transparent)]
    Hash(#[from] Argon2Error),
}

/// Every method call copies all public keys into the method's memory.
const MAX_PUBLIC_KEYS: usize = 64;

/// A password for `ticket`. Kept is an Argon2id hash: the password cannot be read from it.
///
/// # Errors
/// For an empty password, or if the system lacks memory or randomness.
pub fn ticket(password: &str) -> Result<Enrolment, EnrolError> {
    if password.is_empty() {
        return Err(EnrolError::Empty);
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    Ok(Enrolment {
        kind: Kind::ticket(),
        parameters: Parameters::none(),
        material: Material::Password(PasswordHash::new(password, salt)?),
        recovery: Vec::new(),
    })
}

/// A secret for `wampcra`. What is kept can be used to log in, derived or not: the protocol needs
/// it. Derived, it is at least not the person's password, which may open other doors too.
///
/// # Errors
/// For an empty secret and for numbers that no client can be asked to work with.
pub fn wampcra(secret: &str, derivation: &Derivation) -> Result<Enrolment, EnrolError> {
    if secret.is_empty() {
        return Err(EnrolError::Empty);
    }
    Ok(Enrolment {
        kind: Kind::wampcra(),
        parameters: derivation.parameters(),
        material: Material::Key(derivation.key(secret)?),
        recovery: Vec::new(),
    })
}

/// Public keys for `cryptosign`, as hex.
///
/// # Errors
/// For no key, too many, or one that is none or is weak.
pub fn cryptosign<T: AsRef<str>>(keys: &[T]) -> Result<Enrolment, EnrolError> {
    if keys.is_empty() || keys.len() > MAX_PUBLIC_KEYS {
        return Err(EnrolError::KeyCount(keys.len()));
    }
    let parse = |text: &T| {
        let key = text.as_ref();
        key.parse::<PublicKey>()
            .map_err(|error| EnrolError::PublicKey {
                key: key.chars().take(80).collect(),
                error,
            })
    };
    let keys = keys.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(Enrolment {
        kind: Kind::cryptosign(),
        parameters: Parameters::none(),
        material: Material::PublicKeys(keys),
        recovery: Vec::new(),
    })
}

/// What a WAMP-CRA client signs with when the challenge is salted: PBKDF2-HMAC-SHA256 of the secret,
/// the salt being the text's UTF-8 octets, and of that the base64 text. The specification does not
/// say so, and all clients do it. `keylen`: octets before base64.
pub fn derive_key(secret: &str, salt: &str, iterations: u32, keylen: usize) -> Zeroizing<String> {
    let mut derived = Zeroizing::new(vec![0; keylen]);
    pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt.as_bytes(), iterations, &mut derived);
    Zeroizing::new(BASE64.encode(&derived))
}

/// How a WAMP-CRA client makes its key from the secret that a person knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derivation {
    /// It does not: the secret is the key.
    Plain,
    /// By [`derive_key`].
    Salted {
        salt: String,
        iterations: u32,
        /// Octets of the result, before base64.
        keylen: u16,
    },
}

impl Derivation {
    /// Ten times WAMP's customary 1,000. The client repeats the derivation at every login, and a
    /// browser does it in JavaScript, where the 600,000 that are advised for stored passwords would
    /// freeze the page for seconds. Whoever can read the store can log in without guessing the
    /// secret anyway: what slowness protects is the same secret used elsewhere.
    pub const ITERATIONS: u32 = 10_000;
    /// More would let a record of one tenant tie up its clients, and this process at enrolment.
    pub const MAX_ITERATIONS: u32 = 1_000_000;
    /// Octets: what clients take if the router does not say.
    pub const KEYLEN: u16 = 32;
    /// Octets of randomness in a salt, whose text is their hex.
    pub(super) const SALT_LEN: usize = 16;

    /// Salted with a fresh salt: what new credentials should have.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn fresh() -> Result<Self, EnrolError> {
        let mut salt = [0; Self::SALT_LEN];
        getrandom::fill(&mut salt)?;
        Ok(Self::with_salt(&salt))
    }

    pub(super) fn with_salt(salt: &[u8; Self::SALT_LEN]) -> Self {
        let salt = hex::encode(salt);
        Self::Salted {
            salt,
            iterations: Self::ITERATIONS,
            keylen: Self::KEYLEN,
        }
    }

    /// What the client must be told.
    pub(super) fn parameters(&self) -> Parameters {
        let Self::Salted {
            salt,
            iterations,
            keylen,
        } = self
        else {
            return Parameters::none();
        };
        Parameters::from(Map::from_iter([
            ("salt".to_owned(), json!(salt)),
            ("iterations".to_owned(), json!(iterations)),
            ("keylen".to_owned(), json!(keylen)),
        ]))
    }

    fn key(&self, secret: &str) -> Result<Key, EnrolError> {
        let Self::Salted {
            salt,
            iterations,
            keylen,
        } = self
        else {
            return Ok(Key::new(secret.as_bytes()));
        };
        if !(1..=Self::MAX_ITERATIONS).contains(iterations) {
            return Err(EnrolError::Iterations(*iterations));
        }
        if !(16..=64).contains(keylen) {
            return Err(EnrolError::KeyLength(*keylen));
        }
        let key = derive_key(secret, salt, *iterations, usize::from(*keylen));
        Ok(Key::new(key.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
