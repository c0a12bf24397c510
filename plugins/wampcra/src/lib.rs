//! WAMP-CRA, challenge-response authentication: the client proves that it knows a secret without
//! sending it.
//!
//! The challenge is a text that was never used before, made of the attempt's nonce, the time and
//! what is claimed. The client signs exactly that text, by HMAC-SHA256 with a key that both sides
//! have, and answers with the 32 octets in base64. With a *salted* secret the key is derived from a
//! password by PBKDF2; the challenge then says by which salt, how many iterations and to which
//! length. See "Challenge Response Authentication" in the WAMP specification.
//!
//! The key stays in the host, which derives it when the credential is made and compares the
//! signature in constant time. The text of the challenge stays there too until the answer comes,
//! so that an answer fits one challenge only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_guest::credentials::{Hash, find};
use countersign_guest::wampcra::{Question, Salting, challenge};
use countersign_guest::{Answer, Attempt, Identity, Manifest, Method, Verdict};
use serde::Deserialize;

/// The kind of credential that holds the key.
const KIND: &str = "wampcra";

/// The method with its settings.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct WampCra {
    /// Where the identities come from: for the challenge and WELCOME, where some clients show it.
    authprovider: String,
}

impl Default for WampCra {
    fn default() -> Self {
        Self {
            authprovider: "countersign".into(),
        }
    }
}

impl Method for WampCra {
    const MANIFEST: Manifest = Manifest {
        name: "wampcra",
        version: env!("CARGO_PKG_VERSION"),
        summary: "has the client sign a challenge with a shared secret, plain or salted",
        credential_kinds: &[KIND],
    };

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let Some(authid) = &attempt.authid else {
            return Ok(no_authid());
        };
        let credential = find(KIND, authid);
        let salting = Salting::from_parameters(&credential.parameters())?;
        let question = Question {
            authid: &credential.authid(),
            authrole: &credential.authrole(),
            authprovider: &self.authprovider,
            attempt,
        };
        let text = question.text()?;
        let challenge = challenge(&text, salting.as_ref())?;
        Ok(challenge.with_state(text).into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let Some(authid) = &attempt.authid else {
            return Ok(no_authid());
        };
        let Some(tag) = Tag::parse(&answer.signature) else {
            return Ok(Verdict::deny("the signature is not 32 octets in base64"));
        };
        let credential = find(KIND, authid);
        if !credential.verify_hmac(Hash::Sha256, &answer.state, &tag.0) {
            return Ok(Verdict::deny("the signature does not match"));
        }
        let identity = Identity::new(credential.authid(), credential.authrole());
        Ok(identity.from_provider(&self.authprovider).into())
    }
}

fn no_authid() -> Verdict {
    Verdict::deny("the client gave no authid")
}

countersign_guest::export!(WampCra);

/// The client's signature: an HMAC-SHA256.
struct Tag([u8; 32]);

impl Tag {
    /// Takes one spelling only: the standard alphabet, padded, nothing before, between or after.
    fn parse(signature: &str) -> Option<Self> {
        let octets = STANDARD.decode(signature).ok()?;
        octets.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests;
