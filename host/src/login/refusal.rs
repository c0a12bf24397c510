use super::Outcome;
use crate::wamp::{Dict, Message, reason};

/// Why a login ended without a session, as far as the client is told. What is the same here is the
/// same on the wire, octet by octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    ProtocolViolation,
    /// No such realm, or none that anybody could log in to: one answer for both.
    NoSuchRealm,
    NoMatchingMethod,
    Denied,
    TimedOut,
    /// The router has more to do than it can; said before any credential is looked at.
    Unavailable,
    /// The router is about to stop.
    ShuttingDown,
}

impl Outcome {
    /// A word for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Denied(denial) => denial.refusal.label(),
            Self::Left => "left",
        }
    }
}

impl Refusal {
    /// A word for logs and metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ProtocolViolation => "protocol-violation",
            Self::NoSuchRealm => "no-such-realm",
            Self::NoMatchingMethod => "no-matching-method",
            Self::Denied => "denied",
            Self::TimedOut => "timed-out",
            Self::Unavailable => "unavailable",
            Self::ShuttingDown => "shutting-down",
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::ProtocolViolation => reason::PROTOCOL_VIOLATION,
            Self::NoSuchRealm => reason::NO_SUCH_REALM,
            Self::NoMatchingMethod => reason::NO_MATCHING_AUTH_METHOD,
            Self::Denied => reason::AUTHENTICATION_DENIED,
            Self::TimedOut => reason::TIMEOUT,
            Self::Unavailable => reason::UNAVAILABLE,
            Self::ShuttingDown => reason::SYSTEM_SHUTDOWN,
        }
    }

    pub fn abort(self) -> Message {
        let message = match self {
            Self::ProtocolViolation => "this message is not allowed here",
            Self::NoSuchRealm => "there is no such realm to join",
            Self::NoMatchingMethod => "the realm accepts none of the announced authmethods",
            Self::Denied => "authentication denied",
            Self::TimedOut => "the login took too long",
            Self::Unavailable => "the router is busy; try again later",
            Self::ShuttingDown => "the router is shutting down",
        };
        Message::Abort {
            details: Dict::new().with("message", message),
            reason: self.reason().into(),
        }
    }
}

/// The end of a login that failed: what the client is told, and what the operator is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub refusal: Refusal,
    /// For the operator's log. It may hold a method's words and the client's, escaped by whoever
    /// writes the log.
    pub why: String,
}
