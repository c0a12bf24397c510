//! Passkeys: the client has an authenticator sign the challenge for this realm's website (Web
//! Authentication, level 3).
//!
//! A login: CHALLENGE.Extra has the options for `navigator.credentials.get`, and
//! AUTHENTICATE.Signature is the JSON text of what that returns. The client may give an authid or
//! none: then the passkey says whose it is, and the challenge is the same for everybody.
//!
//! A passkey gets into the host's credentials by a code that the operator has made for an authid. A
//! client that logs in with it in `authextra` is asked to make a passkey instead of using one
//! (`navigator.credentials.create`), and is let in. Not told to come again: a denial says nothing,
//! so the client would not know that it has worked; and whoever holds the code can log in with the
//! new passkey a moment later anyway.
//!
//! What a browser and an authenticator have signed is worth something only together with what they
//! signed it for, so all of these are looked at: the challenge, the page's origin, that it was not
//! in a frame, the relying party, the user's presence and verification. The signature counter must
//! rise: one that does not comes from a copy of the authenticator, or from an old answer. Passkeys
//! that several devices share always say 0, and may; but not after another number.
//!
//! An authid without passkeys gets the host's decoy: an id that stays the same, and a key that
//! nobody has.

mod authenticator;
mod cbor;
mod ceremony;
mod cose;
mod options;
mod response;
mod settings;

use countersign_guest::counters::advance;
use countersign_guest::credentials::{Credential, Hash, find, find_by_key};
use countersign_guest::enrolments::{self, Key, Refusal};
use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict};
use serde::Deserialize;

use crate::{
    ceremony::{About, Made, Used},
    options::{Creation, Request},
    settings::UserVerification,
};

/// The kind of credential that holds passkeys.
const KIND: &str = "webauthn";

/// The method with its settings.
#[derive(Debug, Deserialize)]
pub struct Webauthn {
    /// The domain that the passkeys belong to.
    rp: String,
    /// The pages that may ask for them.
    origins: Vec<String>,
    /// What people are shown when they make one; if it is not said, `rp`.
    name: Option<String>,
    #[serde(default)]
    user_verification: UserVerification,
}

/// What there may be for this method in HELLO's authextra.
#[derive(Deserialize)]
struct Sent {
    /// The code that allows a new passkey.
    enrolment: Option<String>,
}

/// A credential's parameters: what the host keeps beside each key.
#[derive(Deserialize)]
struct Parameters {
    keys: Vec<Kept>,
}

#[derive(Deserialize)]
struct Kept {
    /// In base64url.
    id: String,
    counter: u64,
    #[serde(flatten)]
    about: About,
}

impl Method for Webauthn {
    const MANIFEST: Manifest = Manifest {
        name: "webauthn",
        version: env!("CARGO_PKG_VERSION"),
        summary: "asks for a passkey, or for a new one from whoever has a code",
        credential_kinds: &[KIND],
    };

    fn check(&self) -> Result<(), String> {
        settings::check_rp(&self.rp)?;
        settings::check_origins(&self.origins)
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let Sent { enrolment } = match attempt.authextra() {
            Ok(sent) => sent,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let user = User::of(attempt);
        let Some(code) = enrolment else {
            let known = match &user {
                Some(user) => parameters(&find(KIND, user.authid))?,
                // The authenticator finds by itself which passkeys it has.
                None => Vec::new(),
            };
            let request = Request::new(self, &attempt.nonce, &known);
            return Ok(Challenge::new(&request)?.into());
        };
        let Some(user) = user else {
            return Ok(Verdict::deny(NOBODY));
        };
        let credential = find(KIND, user.authid);
        // Before somebody makes a passkey in vain. It tells nobody who exists: codes cannot be
        // guessed.
        if !enrolments::is_open(&credential, &code) {
            return Ok(Verdict::deny(NOT_OPEN));
        }
        let (handle, known) = (user_handle(&credential), parameters(&credential)?);
        let creation = Creation::new(self, &attempt.nonce, user.authid, &handle, &known);
        Ok(Challenge::new(&creation)?.into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let Sent { enrolment } = match attempt.authextra() {
            Ok(sent) => sent,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let user = User::of(attempt);
        match enrolment {
            Some(code) => match self.made(&answer.nonce, &answer.signature) {
                Ok(made) => enrol(user.as_ref(), &code, made),
                Err(reason) => Ok(Verdict::deny(reason)),
            },
            None => match self.used(&answer.nonce, &answer.signature) {
                Ok(used) => log_in(user.as_ref(), &used),
                Err(reason) => Ok(Verdict::deny(reason)),
            },
        }
    }
}

const NOBODY: &str = "an enrolment needs an authid";
const NOT_OPEN: &str = "the enrolment code is not one that is open for this authid";

/// Who it must be.
#[derive(Debug, PartialEq, Eq)]
struct User<'a> {
    authid: &'a str,
    /// What the step before has given; none where there is none.
    authrole: Option<&'a str>,
}

impl<'a> User<'a> {
    /// The one whom the step before has found; else whom the client claims to be. None if it claims
    /// nothing.
    fn of(attempt: &'a Attempt) -> Option<Self> {
        if let Some(proof) = attempt.proven.last() {
            return Some(Self {
                authid: &proof.authid,
                authrole: Some(&proof.authrole),
            });
        }
        let authid = attempt.authid.as_deref()?;
        Some(Self {
            authid,
            authrole: None,
        })
    }

    fn accept(&self, credential: &Credential) -> Verdict {
        let authrole = self.authrole.map(str::to_owned);
        Verdict::accept(
            self.authid,
            authrole.unwrap_or_else(|| credential.authrole()),
        )
    }
}

fn enrol(user: Option<&User>, code: &str, made: Made) -> Result<Verdict, String> {
    let Some(user) = user else {
        return Ok(Verdict::deny(NOBODY));
    };
    let about = serde_json::to_string(&made.about).map_err(|error| error.to_string())?;
    let key = Key {
        id: made.id,
        public_key: made.public_key,
        counter: made.counter.into(),
        about,
    };
    let refused = enrolments::redeem(&find(KIND, user.authid), code, &key);
    Ok(match refused {
        Ok(()) => user.accept(&find(KIND, user.authid)),
        Err(Refusal::NotOpen) => Verdict::deny(NOT_OPEN),
        Err(Refusal::Taken) => Verdict::deny("the passkey is enrolled already"),
        Err(Refusal::Full) => Verdict::deny("there are as many passkeys as an authid can have"),
    })
}

fn log_in(user: Option<&User>, used: &Used) -> Result<Verdict, String> {
    let credential = find_by_key(KIND, &used.id);
    let keys = credential.public_keys();
    let mut kept = parameters(&credential)?;
    let (Some(key), Some(kept)) = (keys.first(), kept.pop()) else {
        return Err("the credential has no passkey in it".into());
    };
    // First, so that others' passkeys and unknown ones cost the same.
    if let Err(reason) = used.verify(key) {
        return Ok(Verdict::deny(reason));
    }
    let owner = credential.authid();
    if user.is_some_and(|user| user.authid != owner) {
        return Ok(Verdict::deny("the passkey belongs to somebody else"));
    }
    match &used.user_handle {
        Some(handle) if *handle != user_handle(&credential) => {
            return Ok(Verdict::deny("the passkey was made for somebody else"));
        }
        // Only an authenticator that was not told which passkey to use must say whose it is.
        None if user.is_none() => {
            return Ok(Verdict::deny("the passkey does not say whose it is"));
        }
        _ => {}
    }
    if used.backup_eligible != kept.about.backup_eligible {
        return Ok(Verdict::deny(
            "the passkey differs from the one that was enrolled in whether it can be backed up",
        ));
    }
    // A passkey that does not count says 0 each time, and has nothing that could rise.
    let counts = used.counter != 0 || kept.counter != 0;
    if counts && !advance(&credential, used.counter.into()) {
        return Ok(Verdict::deny(format!(
            "the signature counter has not risen: {} after {}. The passkey may have been copied",
            used.counter, kept.counter
        )));
    }
    let authid = User {
        authid: &owner,
        authrole: None,
    };
    Ok(user.unwrap_or(&authid).accept(&credential))
}

fn parameters(credential: &Credential) -> Result<Vec<Kept>, String> {
    let Parameters { keys } = serde_json::from_str(&credential.parameters())
        .map_err(|error| format!("the credential: {error}"))?;
    Ok(keys)
}

/// What an authenticator calls the user: 32 octets that say nothing of who it is, and stay the same.
fn user_handle(credential: &Credential) -> Vec<u8> {
    credential.hmac(Hash::Sha256, b"user handle")
}

countersign_guest::export!(Webauthn);

#[cfg(test)]
mod tests;
