//! WAMP-Cryptosign with a public key that the procedure returns.

use countersign_guest::cryptosign::{Claim, Demand, PublicKey, of_connection};
use countersign_guest::{Answer, Attempt, Challenge};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::principal::{Principal, kind};

/// What is kept until the answer comes.
#[derive(Serialize, Deserialize)]
struct Due {
    #[serde(with = "hex::serde")]
    claim: Vec<u8>,
    principal: Principal,
}

/// What this method reads of `authextra`.
#[derive(Deserialize)]
struct Authextra {
    channel_binding: Option<String>,
}

/// Reads the member `pubkey`: in hex, as the client's own `authextra.pubkey` is.
///
/// # Errors
///
/// What is wrong with it, to stand after "returned".
pub(crate) fn public_key(said: &Value) -> Result<PublicKey, String> {
    match said.get("pubkey") {
        Some(Value::String(digits)) => PublicKey::from_hex(digits)
            .map_err(|error| format!("a \"pubkey\" that is none: {error}")),
        Some(other) => Err(format!("{} as \"pubkey\", not text", kind(other))),
        None => Err("no \"pubkey\"".into()),
    }
}

/// What the client's answer will be bound to.
///
/// # Errors
///
/// The reason of a denial.
pub(crate) fn channel(attempt: &Attempt, demand: Demand) -> Result<Option<[u8; 32]>, String> {
    let Authextra { channel_binding } = attempt.authextra()?;
    demand.settle(channel_binding.as_deref(), of_connection)
}

/// Asks the client to sign, and keeps with which key it must.
///
/// # Errors
///
/// When it cannot be written as JSON.
pub(crate) fn challenge(
    attempt: &Attempt,
    principal: Principal,
    claim: &Claim,
) -> Result<Challenge, String> {
    let due = Due {
        claim: claim.to_state(),
        principal,
    };
    let state = serde_json::to_vec(&due).map_err(|error| format!("the state: {error}"))?;
    Ok(claim.challenge(attempt)?.with_state(state))
}

/// Who has signed, or the reason of a denial.
///
/// # Errors
///
/// The state is not what [`challenge`] has kept.
pub(crate) fn judge(answer: &Answer) -> Result<Result<Principal, &'static str>, String> {
    let due: Due =
        serde_json::from_slice(&answer.state).map_err(|error| format!("the state: {error}"))?;
    let claim = Claim::from_state(&due.claim)?;
    Ok(claim.is_proved_by(answer).map(|()| due.principal))
}
