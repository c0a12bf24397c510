//! WAMP-Cryptosign: the client proves that it holds the private half of an Ed25519 key pair.
//!
//! It sends its public key along with HELLO (`authextra.pubkey`, in hex). The challenge is 32 fresh
//! octets in hex; the client signs the octets, and answers with signature and signed octets, 96
//! together, in hex. See "Cryptosign Authentication" in the WAMP specification.
//!
//! A client may leave out its authid: then it is whoever the key belongs to. If it gives one, the
//! key must be among that authid's.
//!
//! Three things that are easily forgotten, and were in other routers:
//!
//! - The signed octets come with the answer. Unless they are compared with those of the challenge,
//!   any old answer will do.
//! - Ed25519 has keys of small order, under which one signature fits many messages. They are
//!   refused, and so is every signature that only some libraries accept.
//! - `authextra` may ask for channel binding, which would have the client sign something else than
//!   the challenge. It is declined by not mentioning it, which every client understands; the answer
//!   of a client that binds all the same is refused.
//!
//! Announcing `cryptosign` without a readable key is a failed login, not somebody else's: it is
//! denied, so that the operator reads why. The challenge is the same for everyone, and a key that
//! belongs to nobody costs the same calls and the same verification as one that does.

mod ed25519;

use countersign_guest::credentials::{find, find_by_key};
use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict};
use serde::{Deserialize, Serialize};

use crate::ed25519::{PublicKey, SignedMessage};

/// The kind of credential that holds public keys.
const KIND: &str = "cryptosign";

/// The method. It has no settings.
#[derive(Debug, Deserialize)]
pub struct Cryptosign {}

impl Method for Cryptosign {
    const MANIFEST: Manifest = Manifest {
        name: "cryptosign",
        version: env!("CARGO_PKG_VERSION"),
        summary: "has the client sign a challenge with an Ed25519 key",
        credential_kinds: &[KIND],
    };

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let key = match claimed_key(attempt) {
            Ok(key) => key,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let extra = Extra {
            challenge: hex::encode(&attempt.nonce),
        };
        let challenge = Challenge::new(&extra)?;
        Ok(challenge.with_state(key.as_octets()).into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let key = PublicKey::from_octets(&answer.state)?;
        let credential = match &attempt.authid {
            Some(authid) => find(KIND, authid),
            None => find_by_key(KIND, key.as_octets()),
        };
        // Both in any case: a client must not learn from the time which of them failed.
        let signed = signs_the_challenge(&key, answer);
        let owned = credential
            .public_keys()
            .iter()
            .any(|owned| owned == key.as_octets());

        Ok(match (signed, owned) {
            (Err(reason), _) => Verdict::deny(reason),
            (Ok(()), false) => Verdict::deny("the key is not on record for this client"),
            (Ok(()), true) => Verdict::accept(credential.authid(), credential.authrole()),
        })
    }
}

countersign_guest::export!(Cryptosign);

/// What this method reads of `authextra`.
#[derive(Deserialize)]
struct Authextra {
    pubkey: String,
}

/// CHALLENGE.Extra.
#[derive(Serialize)]
struct Extra {
    challenge: String,
}

/// The public key that the client says is its own.
fn claimed_key(attempt: &Attempt) -> Result<PublicKey, &'static str> {
    let Ok(Authextra { pubkey }) = attempt.authextra() else {
        return Err("authextra has no `pubkey` that is a text");
    };
    PublicKey::from_hex(&pubkey)
}

/// Whether the answer is the challenge's 32 octets, signed with the private half of `key`.
fn signs_the_challenge(key: &PublicKey, answer: &Answer) -> Result<(), &'static str> {
    let signed = SignedMessage::from_hex(&answer.signature)?;
    key.verify(&signed)?;
    if signed.message() != answer.nonce.as_slice() {
        return Err("what the client signed is not the challenge");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
