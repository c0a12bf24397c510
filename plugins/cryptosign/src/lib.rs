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
//! - `authextra` may ask for channel binding, which has the client sign something else than the
//!   challenge. `tls-exporter` is granted where the router's end of the connection knows it, and
//!   CHALLENGE.Extra says so; everything else is declined by not mentioning it, which every client
//!   understands. The answer of a client that binds all the same is refused, and so is one that does
//!   not bind although it was told to.
//!
//! Announcing `cryptosign` without a readable key is a failed login, not somebody else's: it is
//! denied, so that the operator reads why. The challenge is the same for everyone, and a key that
//! belongs to nobody costs the same calls and the same verification as one that does.

use countersign_guest::credentials::{find, find_by_key};
use countersign_guest::cryptosign::{Claim, Demand, PublicKey, of_connection};
use countersign_guest::{Answer, Attempt, Manifest, Method, Verdict};
use serde::Deserialize;

/// The kind of credential that holds public keys.
const KIND: &str = "cryptosign";

/// The method with its settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cryptosign {
    /// Whether clients must bind their answer to the TLS connection.
    channel_binding: Demand,
}

impl Method for Cryptosign {
    const MANIFEST: Manifest = Manifest {
        name: "cryptosign",
        version: env!("CARGO_PKG_VERSION"),
        summary: "has the client sign a challenge with an Ed25519 key",
        credential_kinds: &[KIND],
    };

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let claim = match self.claim(attempt, of_connection) {
            Ok(claim) => claim,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let challenge = claim.challenge(attempt)?;
        Ok(challenge.with_state(claim.to_state()).into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let claim = Claim::from_state(&answer.state)?;
        let key = &claim.key;
        let credential = match &attempt.authid {
            Some(authid) => find(KIND, authid),
            None => find_by_key(KIND, key.as_octets()),
        };
        // Both in any case: a client must not learn from the time which of them failed.
        let signed = claim.is_proved_by(answer);
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
    channel_binding: Option<String>,
}

impl Cryptosign {
    /// The error is the reason of a denial.
    fn claim(
        &self,
        attempt: &Attempt,
        of_connection: impl FnOnce() -> Option<[u8; 32]>,
    ) -> Result<Claim, String> {
        let Ok(Authextra {
            pubkey,
            channel_binding,
        }) = attempt.authextra()
        else {
            return Err(
                "authextra has no `pubkey` that is a text, or a `channel_binding` that is none"
                    .into(),
            );
        };
        let key = PublicKey::from_hex(&pubkey)?;
        let channel = self
            .channel_binding
            .settle(channel_binding.as_deref(), of_connection)?;
        Ok(Claim { key, channel })
    }
}

#[cfg(test)]
mod tests;
