//! Between the contract's words, which are a guest's, and ours. What a guest returns is read here,
//! once; what does not read is a [`Fault`].

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    Fault, Limit, Limits, bindings::countersign::auth::types as wit,
    bindings::exports::countersign::auth::method::Verdict as Returned,
};
use crate::{
    login::{self, Authid, Challenge, Identity, StepName, Verdict},
    wamp::Dict,
};

/// `challenge.state`, in octets: the contract says so.
const LARGEST_STATE: usize = 4 << 10;

/// How deep the JSON that a method returns may be nested.
const JSON_DEPTH: usize = 16;

/// A clock before 1970 is not worth a failure: methods get 0, and everything has expired.
pub(super) fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(super) fn attempt(
    attempt: login::Attempt,
    step: &StepName,
    settings: &str,
    now: Duration,
) -> wit::Attempt {
    wit::Attempt {
        realm: attempt.realm.as_ref().to_owned(),
        session: attempt.session.as_u64(),
        authmethod: step.as_str().to_owned(),
        authid: attempt.authid.map(|authid| authid.as_str().to_owned()),
        authextra: attempt.authextra.as_ref().to_owned(),
        settings: settings.to_owned(),
        nonce: attempt.nonce.to_vec(),
        now: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        proven: attempt.proven.into_iter().map(proof).collect(),
    }
}

fn proof(proof: login::Proof) -> wit::Proof {
    wit::Proof {
        authmethod: proof.step.as_str().to_owned(),
        authid: proof.identity.authid.as_str().to_owned(),
        authrole: proof.identity.authrole,
        authextra: proof.identity.authextra.to_json(),
    }
}

pub(super) fn answer(answer: login::Answer) -> wit::Answer {
    wit::Answer {
        signature: answer.signature,
        extra: answer.extra.to_json(),
        nonce: answer.nonce.to_vec(),
        state: answer.state.to_vec(),
    }
}

pub(super) fn verdict(
    returned: Result<Returned, String>,
    limits: &Limits,
) -> Result<Verdict, Fault> {
    let size = match &returned {
        Ok(Returned::Challenge(challenge)) => challenge.extra.len() + challenge.state.len(),
        Ok(Returned::Accept(identity)) => {
            identity.authid.len()
                + identity.authrole.len()
                + identity.authprovider.as_ref().map_or(0, String::len)
                + identity.authextra.len()
        }
        Ok(Returned::Deny(text)) | Err(text) => text.len(),
        Ok(Returned::NotMine) => 0,
    };
    if size > limits.output {
        return Err(Fault::Overrun(Limit::Output));
    }
    match returned.map_err(Fault::Undecided)? {
        Returned::Challenge(challenge) => {
            if challenge.state.len() > LARGEST_STATE {
                return Err(Fault::Overrun(Limit::State));
            }
            Ok(Verdict::Challenge(Challenge {
                extra: json("challenge.extra", &challenge.extra)?,
                state: Arc::from(challenge.state),
            }))
        }
        Returned::Accept(identity) => {
            if identity.authrole.is_empty() {
                return Err(Fault::Malformed("identity.authrole is empty".into()));
            }
            let authid = Authid::parse(&identity.authid)
                .map_err(|error| Fault::Malformed(format!("identity.authid: {error}")))?;
            Ok(Verdict::Accept(Identity {
                authid,
                authrole: identity.authrole,
                authprovider: identity.authprovider,
                authextra: json("identity.authextra", &identity.authextra)?,
                expires_at: identity.expires_at.map(Duration::from_millis),
            }))
        }
        Returned::Deny(why) => Ok(Verdict::Deny(why)),
        Returned::NotMine => Ok(Verdict::NotMine),
    }
}

fn json(field: &str, text: &str) -> Result<Dict, Fault> {
    Dict::from_json(text, JSON_DEPTH)
        .map_err(|error| Fault::Malformed(format!("{field} is not a JSON object: {error}")))
}
