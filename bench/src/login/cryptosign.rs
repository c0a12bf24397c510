//! WAMP-Cryptosign: an Ed25519 signature of the server's octets.

use anyhow::{Context, Result};
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    client::{AUTHID, REALM},
    frame::json_hello,
};

/// A key pair.
pub struct Key(SigningKey);

#[derive(Deserialize)]
struct Extra<'a> {
    challenge: &'a str,
}

impl Key {
    /// The one whose seed is the SHA-256 of a secret: so there is nothing to keep.
    pub fn of(secret: &str) -> Self {
        Self(SigningKey::from_bytes(&Sha256::digest(secret).into()))
    }

    /// In hex.
    pub fn public(&self) -> String {
        hex::encode(self.0.verifying_key().as_bytes())
    }

    pub fn hello(&self, authmethod: &str) -> Vec<u8> {
        let authextra = json!({"pubkey": self.public()});
        json_hello(REALM, authmethod, Some(AUTHID), Some(authextra))
    }

    /// The signature and what was signed, in hex.
    pub fn answer(&self, challenge: &[u8]) -> Result<String> {
        let (_, _, Extra { challenge }): (IgnoredAny, IgnoredAny, _) =
            serde_json::from_slice(challenge).context("the challenge is not understood")?;
        let mut octets = [0; 32];
        hex::decode_to_slice(challenge, &mut octets).context("the challenge is not 32 octets")?;
        let signature = self.0.sign(&octets).to_bytes();
        Ok(hex::encode(signature) + &hex::encode(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of autobahn-python's test vectors.
    #[test]
    fn a_challenge_is_signed_as_other_clients_do() {
        let mut seed = [0; 32];
        hex::decode_to_slice(
            "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
            &mut seed,
        )
        .unwrap();
        let key = Key(SigningKey::from_bytes(&seed));
        assert_eq!(
            key.public(),
            "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d"
        );
        let challenge = "ff".repeat(32);
        let message = format!(r#"[4,"cryptosign",{{"challenge":"{challenge}","x":null}}]"#);
        assert_eq!(
            key.answer(message.as_bytes()).unwrap(),
            "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0cae80a357331bfc5cc9fb7\
             1081464e6e75013517c2cf067ad566a6b7b728e5d03"
                .to_owned()
                + &challenge
        );
    }

    #[test]
    fn what_is_no_challenge_is_an_error() {
        let key = Key::of("secret");
        for message in [
            "[4]",
            r#"[4,"cryptosign",{}]"#,
            r#"[4,"cryptosign",{"challenge":"ff"}]"#,
        ] {
            assert!(key.answer(message.as_bytes()).is_err(), "{message}");
        }
    }
}
