//! The arithmetic of SCRAM (RFC 5802 section 3 with SHA-256, RFC 7677) as WAMP has it: from a
//! password to what is kept of it, to a client's proof, and to the server's signature.

use std::borrow::Cow;
use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha256};
use stringprep::saslprep;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Argon2Error;

/// The octets of a key, a proof and a signature: those of SHA-256.
pub const OCTETS: usize = 32;

/// There are two kinds of clients, which make different keys of one password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `wamp-scram`, as the WAMP specification has it.
    Wamp,
    /// `scram`, as autobahn-python and Crossbar speak it.
    Autobahn,
}

/// The slow function between a password and its keys. It runs in the client, at every login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kdf {
    /// Argon2id, version 1.3, one lane.
    Argon2id13 {
        /// Passes over the memory.
        iterations: u32,
        /// KiB.
        memory: u32,
    },
    /// PBKDF2 with HMAC-SHA256.
    Pbkdf2 { iterations: u32 },
}

/// Why a password gives no keys. Its text is in none of these.
#[derive(Debug, thiserror::Error)]
pub enum ScramError {
    #[error(
        "the password is empty, or has characters that SASLprep (RFC 4013) does not allow; SCRAM \
         clients refuse it"
    )]
    Unprepared,
    #[error(transparent)]
    Argon2(#[from] Argon2Error),
}

impl Kdf {
    /// What a client derives from a password: as hard to guess as that, and as good for logging in.
    ///
    /// # Errors
    /// For a password that no client would take, and where Argon2 cannot be computed: without the
    /// memory, or by numbers that it has no meaning for.
    pub fn salted_password(
        self,
        dialect: Dialect,
        password: &str,
        salt: &[u8],
    ) -> Result<SaltedPassword, ScramError> {
        let output = self.output(&prepared(dialect, password)?, salt)?;
        Ok(SaltedPassword::new(self, dialect, &output))
    }

    fn output(self, password: &str, salt: &[u8]) -> Result<Zeroizing<[u8; OCTETS]>, ScramError> {
        let mut output = Zeroizing::new([0; OCTETS]);
        match self {
            Self::Argon2id13 { iterations, memory } => {
                let params = Params::new(memory, iterations, 1, Some(OCTETS));
                Argon2::new(
                    Algorithm::Argon2id,
                    Version::V0x13,
                    params.map_err(Argon2Error)?,
                )
                .hash_password_into(password.as_bytes(), salt, &mut *output)
                .map_err(Argon2Error)?;
            }
            Self::Pbkdf2 { iterations } => {
                pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, &mut *output);
            }
        }
        Ok(output)
    }
}

/// A user's name as it stands in an exchange; none if no client could send it. Both dialects prepare
/// it by `SASLprep`, which changes none of ASCII.
#[must_use]
pub fn prepared_name(authid: &str) -> Option<Cow<'_, str>> {
    saslprep(authid).ok().filter(|name| !name.is_empty())
}

/// The specification prepares a password by `SASLprep`; autobahn-python takes it as it is.
fn prepared(dialect: Dialect, password: &str) -> Result<Zeroizing<String>, ScramError> {
    let prepared = match dialect {
        Dialect::Wamp => Zeroizing::new(
            saslprep(password)
                .map_err(|_| ScramError::Unprepared)?
                .into_owned(),
        ),
        Dialect::Autobahn => Zeroizing::new(password.to_owned()),
    };
    if prepared.is_empty() {
        return Err(ScramError::Unprepared);
    }
    Ok(prepared)
}

/// A password behind its KDF. Not printed, and wiped when dropped.
pub struct SaltedPassword(Zeroizing<Vec<u8>>);

impl SaltedPassword {
    fn new(kdf: Kdf, dialect: Dialect, output: &[u8; OCTETS]) -> Self {
        Self(Zeroizing::new(match (kdf, dialect) {
            // autobahn-python goes on with the last field of the text `$argon2id$…`, as it is.
            (Kdf::Argon2id13 { .. }, Dialect::Autobahn) => {
                BASE64_STANDARD_NO_PAD.encode(output).into_bytes()
            }
            _ => output.to_vec(),
        }))
    }

    /// A client's proof that it knows the password.
    #[must_use]
    pub fn proof(&self, auth_message: &[u8]) -> [u8; OCTETS] {
        let client_key = self.client_key();
        let signature = hmac(&*sha256(&client_key), auth_message);
        xor(&client_key, &signature)
    }

    /// By which the server shows that it knows the keys.
    #[must_use]
    pub fn server_signature(&self, auth_message: &[u8]) -> [u8; OCTETS] {
        hmac(&*self.server_key(), auth_message)
    }

    fn verifier(&self) -> Verifier {
        Verifier {
            stored_key: sha256(&self.client_key()),
            server_key: self.server_key(),
        }
    }

    fn client_key(&self) -> Zeroizing<[u8; OCTETS]> {
        Zeroizing::new(hmac(&self.0, b"Client Key"))
    }

    fn server_key(&self) -> Zeroizing<[u8; OCTETS]> {
        Zeroizing::new(hmac(&self.0, b"Server Key"))
    }
}

/// What is kept of a password, for clients of both dialects. Nobody can log in with it. But together
/// with one login that was overheard it does, and it lets somebody pretend to be this router: it is
/// no more to be shown than a password's hash.
#[derive(Clone)]
pub struct ScramKeys {
    wamp: Verifier,
    autobahn: Verifier,
}

#[derive(Clone)]
struct Verifier {
    stored_key: Zeroizing<[u8; OCTETS]>,
    server_key: Zeroizing<[u8; OCTETS]>,
}

impl ScramKeys {
    /// `StoredKey` and `ServerKey` of `wamp-scram`, then those of `scram`.
    pub(super) const LEN: usize = 4 * OCTETS;

    /// # Errors
    /// As for [`Kdf::salted_password`].
    pub(super) fn derive(kdf: Kdf, password: &str, salt: &[u8]) -> Result<Self, ScramError> {
        let prepared = prepared(Dialect::Wamp, password)?;
        let output = kdf.output(&prepared, salt)?;
        // Most passwords are prepared already, and then this need not be waited for twice.
        let as_it_is = if *prepared == password {
            output.clone()
        } else {
            kdf.output(password, salt)?
        };
        Ok(Self {
            wamp: SaltedPassword::new(kdf, Dialect::Wamp, &output).verifier(),
            autobahn: SaltedPassword::new(kdf, Dialect::Autobahn, &as_it_is).verifier(),
        })
    }

    /// The server's signature, if the proof is that of a client which knows the password.
    pub(super) fn verify(
        &self,
        dialect: Dialect,
        auth_message: &[u8],
        proof: &[u8],
    ) -> Option<[u8; OCTETS]> {
        match dialect {
            Dialect::Wamp => &self.wamp,
            Dialect::Autobahn => &self.autobahn,
        }
        .verify(auth_message, proof)
    }

    /// Keys of the shape of all, of no password.
    pub(super) fn template() -> Self {
        Self::read(&[[0; OCTETS]; 4])
    }

    /// Other keys, which belong to no password that anybody knows.
    pub(super) fn with_contents(&self, derive: impl Fn(&'static str, usize) -> Vec<u8>) -> Self {
        let octets = Zeroizing::new(derive("scram keys", Self::LEN));
        Self::from_octets(&octets).unwrap_or_else(|| self.clone())
    }

    /// None for another number of octets than [`LEN`](Self::LEN).
    pub(super) fn from_octets(octets: &[u8]) -> Option<Self> {
        match octets.as_chunks() {
            (keys, []) => keys.try_into().ok().map(Self::read),
            _ => None,
        }
    }

    fn read([stored, server, autobahn_stored, autobahn_server]: &[[u8; OCTETS]; 4]) -> Self {
        let verifier = |stored: &[u8; OCTETS], server: &[u8; OCTETS]| Verifier {
            stored_key: Zeroizing::new(*stored),
            server_key: Zeroizing::new(*server),
        };
        Self {
            wamp: verifier(stored, server),
            autobahn: verifier(autobahn_stored, autobahn_server),
        }
    }

    pub(super) fn octets(&self) -> Zeroizing<Vec<u8>> {
        let Self { wamp, autobahn } = self;
        let mut octets = Zeroizing::new(Vec::with_capacity(Self::LEN));
        for key in [
            &wamp.stored_key,
            &wamp.server_key,
            &autobahn.stored_key,
            &autobahn.server_key,
        ] {
            octets.extend_from_slice(&**key);
        }
        octets
    }
}

impl Verifier {
    fn verify(&self, auth_message: &[u8], proof: &[u8]) -> Option<[u8; OCTETS]> {
        let proof: &[u8; OCTETS] = proof.try_into().ok()?;
        let signature = hmac(&*self.stored_key, auth_message);
        let client_key = Zeroizing::new(xor(proof, &signature));
        let knows: bool = sha256(&client_key).ct_eq(&*self.stored_key).into();
        knows.then(|| hmac(&*self.server_key, auth_message))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; OCTETS] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn sha256(octets: &[u8; OCTETS]) -> Zeroizing<[u8; OCTETS]> {
    Zeroizing::new(Sha256::digest(octets).into())
}

fn xor(one: &[u8; OCTETS], two: &[u8; OCTETS]) -> [u8; OCTETS] {
    let mut sum = *one;
    for (octet, other) in sum.iter_mut().zip(two) {
        *octet ^= other;
    }
    sum
}

impl fmt::Debug for SaltedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltedPassword(_)")
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys(_)")
    }
}

#[cfg(test)]
mod tests;
