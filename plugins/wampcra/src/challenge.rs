//! What the client is asked to sign, and what it is told for that.

use countersign_guest::Attempt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::timestamp;

/// What the challenge's text is made of.
pub(crate) struct Question<'a> {
    pub(crate) authid: &'a str,
    pub(crate) authrole: &'a str,
    pub(crate) authprovider: &'a str,
    pub(crate) attempt: &'a Attempt,
}

impl Question<'_> {
    /// The text to be signed: a JSON object. It names the realm beside what the specification asks
    /// for, so that a signature for one realm is none for another.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON.
    pub(crate) fn text(&self) -> Result<String, String> {
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
pub(crate) struct Extra<'a> {
    pub(crate) challenge: &'a str,
    #[serde(flatten)]
    pub(crate) salting: Option<Salting>,
}

/// How a client makes the key of its password: `PBKDF2-HMAC-SHA256(password, salt, iterations)`,
/// `keylen` octets of it, in base64.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Salting {
    salt: String,
    iterations: u32,
    keylen: u32,
}

impl Salting {
    /// Reads a credential's parameters. None: its secret is the key as it is.
    ///
    /// # Errors
    ///
    /// When there is a salt but not all that goes with it. Clients would fill the gap with values
    /// of their own, and sign with another key.
    pub(crate) fn from_parameters(parameters: &str) -> Result<Option<Self>, String> {
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
        let extra = serde_json::to_string(&Extra {
            challenge: "text",
            salting,
        })
        .unwrap();
        assert_eq!(extra, r#"{"challenge":"text"}"#);
    }

    #[test]
    fn a_salted_secret_tells_how_to_derive_the_key() {
        let salting = Salting::from_parameters(SALTED).unwrap();
        let extra = serde_json::to_string(&Extra {
            challenge: "text",
            salting,
        })
        .unwrap();
        assert_eq!(
            extra,
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
