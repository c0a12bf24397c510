//! Has a WAMP procedure decide who a client is: what Crossbar calls a dynamic authenticator. Those
//! written for Crossbar work unchanged.
//!
//! The procedure is called with the realm, the authid, and a dictionary of details. It returns a
//! role, or a dictionary with `role`, and if it likes `authid` and `extra`; it denies the client by
//! an ERROR. When it is called, and with what, depends on what the client is asked for:
//!
//! - `ticket`: a CHALLENGE comes first, and its answer goes along as `details.ticket`;
//! - `wampcra`: the procedure is called first, and returns the secret that the client must then
//!   prove to have. This method sees that secret; it keeps the tag that is due, and not the secret;
//! - `cryptosign`: the procedure is called first, with the key that the client shows in
//!   `details.authextra`, and returns the public key that the client must sign with;
//! - `nothing`: the procedure decides at once, e.g. by `details.authextra`.
//!
//! Whoever does not answer, or answers something else, has not let the client in.

mod cryptosign;
mod details;
mod principal;
mod wampcra;

use countersign_guest::cryptosign::{Claim, Demand};
use countersign_guest::procedures::{Failure, Refusal, authenticate};
use countersign_guest::{Answer, Attempt, Challenge, Identity, Manifest, Method, Verdict};
use serde::Deserialize;
use serde_json::Value;

use crate::{details::Details, principal::Principal};

/// The method with its settings.
#[derive(Debug, Deserialize)]
pub struct Procedure {
    /// One of those that the realm allows the method to call.
    #[serde(rename = "procedure")]
    uri: String,
    /// What the client must show.
    #[serde(default)]
    asks: Asks,
    /// The role of a client for whom the procedure names none.
    #[serde(default)]
    role: Option<String>,
    /// What the procedure returns as the secret of somebody whose password is salted.
    #[serde(default)]
    secret: Secret,
    /// Whether clients that sign must bind that to their TLS connection.
    #[serde(default)]
    channel_binding: Demand,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Asks {
    #[default]
    Ticket,
    Wampcra,
    Cryptosign,
    Nothing,
}

/// Authenticators for the older Crossbars return the key that was derived from a salted password;
/// Crossbar 26 wants the password, and derives the key itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Secret {
    #[default]
    Key,
    Password,
}

impl Method for Procedure {
    const MANIFEST: Manifest = Manifest {
        name: "procedure",
        version: env!("CARGO_PKG_VERSION"),
        summary: "has a WAMP procedure decide, as Crossbar's dynamic authenticators do",
        credential_kinds: &[],
    };

    // By what it asks it may be a challenge; but that stands in the settings.
    const CLEAR_SECRET: bool = true;

    fn check(&self) -> Result<(), String> {
        if self.uri.is_empty() {
            return Err("`procedure` is empty".into());
        }
        if self.secret == Secret::Password && self.asks != Asks::Wampcra {
            return Err("`secret` is for `asks = \"wampcra\"` only".into());
        }
        if self.channel_binding == Demand::Required && self.asks != Asks::Cryptosign {
            return Err("`channel_binding` is for `asks = \"cryptosign\"` only".into());
        }
        Ok(())
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        match self.asks {
            Asks::Ticket => Ok(Challenge::default().into()),
            Asks::Nothing => {
                // What the client calls itself is in the details, and counts if the procedure says
                // so.
                let authid = match attempt.proven.last() {
                    Some(proof) => proof.authid.clone(),
                    None => details::made_up(attempt),
                };
                let said = match self.ask(attempt, Some(&authid), None) {
                    Ok(said) => said,
                    Err(failure) => return self.failed(failure, None),
                };
                let principal = self.principal(attempt, Some(authid), said)?;
                Ok(accept(principal))
            }
            Asks::Wampcra => {
                let authid = details::authid(attempt);
                let said = match self.ask(attempt, authid.as_deref(), None) {
                    Ok(said) => said,
                    Err(failure) => return self.failed(failure, None),
                };
                let proof = wampcra::Proof::read(&said, self.secret)
                    .map_err(|error| self.useless(&error))?;
                let principal = self.principal(attempt, authid, said)?;
                wampcra::challenge(attempt, principal, &proof).map(Into::into)
            }
            Asks::Cryptosign => {
                let channel = match cryptosign::channel(attempt, self.channel_binding) {
                    Ok(channel) => channel,
                    Err(reason) => return Ok(Verdict::deny(reason)),
                };
                let authid = details::authid(attempt);
                let said = match self.ask(attempt, authid.as_deref(), None) {
                    Ok(said) => said,
                    Err(failure) => return self.failed(failure, None),
                };
                let key = cryptosign::public_key(&said).map_err(|error| self.useless(&error))?;
                let principal = self.principal(attempt, authid, said)?;
                let claim = Claim { key, channel };
                cryptosign::challenge(attempt, principal, &claim).map(Into::into)
            }
        }
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        match self.asks {
            Asks::Ticket => {
                let authid = details::authid(attempt);
                let ticket = Some(&*answer.signature);
                let said = match self.ask(attempt, authid.as_deref(), ticket) {
                    Ok(said) => said,
                    Err(failure) => return self.failed(failure, ticket),
                };
                let principal = self.principal(attempt, authid, said)?;
                Ok(accept(principal))
            }
            Asks::Wampcra => Ok(match wampcra::judge(answer)? {
                Some(principal) => accept(principal),
                None => Verdict::deny("the signature does not match"),
            }),
            Asks::Cryptosign => Ok(match cryptosign::judge(answer)? {
                Ok(principal) => accept(principal),
                Err(reason) => Verdict::deny(reason),
            }),
            Asks::Nothing => Ok(Verdict::deny("an answer to a method that asks nothing")),
        }
    }
}

impl Procedure {
    fn ask(
        &self,
        attempt: &Attempt,
        authid: Option<&str>,
        ticket: Option<&str>,
    ) -> Result<Value, Failure> {
        let broken = |error: serde_json::Error| Failure::Unanswered(error.to_string());
        let details = Details::of(attempt, ticket);
        let details = serde_json::to_string(&details).map_err(broken)?;
        let said = authenticate(&self.uri, authid, &details)?;
        serde_json::from_str(&said).map_err(broken)
    }

    fn principal(
        &self,
        attempt: &Attempt,
        authid: Option<String>,
        said: Value,
    ) -> Result<Principal, String> {
        Principal::read(said, &attempt.realm, authid, self.role.as_deref())
            .map_err(|error| self.useless(&error))
    }

    /// A callee that answers by an ERROR denies the client. One that does not answer has decided
    /// nothing, and the operator has something to mend.
    fn failed(&self, failure: Failure, ticket: Option<&str>) -> Result<Verdict, String> {
        match failure {
            Failure::Refused(refusal) => Ok(Verdict::deny(self.refusal(&refusal, ticket))),
            Failure::Unanswered(why) => Err(why),
        }
    }

    /// Authenticators like to say what the wrong ticket was, and that is often a right one with a
    /// slip of the finger: it is kept out of the log.
    fn refusal(&self, refusal: &Refusal, ticket: Option<&str>) -> String {
        let Refusal { error, message } = refusal;
        let text = format!("{} refuses: {error}: {message}", self.uri);
        match ticket {
            Some(ticket) if !ticket.is_empty() => text.replace(ticket, "…"),
            _ => text,
        }
    }

    fn useless(&self, error: &str) -> String {
        format!("{} returned {error}", self.uri)
    }
}

fn accept(principal: Principal) -> Verdict {
    let Principal {
        authid,
        role,
        extra,
    } = principal;
    let mut identity = Identity::new(authid, role).from_provider("dynamic");
    identity.authextra = Value::Object(extra).to_string();
    identity.into()
}

countersign_guest::export!(Procedure);

#[cfg(test)]
mod tests;
