//! SCRAM as autobahn-python and Crossbar speak it, who call it `scram`.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::derived::Derived;
use crate::{
    client::{AUTHID, REALM, SECRET},
    frame::json_hello,
};

/// The octets of a key, a proof and a signature.
const OCTETS: usize = 32;

/// KiB that a server may have us take.
const MOST_MEMORY: u32 = 1 << 20;

pub struct Prover {
    authmethod: &'static str,
    attempts: AtomicU64,
    keys: Derived<Question, Keys>,
}

/// One login, from HELLO on.
pub struct Attempt {
    nonce: String,
}

/// What the client says, and what the server must say in return.
#[derive(Debug)]
pub struct Answer {
    pub proof: String,
    signature: [u8; OCTETS],
}

/// What the keys come from, besides the secret.
#[derive(PartialEq, Eq)]
struct Question {
    kdf: Kdf,
    /// As the server writes it.
    salt: String,
}

/// The slow function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kdf {
    Argon2id13(Argon2id),
    Pbkdf2 { iterations: u32 },
}

/// What Argon2id costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2id {
    pub iterations: u32,
    /// KiB.
    pub memory: u32,
}

/// Of the servers that are set up here. The least that Countersign takes: a server does not compute
/// it, so it makes no difference to any of them.
pub const COSTS: Argon2id = Argon2id {
    iterations: 5,
    memory: 7168,
};

/// What is derived from a secret.
#[derive(Clone, Debug)]
pub struct Keys {
    client: [u8; OCTETS],
    /// What a server keeps: the hash of the client's key, and its own.
    pub stored: [u8; OCTETS],
    pub server: [u8; OCTETS],
}

/// CHALLENGE.Extra.
#[derive(Deserialize)]
struct Extra {
    nonce: String,
    salt: String,
    kdf: String,
    iterations: u32,
    memory: Option<u32>,
}

/// WELCOME.Details.
#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    authextra: Authextra<'a>,
}

#[derive(Deserialize)]
struct Authextra<'a> {
    scram_server_signature: &'a str,
}

impl Prover {
    pub fn new(authmethod: &'static str) -> Self {
        Self {
            authmethod,
            attempts: AtomicU64::default(),
            keys: Derived::default(),
        }
    }

    pub fn attempt(&self) -> Attempt {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        // A nonce need not be secret, only new. Crossbar appends to the octets and not to the text:
        // 24 of them have a base64 that goes on without a seam.
        Attempt {
            nonce: BASE64_STANDARD.encode(format!("{number:024}")),
        }
    }

    pub fn hello(&self, attempt: &Attempt) -> Vec<u8> {
        let authextra = json!({"nonce": attempt.nonce});
        json_hello(REALM, self.authmethod, Some(AUTHID), Some(authextra))
    }

    pub fn answer(&self, attempt: &Attempt, challenge: &[u8]) -> Result<Answer> {
        let (_, _, extra): (IgnoredAny, IgnoredAny, Extra) =
            serde_json::from_slice(challenge).context("the challenge is not understood")?;
        ensure!(
            extra.nonce.len() > attempt.nonce.len() && extra.nonce.starts_with(&attempt.nonce),
            "the challenge has not our nonce with the server's behind it"
        );
        let message = attempt.message(AUTHID, &extra);
        let question = Question {
            kdf: extra.kdf()?,
            salt: extra.salt,
        };
        let keys = self.keys.get(question, |Question { kdf, salt }| {
            let salt = BASE64_STANDARD.decode(salt);
            kdf.keys(SECRET, &salt.context("the salt is not base64")?)
        })?;
        Ok(Answer {
            proof: BASE64_STANDARD.encode(keys.proof(&message)?),
            signature: hmac(&keys.server, &message)?,
        })
    }
}

impl Attempt {
    /// What both ends sign.
    fn message(&self, authid: &str, extra: &Extra) -> String {
        let Self { nonce: ours } = self;
        let Extra {
            nonce,
            salt,
            iterations,
            ..
        } = extra;
        format!("n={authid},r={ours},r={nonce},s={salt},i={iterations},c=,r={nonce}")
    }
}

impl Answer {
    /// Whether the server has the keys as well, which is the half of SCRAM that is its work.
    pub fn check(&self, welcome: &[u8]) -> Result<()> {
        let (_, _, details): (IgnoredAny, IgnoredAny, Details) =
            serde_json::from_slice(welcome).context("WELCOME has not the server's signature")?;
        let shown = BASE64_STANDARD.decode(details.authextra.scram_server_signature)?;
        ensure!(shown == self.signature, "the server's signature is wrong");
        Ok(())
    }
}

impl Extra {
    fn kdf(&self) -> Result<Kdf> {
        let Self { iterations, .. } = *self;
        match self.kdf.as_str() {
            "argon2id-13" => {
                let memory = self.memory.context("the challenge has no memory")?;
                ensure!(memory <= MOST_MEMORY, "{memory} KiB of memory are too much");
                Ok(Kdf::Argon2id13(Argon2id { iterations, memory }))
            }
            "pbkdf2" => Ok(Kdf::Pbkdf2 { iterations }),
            other => bail!("the kdf {other} is not known"),
        }
    }
}

impl Kdf {
    fn keys(self, secret: &str, salt: &[u8]) -> Result<Keys> {
        match self {
            Self::Argon2id13(costs) => Keys::derive(costs, secret, salt),
            Self::Pbkdf2 { iterations } => {
                let mut salted = [0; OCTETS];
                pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt, iterations, &mut salted);
                Keys::of(&salted)
            }
        }
    }
}

impl Keys {
    pub fn derive(costs: Argon2id, secret: &str, salt: &[u8]) -> Result<Self> {
        let Argon2id { iterations, memory } = costs;
        let params = Params::new(memory, iterations, 1, Some(OCTETS));
        let params = params.context("the costs are not possible")?;
        let mut salted = [0; OCTETS];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret.as_bytes(), salt, &mut salted)
            .context("the salt is not possible")?;
        // This dialect goes on with the text of it.
        Self::of(BASE64_STANDARD_NO_PAD.encode(salted).as_bytes())
    }

    fn of(salted: &[u8]) -> Result<Self> {
        let client = hmac(salted, "Client Key")?;
        Ok(Self {
            client,
            stored: Sha256::digest(client).into(),
            server: hmac(salted, "Server Key")?,
        })
    }

    fn proof(&self, message: &str) -> Result<[u8; OCTETS]> {
        let mut proof = hmac(&self.stored, message)?;
        for (octet, key) in proof.iter_mut().zip(self.client) {
            *octet ^= key;
        }
        Ok(proof)
    }
}

fn hmac(key: &[u8], message: &str) -> Result<[u8; OCTETS]> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)?;
    mac.update(message.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests;
