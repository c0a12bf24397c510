//! WAMP-CRA: HMAC-SHA256 of a text of the server's.

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use serde::{Deserialize, de::IgnoredAny};
use sha2::Sha256;

use super::derived::Derived;
use crate::client::SECRET;

/// Octets of a key that a server may have derived.
const LONGEST_KEY: usize = 64;

#[derive(Default)]
pub struct Keys(Derived<Option<Salted>, Hmac<Sha256>>);

/// How the key is derived, where it is not the secret itself.
#[derive(PartialEq, Eq)]
struct Salted {
    salt: String,
    iterations: u32,
    keylen: usize,
}

#[derive(Deserialize)]
struct Extra {
    /// A text that is JSON itself, so its quotes are escaped.
    challenge: String,
    salt: Option<String>,
    iterations: Option<u32>,
    keylen: Option<usize>,
}

impl Keys {
    pub fn answer(&self, challenge: &[u8]) -> Result<String> {
        let (_, _, extra): (IgnoredAny, IgnoredAny, Extra) =
            serde_json::from_slice(challenge).context("the challenge is not understood")?;
        let salted = extra.salt.map(|salt| Salted {
            salt,
            iterations: extra.iterations.unwrap_or(1000),
            keylen: extra.keylen.unwrap_or(32),
        });
        let mut mac = self.0.get(salted, |salted| mac(&key(salted.as_ref())?))?;
        mac.update(extra.challenge.as_bytes());
        Ok(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// HMAC-SHA256 with a key that is taken in already.
pub fn mac(key: &[u8]) -> Result<Hmac<Sha256>> {
    Ok(<Hmac<Sha256> as KeyInit>::new_from_slice(key)?)
}

/// The secret itself, or the base64 text of what PBKDF2 makes of it.
fn key(salted: Option<&Salted>) -> Result<Vec<u8>> {
    let Some(Salted {
        salt,
        iterations,
        keylen,
    }) = salted
    else {
        return Ok(SECRET.into());
    };
    ensure!(*keylen <= LONGEST_KEY, "a key of {keylen} octets");
    let mut derived = vec![0; *keylen];
    pbkdf2_hmac::<Sha256>(
        SECRET.as_bytes(),
        salt.as_bytes(),
        *iterations,
        &mut derived,
    );
    Ok(BASE64_STANDARD.encode(derived).into_bytes())
}
