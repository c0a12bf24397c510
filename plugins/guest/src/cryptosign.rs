//! What WAMP-Cryptosign asks of a client, and how its answer is judged. See "Cryptosign
//! Authentication" in the WAMP specification.
//!
//! The challenge is the attempt's nonce in hex. The client signs its octets with an Ed25519 key, and
//! answers with signature and signed octets, 96 together, in hex. It may bind its answer to the TLS
//! connection: then it signs something else.

mod binding;
mod ed25519;

use serde::Serialize;

pub use binding::{Demand, TLS_EXPORTER, of_connection};
pub use ed25519::{PublicKey, SignedMessage};

use crate::{Answer, Attempt, Challenge};

/// What the client must prove to have. It waits in the host until the answer comes.
#[derive(Debug)]
pub struct Claim {
    /// The public half of its key.
    pub key: PublicKey,
    /// What its answer is bound to: what both ends of its TLS connection know.
    pub channel: Option<[u8; 32]>,
}

/// CHALLENGE.Extra.
#[derive(Serialize)]
struct Extra {
    challenge: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_binding: Option<&'static str>,
}

impl Claim {
    /// Asks the client for the proof. Nothing is kept for the answer yet.
    ///
    /// # Errors
    ///
    /// When the challenge cannot be written as JSON.
    pub fn challenge(&self, attempt: &Attempt) -> Result<Challenge, String> {
        Challenge::new(&Extra {
            challenge: hex::encode(&attempt.nonce),
            channel_binding: self.channel.map(|_| TLS_EXPORTER),
        })
    }

    /// The key, and behind it the channel if there is one.
    #[must_use]
    pub fn to_state(&self) -> Vec<u8> {
        let channel = self.channel.iter().flatten();
        self.key
            .as_octets()
            .iter()
            .chain(channel)
            .copied()
            .collect()
    }

    /// Reads what [`Self::to_state`] wrote.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn from_state(state: &[u8]) -> Result<Self, String> {
        const MALFORMED: &str = "the state is not what `begin` made";
        let (key, channel) = state.split_at_checked(32).ok_or(MALFORMED)?;
        let channel = match channel {
            [] => None,
            channel => Some(channel.try_into().map_err(|_| MALFORMED)?),
        };
        let key = PublicKey::from_octets(key)?;
        Ok(Self { key, channel })
    }

    /// Whether the answer is what was to be signed, signed with the private half of the key.
    ///
    /// # Errors
    ///
    /// The reason of a denial.
    pub fn is_proved_by(&self, answer: &Answer) -> Result<(), &'static str> {
        let signed = SignedMessage::from_hex(&answer.signature)?;
        self.key.verify(&signed)?;
        match self.channel {
            None if signed.message() != answer.nonce.as_slice() => {
                Err("what the client signed is not the challenge")
            }
            Some(channel) if signed.message() != xor(&answer.nonce, &channel) => {
                Err("what the client signed is not the challenge bound to this TLS connection")
            }
            _ => Ok(()),
        }
    }
}

/// Both are 32 octets; of others there would be less to sign, which no signature is of.
fn xor(challenge: &[u8], channel: &[u8; 32]) -> Vec<u8> {
    challenge
        .iter()
        .zip(channel)
        .map(|(challenge, channel)| challenge ^ channel)
        .collect()
}
