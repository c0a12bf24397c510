//! The challenge of WAMP-CRA: what the client is asked to sign, and what it is told for that. See
//! "Challenge Response Authentication" in the WAMP specification.

mod timestamp;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Attempt, Challenge};

/// What the challenge's text is made of.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who the client will be if it can sign,
    pub authid: &'a str,
    /// and in which role.
    pub authrole: &'a str,
    /// Where the identity comes from; some clients show it.
    pub authprovider: &'a str,
    /// The nonce, the time, and the rest.
    pub attempt: &'a Attempt,
}

impl Question<'_> {
    /// The text to be signed: a JSON object. It names the realm beside what the specification asks
    /// for, so that a signature for one realm is none for another.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON.
    pub fn text(&self) -> Result<String, String> {
        let Self {
            authid,
            authrole,
            authprovider,
            attempt,
        } = *self;
        let members = Members {
            authid,
            authrole,
            authmethod: &attempt.authmethod,
            authprovider,
            realm: &attempt.realm,
            nonce: hex::encode(&attempt.nonce),
            timestamp: timestamp::iso8601(attempt.now),
            session: attempt.session,
        };
        serde_json::to_string(&members).map_err(|error| format!("challenge: {error}"))
    }
}

#[derive(Serialize)]
struct Members<'a> {
    authid: &'a str,
    authrole: &'a str,
    authmethod: &'a str,
    authprovider: &'a str,
    realm: &'a str,
    nonce: String,
    timestamp: String,
    session: u64,
}

/// CHALLENGE.Extra.
#[derive(Serialize)]
struct Extra<'a> {
    challenge: &'a str,
    #[serde(flatten)]
    salting: Option<&'a Salting>,
}

/// The challenge with this text. Nothing is kept for the answer yet.
///
/// # Errors
///
/// When it cannot be written as JSON.
pub fn challenge(text: &str, salting: Option<&Salting>) -> Result<Challenge, String> {
    Challenge::new(&Extra {
        challenge: text,
        salting,
    })
}

/// How a client makes the key of its password: `PBKDF2-HMAC-SHA256(password, salt, iterations)`,
/// `keylen` octets of it, in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salting {
    /// As text: its octets are the salt.
    pub salt: String,
    /// Of PBKDF2.
    pub iterations: u32,
    /// The key's octets, before base64.
    pub keylen: u32,
}

impl Salting {
    /// Reads a credential's parameters. None: its secret is the key as it is.
    ///
    /// # Errors
    ///
    /// When there is a salt but not all that goes with it. Clients would fill the gap with values
    /// of their own, and sign with another key.
    pub fn from_parameters(parameters: &str) -> Result<Option<Self>, String> {
        let broken = |error| format!("the credential's parameters: {error}");
        let parameters: Map<String, Value> = serde_json::from_str(parameters).map_err(broken)?;
        if !parameters.contains_key("salt") {
            return Ok(None);
        }
        serde_json::from_value(parameters.into())
            .map(Some)
            .map_err(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALTED: &str = r#"{ "salt": "salt123", "iterations": 1000, "keylen": 32 }"#;

    fn text(authid: &str) -> String {
        let attempt = Attempt {
            realm: "realm1".into(),
            session: 3_251_278_072_152_162,
            authmethod: "wampcra".into(),
            nonce: vec![0xab; 32],
            now: 1_403_454_985_448,
            ..Attempt::default()
        };
        let question = Question {
            authid,
            authrole: "user",
            authprovider: "countersign",
            attempt: &attempt,
        };
        question.text().unwrap()
    }

    #[test]
    fn the_text_has_all_that_the_specification_asks_for_and_the_realm() {
        assert_eq!(
            text("peter"),
            format!(
                concat!(
                    r#"{{"authid":"peter","authrole":"user","authmethod":"wampcra","#,
                    r#""authprovider":"countersign","realm":"realm1","nonce":"{}","#,
                    r#""timestamp":"2014-06-22T16:36:25.448Z","session":3251278072152162}}"#
                ),
                "ab".repeat(32)
            )
        );
    }

    #[test]
    fn an_authid_cannot_add_members() {
        let authid = r#"peter","authrole":"admin"#;
        let members: Map<String, Value> = serde_json::from_str(&text(authid)).unwrap();
        assert_eq!(members["authid"], authid);
        assert_eq!(members["authrole"], "user");
    }

    #[test]
    fn a_plain_secret_needs_no_more_than_the_challenge() {
        let salting = Salting::from_parameters("{}").unwrap();
        let challenge = challenge("text", salting.as_ref()).unwrap();
        assert_eq!(challenge.extra, r#"{"challenge":"text"}"#);
    }

    #[test]
    fn a_salted_secret_tells_how_to_derive_the_key() {
        let salting = Salting::from_parameters(SALTED).unwrap();
        let challenge = challenge("text", salting.as_ref()).unwrap();
        assert_eq!(
            challenge.extra,
            r#"{"challenge":"text","salt":"salt123","iterations":1000,"keylen":32}"#
        );
    }

    #[test]
    fn parameters_that_leave_something_to_the_client_are_an_error() {
        for parameters in [r#"{ "salt": "salt123" }"#, r#"{ "salt": 1 }"#, "[]", ""] {
            assert!(
                Salting::from_parameters(parameters).is_err(),
                "{parameters}"
            );
        }
    }
}
