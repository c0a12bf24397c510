use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::Realms;
use crate::{
    config,
    method::{self, Calling, Unsuccessful},
    router::{Answer, Unasked},
    wamp::{Payload, Value},
};

/// Calls under way at one time for the clients of one realm. They are logins: with an answer after
/// 20 ms it is 800 of them a second.
const CALLS: usize = 16;

/// The largest answer of a callee that is read, in octets.
const LARGEST_ANSWER: usize = 64 << 10;

/// How the methods of one realm reach the callees of another, or of the same.
struct Callees {
    /// Weak: a realm must not keep itself alive by way of its own methods.
    realms: Weak<Realms>,
    caller: Arc<str>,
    callee: Arc<str>,
}

/// The turns of each realm whose methods ask somebody, across its generations.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Arc<str>, Weak<Semaphore>>>);

/// What the file of the realm `caller` grants to a method.
pub(super) fn procedures(
    caller: &Arc<str>,
    granted: &config::Procedures,
    realms: &Arc<Realms>,
    turns: &Turns,
) -> method::Procedures {
    let callee: Arc<str> = granted.realm.as_str().into();
    let callees = Callees {
        realms: Arc::downgrade(realms),
        caller: Arc::clone(caller),
        callee: Arc::clone(&callee),
    };
    method::Procedures {
        caller: Arc::clone(caller),
        realm: callee,
        allow: granted.allow.clone(),
        timeout: granted.timeout,
        callees: Arc::new(callees),
        turns: turns.of(caller),
    }
}

impl Turns {
    fn of(&self, realm: &Arc<str>) -> Arc<Semaphore> {
        let mut turns = self.0.lock();
        if let Some(of_the_realm) = turns.get(realm).and_then(Weak::upgrade) {
            return of_the_realm;
        }
        turns.retain(|_, turns| turns.strong_count() > 0);
        let of_the_realm = Arc::new(Semaphore::new(CALLS));
        turns.insert(Arc::clone(realm), Arc::downgrade(&of_the_realm));
        of_the_realm
    }
}

impl method::Callees for Callees {
    fn call<'a>(&'a self, procedure: &'a str, arguments: Payload) -> Calling<'a> {
        Box::pin(self.call(procedure, arguments))
    }
}

impl Callees {
    /// Everything is judged anew for each call: the other realm may have changed its file, or be
    /// gone.
    async fn call(&self, procedure: &str, arguments: Payload) -> Result<Value, Unsuccessful> {
        let realms = self.realms.upgrade().ok_or(Unsuccessful::NoRealm)?;
        let realm = realms.find(&self.callee).ok_or(Unsuccessful::NoRealm)?;
        let is_own = self.caller == self.callee;
        if !is_own && !realm.generation().authenticates(&self.caller, procedure) {
            return Err(Unsuccessful::NoConsent {
                caller: (*self.caller).to_owned(),
                procedure: procedure.to_owned(),
            });
        }
        let inquiry = realm.router.inquire(procedure.to_owned(), arguments);
        let inquiry = inquiry.map_err(|unasked| match unasked {
            Unasked::NoCallee if is_own => Unsuccessful::NoCalleeYet,
            Unasked::NoCallee => Unsuccessful::NoCallee,
            Unasked::Unreadable => Unsuccessful::Unwritable,
        })?;
        match inquiry.answer().await {
            Answer::Result(payload) => value(&payload),
            Answer::Error { error, payload } => Err(Unsuccessful::Refused {
                message: message(&payload),
                error,
            }),
            Answer::CalleeLeft => Err(Unsuccessful::CalleeLeft),
        }
    }
}

/// The one value of a result, as WAMP's clients take it: nothing at all is null.
fn value(payload: &Payload) -> Result<Value, Unsuccessful> {
    if payload.len() > LARGEST_ANSWER {
        return Err(Unsuccessful::TooLarge(payload.len()));
    }
    let unreadable = |_| Unsuccessful::Unreadable;
    let keywords = payload.keyword_arguments().map_err(unreadable)?.len();
    let mut arguments = payload.arguments().map_err(unreadable)?;
    match (arguments.len(), keywords) {
        (0 | 1, 0) => Ok(arguments.pop().unwrap_or(Value::Null)),
        (arguments, keywords) => Err(Unsuccessful::NotOneValue(arguments, keywords)),
    }
}

/// What an ERROR says beside its URI, if it says something short.
fn message(payload: &Payload) -> String {
    if payload.len() > LARGEST_ANSWER {
        return String::new();
    }
    let arguments = payload.arguments().unwrap_or_default();
    match arguments.into_iter().next() {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
