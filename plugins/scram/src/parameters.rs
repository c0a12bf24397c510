use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dialect::Dialect;

/// How the credential's client derives its keys from the password, as the host keeps it.
#[derive(Debug, Deserialize)]
pub struct Parameters {
    /// In base64.
    pub salt: String,
    pub iterations: u32,
    #[serde(flatten)]
    kdf: Kdf,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kdf", rename_all = "lowercase")]
enum Kdf {
    Argon2id13 {
        /// KiB.
        memory: u32,
    },
    Pbkdf2,
}

/// CHALLENGE.Extra. autobahn-python refuses any other member.
#[derive(Debug, Serialize)]
pub struct Extra<'a> {
    nonce: &'a str,
    salt: &'a str,
    kdf: &'static str,
    iterations: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Value>,
}

impl Parameters {
    /// Reads a credential's parameters. The error is for the operator, whose store holds them.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("the credential: {error}"))
    }

    pub fn extra<'a>(&'a self, dialect: Dialect, nonce: &'a str) -> Extra<'a> {
        let Self {
            salt,
            iterations,
            kdf,
        } = self;
        let (kdf, memory) = match (kdf, dialect) {
            (Kdf::Argon2id13 { memory }, Dialect::Wamp) => ("argon2id13", Some((*memory).into())),
            (Kdf::Argon2id13 { memory }, Dialect::Autobahn) => {
                ("argon2id-13", Some((*memory).into()))
            }
            (Kdf::Pbkdf2, Dialect::Wamp) => ("pbkdf2", Some(Value::Null)),
            // It makes a number of what there is.
            (Kdf::Pbkdf2, Dialect::Autobahn) => ("pbkdf2", None),
        };
        Extra {
            nonce,
            salt,
            kdf,
            iterations: *iterations,
            memory,
        }
    }
}
