//! Calls that the router makes itself: it wants to know something of a callee, and no session is
//! the caller.

use std::fmt;

use thiserror::Error;
use tokio::sync::oneshot;

use super::{Router, State, dealer, id_map::IdMap};
use crate::wamp::{Id, Payload, RequestIds};

/// A call of the router's own that has no answer yet. Dropping it withdraws the call: the callee is
/// interrupted, if it understands that, and nothing of the call is kept.
#[must_use = "dropping it withdraws the call"]
pub struct Inquiry<'a> {
    router: &'a Router,
    number: Id,
    answer: oneshot::Receiver<Answer>,
}

/// How a call of the router's own ended.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Result(Payload),
    /// A URI, and what the callee sent along.
    Error {
        error: String,
        payload: Payload,
    },
    CalleeLeft,
}

/// Why nobody was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unasked {
    #[error("no callee is registered for it")]
    NoCallee,
    #[error("the arguments cannot be written in the callee's serialization")]
    Unreadable,
}

#[derive(Default)]
pub(super) struct Inquiries {
    numbers: RequestIds,
    pub(super) pending: IdMap<Pending>,
}

/// An inquiry from inside: where it went, and where its answer goes.
pub(super) struct Pending {
    call: dealer::Call,
    answer: oneshot::Sender<Answer>,
}

impl Pending {
    pub(super) fn answer(self, answer: Answer) {
        // Whoever asked may be just about to withdraw.
        _ = self.answer.send(answer);
    }
}

impl Router {
    /// Calls a procedure of this realm without being a member of it. No permission is asked for.
    /// How long to wait, and how many inquiries to make at one time, is for the caller to bound.
    pub fn inquire(&self, procedure: String, payload: Payload) -> Result<Inquiry<'_>, Unasked> {
        let State {
            sessions,
            dealer,
            inquiries,
            random,
            ..
        } = &mut *self.state.lock();
        let number = inquiries.numbers.issue();
        let call = dealer.inquire(sessions, number, procedure, payload, random)?;
        let (sender, answer) = oneshot::channel();
        let pending = Pending {
            call,
            answer: sender,
        };
        inquiries.pending.insert(number, pending);
        Ok(Inquiry {
            router: self,
            number,
            answer,
        })
    }
}

impl Inquiry<'_> {
    /// Waits for the answer.
    pub async fn answer(mut self) -> Answer {
        // The other end is dropped only after it has answered, or together with the realm.
        (&mut self.answer).await.unwrap_or(Answer::CalleeLeft)
    }
}

impl Drop for Inquiry<'_> {
    fn drop(&mut self) {
        let State {
            sessions,
            inquiries,
            ..
        } = &mut *self.router.state.lock();
        // None if it was answered.
        if let Some(pending) = inquiries.pending.remove(&self.number) {
            dealer::withdraw(sessions, pending.call);
        }
    }
}

impl fmt::Debug for Inquiry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inquiry").field(&self.number).finish()
    }
}
