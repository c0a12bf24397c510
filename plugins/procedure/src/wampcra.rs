//! WAMP-CRA with a secret that the procedure returns.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_guest::wampcra::{self, Question, Salting};
use countersign_guest::{Answer, Attempt, Challenge};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{
    Secret,
    principal::{Principal, kind},
};

/// What the client must prove to have, and how it makes that of its password.
pub(crate) struct Proof {
    key: Vec<u8>,
    salting: Option<Salting>,
}

/// The members that say how it is made: where one is missing, clients take the same instead.
#[derive(Deserialize)]
struct Told {
    salt: String,
    #[serde(default = "iterations")]
    iterations: u32,
    #[serde(default = "keylen")]
    keylen: u32,
}

const fn iterations() -> u32 {
    1000
}
const fn keylen() -> u32 {
    32
}

/// No HMAC-SHA256 has more use for a key than its block.
const LONGEST_KEY: u32 = 64;

/// What is kept until the answer comes.
#[derive(Serialize, Deserialize)]
struct Due {
    /// The right signature, as the client must write it.
    signature: String,
    principal: Principal,
}

impl Proof {
    /// Reads the members `secret`, `salt`, `iterations` and `keylen`.
    ///
    /// # Errors
    ///
    /// What is wrong with them, to stand after "returned".
    pub(crate) fn read(said: &Value, secret: Secret) -> Result<Self, String> {
        let Value::Object(members) = said else {
            return Err(format!(
                "{}, not a dictionary with a \"secret\"",
                kind(said)
            ));
        };
        let key = match members.get("secret") {
            // With an empty secret anyone could log in.
            Some(Value::String(secret)) if !secret.is_empty() => secret.as_bytes(),
            Some(Value::String(_)) => return Err("an empty \"secret\"".into()),
            Some(other) => return Err(format!("{} as \"secret\", not text", kind(other))),
            None => return Err("no \"secret\"".into()),
        };
        let salting = match members.get("salt") {
            None | Some(Value::Null) => None,
            // Not the error's own words, which may repeat a value.
            Some(_) => {
                let Told {
                    salt,
                    iterations,
                    keylen,
                } = Told::deserialize(said)
                    .map_err(|_| "a \"salt\", \"iterations\" or \"keylen\" that cannot be read")?;
                Some(Salting {
                    salt,
                    iterations,
                    keylen,
                })
            }
        };
        if let Some(Salting {
            iterations, keylen, ..
        }) = &salting
            && (*iterations == 0 || !(1..=LONGEST_KEY).contains(keylen))
        {
            return Err("\"iterations\" or a \"keylen\" that no key can be derived with".into());
        }
        let key = match &salting {
            Some(salting) if secret == Secret::Password => derive(salting, key).into_bytes(),
            _ => key.to_vec(),
        };
        Ok(Self { key, salting })
    }

    fn sign(&self, text: &str) -> Result<String, String> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.key)
            .map_err(|error| format!("the key: {error}"))?;
        hmac.update(text.as_bytes());
        Ok(STANDARD.encode(hmac.finalize().into_bytes()))
    }
}

/// The key as clients use it: base64, as text.
fn derive(salting: &Salting, password: &[u8]) -> String {
    let mut key = [0; LONGEST_KEY as usize];
    let length = usize::try_from(salting.keylen).unwrap_or(key.len());
    let (key, _) = key.split_at_mut(length.min(LONGEST_KEY as usize));
    let (salt, iterations) = (salting.salt.as_bytes(), salting.iterations);
    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, key);
    STANDARD.encode(key)
}

/// Asks the client to sign, and keeps what it should answer.
pub(crate) fn challenge(
    attempt: &Attempt,
    principal: Principal,
    proof: &Proof,
) -> Result<Challenge, String> {
    let question = Question {
        authid: &principal.authid,
        authrole: &principal.role,
        authprovider: "dynamic",
        attempt,
    };
    let text = question.text()?;
    let due = Due {
        signature: proof.sign(&text)?,
        principal,
    };
    let challenge = wampcra::challenge(&text, proof.salting.as_ref())?;
    let state = serde_json::to_vec(&due).map_err(|error| format!("the state: {error}"))?;
    Ok(challenge.with_state(state))
}

/// Who has given the right answer.
pub(crate) fn judge(answer: &Answer) -> Result<Option<Principal>, String> {
    let due: Due =
        serde_json::from_slice(&answer.state).map_err(|error| format!("the state: {error}"))?;
    let is_right = due.signature.as_bytes().ct_eq(answer.signature.as_bytes());
    Ok(bool::from(is_right).then_some(due.principal))
}
