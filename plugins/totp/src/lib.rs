//! A second factor: the one-time password that an app on a person's telephone shows (RFC 6238), or
//! one of the recovery codes that the person keeps for the day when the telephone is lost.
//!
//! It stands behind another step, such as `wampcra`, which says who the client is; what the client
//! itself claims counts for nothing here. The code comes in one of two ways:
//!
//! - asked for by a CHALLENGE with the method `totp`: `{"digits": 6}`; AUTHENTICATE's signature is
//!   the code. For clients that take several CHALLENGEs in one login;
//! - sent along in HELLO, as the member `totp` of `authextra`. Then nothing is asked. For those that
//!   take one CHALLENGE only.
//!
//! The seed stays in the host, which computes the HMACs, and keeps for each credential the last time
//! step that was accepted, so that a code is accepted once, ever, however many show it. Whoever has
//! no credential has a decoy, and takes the same calls.

mod code;
mod parameters;

use std::ops::RangeInclusive;

use countersign_guest::counters::advance;
use countersign_guest::credentials::{Credential, find};
use countersign_guest::recovery_codes::redeem;
use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict, logging};
use serde::{Deserialize, Serialize};

use crate::{code::Code, parameters::Parameters};

/// The kind of credential that holds the seed.
const KIND: &str = "totp";

/// More would make guessing easier than six digits should be: each step is one code more that fits.
const WIDEST_WINDOW: u8 = 10;

/// The method with its settings.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Totp {
    /// How many time steps a person's clock may be before or behind the host's.
    window: u8,
    /// Whether the code is enough by itself: then it may be a login's first step. Six digits are a
    /// weak secret, so this must be said.
    alone: bool,
}

impl Default for Totp {
    fn default() -> Self {
        Self {
            window: 1,
            alone: false,
        }
    }
}

/// CHALLENGE.Extra.
#[derive(Serialize)]
struct Extra {
    digits: u8,
}

/// What there may be for this method in HELLO's authextra.
#[derive(Deserialize)]
struct Sent {
    totp: Option<String>,
}

impl Method for Totp {
    const MANIFEST: Manifest = Manifest {
        name: "totp",
        version: env!("CARGO_PKG_VERSION"),
        summary: "asks for the code that an app shows, or for a recovery code, as a second step",
        credential_kinds: &[KIND],
    };

    fn check(&self) -> Result<(), String> {
        if self.window > WIDEST_WINDOW {
            return Err(format!(
                "`window`: {} steps; 0 to {WIDEST_WINDOW} are possible",
                self.window
            ));
        }
        Ok(())
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let user = match self.user(attempt) {
            Ok(user) => user,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let code = match attempt.authextra() {
            Ok(Sent { totp }) => totp,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let credential = find(KIND, user.authid);
        let parameters = Parameters::parse(&credential.parameters())?;
        match code {
            Some(code) => Ok(self.decide(attempt, &user, &credential, &parameters, &code)),
            None => Ok(Challenge::new(&Extra {
                digits: parameters.digits,
            })?
            .into()),
        }
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let user = match self.user(attempt) {
            Ok(user) => user,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let credential = find(KIND, user.authid);
        let parameters = Parameters::parse(&credential.parameters())?;
        Ok(self.decide(attempt, &user, &credential, &parameters, &answer.signature))
    }
}

/// Whose code it must be.
#[derive(Debug, PartialEq, Eq)]
struct User<'a> {
    authid: &'a str,
    /// What the step before has given; none where there is none.
    authrole: Option<&'a str>,
}

impl Totp {
    /// The one whom the step before has found. The client's claim counts only where this step is
    /// meant to be the only one.
    fn user<'a>(&self, attempt: &'a Attempt) -> Result<User<'a>, &'static str> {
        if let Some(proof) = attempt.proven.last() {
            return Ok(User {
                authid: &proof.authid,
                authrole: Some(&proof.authrole),
            });
        }
        if !self.alone {
            return Err(
                "totp proves nothing by itself: put another step before it in the realm's \
                 [[login]], or say `alone = true` in its settings",
            );
        }
        let authid = attempt.authid.as_deref();
        Ok(User {
            authid: authid.ok_or("the client gave no authid")?,
            authrole: None,
        })
    }

    fn decide(
        &self,
        attempt: &Attempt,
        user: &User,
        credential: &Credential,
        parameters: &Parameters,
        shown: &str,
    ) -> Verdict {
        let outcome = match Code::parse(shown, parameters.digits) {
            Some(code) => {
                let steps = parameters.steps(attempt.now, self.window);
                by_time(credential, parameters, code, steps)
            }
            None => by_recovery_code(credential, user, shown),
        };
        match (outcome, user.authrole) {
            (Err(reason), _) => Verdict::deny(reason),
            (Ok(()), Some(authrole)) => Verdict::accept(user.authid, authrole),
            (Ok(()), None) => Verdict::accept(credential.authid(), credential.authrole()),
        }
    }
}

fn by_time(
    credential: &Credential,
    parameters: &Parameters,
    code: Code,
    steps: RangeInclusive<u64>,
) -> Result<(), &'static str> {
    let hmac = |step: u64| credential.hmac(parameters.hash, &step.to_be_bytes());
    let step = code
        .step_among(steps, hmac)
        .ok_or("the code is not one that is shown now")?;
    if !advance(credential, step) {
        return Err("the code was used before");
    }
    Ok(())
}

fn by_recovery_code(credential: &Credential, user: &User, shown: &str) -> Result<(), &'static str> {
    if !redeem(credential, shown) {
        return Err("neither a code of the app's nor an unused recovery code");
    }
    let message = format!("{} has used a recovery code", user.authid);
    logging::log(logging::Level::Warn, "", &message);
    Ok(())
}

countersign_guest::export!(Totp);

#[cfg(test)]
mod tests;
