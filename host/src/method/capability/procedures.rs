use std::{collections::BTreeSet, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use thiserror::Error;
use tokio::{sync::Semaphore, time::timeout};
use wasmtime::component::{HasSelf, Linker};

use crate::{
    config::ProcedureName,
    method::{
        HostCall,
        bindings::countersign::auth::procedures::{self, Failure, Refusal},
        guest::Guest,
    },
    wamp::{Dict, Payload, Value},
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/procedures"];

/// How deep `details` may be nested: the contract says so.
const DETAILS_DEPTH: usize = 16;

/// The most of a callee's words that go on, in characters: they are for one line of the log.
const LONGEST_WORDS: usize = 256;

/// What the methods of one step may ask for, and who answers.
pub struct Procedures {
    /// The realm whose clients are to be authenticated.
    pub caller: Arc<str>,
    /// The realm where the callees are.
    pub realm: Arc<str>,
    pub allow: BTreeSet<ProcedureName>,
    /// How long an answer may take.
    pub timeout: Duration,
    pub callees: Arc<dyn Callees>,
    /// One for each call that may be under way for the calling realm, whichever step makes it.
    pub turns: Arc<Semaphore>,
}

/// Whoever is registered for procedures. The room above knows them; this one only asks.
pub trait Callees: Send + Sync {
    /// Calls, and waits for the answer however long it takes. Dropping the future withdraws the
    /// call.
    fn call<'a>(&'a self, procedure: &'a str, arguments: Payload) -> Calling<'a>;
}

/// A call under way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Value, Unsuccessful>> + Send + 'a>>;

/// Why a call gave no result. The texts are for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unsuccessful {
    #[error("it refuses: {error}: {message}")]
    Refused { error: String, message: String },
    #[error("the realm is not in place")]
    NoRealm,
    #[error(
        "that realm does not let this one ask for it; add to its file: [[authenticates]] \
         realm = {caller:?}, procedures = [{procedure:?}]"
    )]
    NoConsent { caller: String, procedure: String },
    #[error("no callee is registered for it")]
    NoCallee,
    #[error(
        "no callee is registered for it, and this is a login to the realm where it should be: \
         the callee itself must log in by another [[login]]"
    )]
    NoCalleeYet,
    #[error("the callee left before it answered")]
    CalleeLeft,
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("the arguments cannot be written in the callee's serialization")]
    Unwritable,
    #[error("the result has {0} octets, more than are read")]
    TooLarge(usize),
    #[error("the result cannot be read")]
    Unreadable,
    #[error("the result is not one value: {0} arguments, {1} by keyword")]
    NotOneValue(usize, usize),
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    procedures::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl procedures::Host for Guest {
    async fn authenticate(
        &mut self,
        procedure: String,
        authid: Option<String>,
        details: String,
    ) -> wasmtime::Result<Result<String, Failure>> {
        self.host_call(HostCall::Procedure)?;
        let Some(procedures) = &self.reach.procedures else {
            return Ok(Err(Failure::Unanswered(
                "procedures can be asked during a login only".into(),
            )));
        };
        if !procedures.allow.contains(&*procedure) {
            let shown: String = procedure.chars().take(LONGEST_WORDS).collect();
            return Ok(Err(Failure::Unanswered(format!(
                "the realm's file does not allow the method to ask {shown:?}"
            ))));
        }
        let details = Dict::from_json(&details, DETAILS_DEPTH)
            .map_err(|error| wasmtime::format_err!("details are not a JSON object: {error}"))?;
        let answer = procedures.ask(&procedure, authid, details).await;
        Ok(answer.map_err(|unsuccessful| match unsuccessful {
            Unsuccessful::Refused { error, message } => Failure::Refused(Refusal {
                error: shortened(&error),
                message: shortened(&message),
            }),
            other => Failure::Unanswered(format!(
                "{procedure:?} in the realm {:?}: {other}",
                procedures.realm
            )),
        }))
    }
}

impl Procedures {
    /// The host writes the realm: whoever serves several realms can rely on which one asks.
    async fn ask(
        &self,
        procedure: &str,
        authid: Option<String>,
        details: Dict,
    ) -> Result<String, Unsuccessful> {
        let arguments = vec![
            Value::from(&*self.caller),
            authid.map_or(Value::Null, Value::Text),
            details.into(),
        ];
        let calling = self.callees.call(procedure, Payload::list(arguments));
        let result = timeout(self.timeout, calling)
            .await
            .map_err(|_| Unsuccessful::Late(self.timeout))??;
        serde_json::to_string(&result).map_err(|_| Unsuccessful::Unreadable)
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", text.split_at(end).0),
        None => text.to_owned(),
    }
}

impl fmt::Debug for Procedures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Procedures")
            .field("realm", &self.realm)
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
