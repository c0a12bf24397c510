use std::{sync::Arc, time::Duration};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

use super::{Authid, Nonce, StepName};
use crate::wamp::{Dict, Value};

/// What a method says of one call, read from what its component returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Challenge(Challenge),
    Accept(Identity),
    /// With the method's words for the operator.
    Deny(String),
    NotMine,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    pub extra: Dict,
    pub state: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub authid: Authid,
    pub authrole: String,
    pub authprovider: Option<String>,
    pub authextra: Dict,
    /// Since the Unix epoch.
    pub expires_at: Option<Duration>,
}

/// A step that this login has passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub step: StepName,
    pub identity: Identity,
}

/// The client's AUTHENTICATE with what the host kept of the challenge that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub signature: String,
    pub extra: Dict,
    pub nonce: Nonce,
    pub state: Arc<[u8]>,
}

/// A method that gave no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether the router had no room to ask it, as opposed to the method having failed.
    pub overload: bool,
    /// For the operator's log.
    pub why: String,
}

impl Challenge {
    /// Whether what the client is to sign is the host's own nonce. Without this, a method could
    /// have its clients sign the challenge of another realm and log in there with the answer.
    pub fn carries(&self, nonce: &Nonce) -> bool {
        ["challenge", "nonce"]
            .into_iter()
            .filter_map(|key| self.extra.value(key))
            .all(|value| {
                let Value::Text(text) = value else {
                    return false;
                };
                text.contains(&hex::encode(nonce))
                    || text.contains(&BASE64_STANDARD_NO_PAD.encode(nonce))
                    || text.contains(&BASE64_URL_SAFE_NO_PAD.encode(nonce))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_of_the_methods_choosing_is_recognised() {
        let nonce = [0xfa; 32];
        let carries = |key: &str, value: &str| {
            let extra = Dict::new().with(key, value);
            Challenge {
                extra,
                state: [].into(),
            }
            .carries(&nonce)
        };
        assert!(carries("challenge", &"fa".repeat(32)));
        assert!(carries(
            "challenge",
            &format!("{{\"nonce\":\"{}\"}}", "fa".repeat(32))
        ));
        assert!(carries(
            "nonce",
            &format!("client{}", BASE64_STANDARD_NO_PAD.encode(nonce))
        ));
        assert!(carries("salt", "anything"));
        assert!(!carries("challenge", &"fb".repeat(32)));
        assert!(!carries("nonce", ""));
    }
}
