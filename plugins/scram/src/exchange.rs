use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use countersign_guest::Answer;
use serde::{Deserialize, Serialize};

use crate::{Client, dialect::Dialect, parameters::Parameters};

/// The client's half of what makes an exchange unique, in base64: so it has no comma, with which it
/// could pass for more than a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientNonce(String);

impl ClientNonce {
    /// The specification recommends 16 octets, and its example has 8. Fewer are no nonce; more than 64
    /// are of no use to anybody.
    pub fn parse(text: String) -> Option<Self> {
        // Whoever sends a long one costs no work.
        if text.len() > 88 {
            return None;
        }
        let octets = BASE64.decode(&text).ok()?;
        (8..=64).contains(&octets.len()).then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nonce of the exchange: the client's, and ours behind it.
    pub fn with(&self, ours: &[u8]) -> String {
        self.0.clone() + &BASE64.encode(ours)
    }
}

/// What an answer must fit. It waits in the host until that comes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// RFC 5802's `AuthMessage`.
    pub message: String,
    /// What AUTHENTICATE has to repeat.
    nonce: String,
    channel_binding: Option<String>,
    cbind_data: Option<String>,
}

impl Exchange {
    pub fn new(dialect: Dialect, client: &Client, nonce: String, parameters: &Parameters) -> Self {
        let Client {
            name,
            nonce: clients,
            binding,
        } = client;
        let Parameters {
            salt, iterations, ..
        } = parameters;
        let message = format!(
            "n={},r={},r={nonce},s={salt},i={iterations},c={},r={nonce}",
            dialect.name(name),
            clients.as_str(),
            binding.input(dialect),
        );
        Self {
            message,
            nonce,
            channel_binding: binding.name().map(str::to_owned),
            cbind_data: binding.data(),
        }
    }

    pub fn to_state(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| format!("the state: {error}"))
    }

    pub fn from_state(state: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(state).map_err(|error| format!("the state: {error}"))
    }
}

/// AUTHENTICATE, found to belong to the exchange.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub proof: [u8; 32],
}

/// AUTHENTICATE.Extra of `wamp-scram`.
#[derive(Deserialize)]
struct Repeated {
    nonce: Option<String>,
    channel_binding: Option<String>,
    cbind_data: Option<String>,
}

impl Reply {
    /// The error is the reason of a denial.
    ///
    /// What the client repeats in AUTHENTICATE.Extra is in the `AuthMessage` already, from our side. The
    /// specification has it compared all the same. autobahn-python repeats nothing.
    pub fn read(dialect: Dialect, exchange: &Exchange, answer: &Answer) -> Result<Self, String> {
        if dialect == Dialect::Wamp {
            let Repeated {
                nonce,
                channel_binding,
                cbind_data,
            } = serde_json::from_str(&answer.extra)
                .map_err(|error| format!("AUTHENTICATE.Extra: {error}"))?;
            if nonce.as_ref() != Some(&exchange.nonce) {
                return Err("AUTHENTICATE.Extra does not have the challenge's `nonce`".into());
            }
            if channel_binding != exchange.channel_binding || cbind_data != exchange.cbind_data {
                return Err(
                    "AUTHENTICATE.Extra has another channel binding than HELLO, or other data than \
                     this end of the connection"
                        .into(),
                );
            }
        }
        // One spelling only: the standard alphabet, padded, nothing before, between or after.
        let proof = BASE64
            .decode(&answer.signature)
            .ok()
            .and_then(|octets| octets.try_into().ok())
            .ok_or("the signature is not 32 octets in base64")?;
        Ok(Self { proof })
    }
}
