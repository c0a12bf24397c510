//! Everything behind WELCOME in one realm: the broker and the dealer.
//!
//! The session room joins members, hands in what they send, and takes them out again. Whatever
//! there is to say to any of them goes into outboxes. There is no I/O here, no clock, and no
//! randomness but the source that is passed in.
//!
//! ```text
//! Router ── lock ── sessions ─┬─ broker ── subscriptions by pattern
//!                             └─ dealer ── registrations by pattern, calls under way
//! ```
//!
//! One lock for each realm is held while a message is acted on, deliveries included. That keeps
//! the orders that the specification promises: SUBSCRIBED before the first EVENT, REGISTERED
//! before the first INVOCATION, invocations in the order of their ids. Frames are encoded under it
//! too: about 0.1 µs for a payload that is passed on as it came, more for one whose serialization
//! changes.

mod broker;
mod dealer;
mod farewell;
mod features;
mod id_map;
mod inquiry;
mod meta;
mod options;
mod patterns;
mod permissions;
mod requests;
mod session;

use std::{collections::hash_map::Entry, fmt, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use thiserror::Error;

pub use farewell::Farewell;
pub use features::{Features, welcome_roles};
pub use inquiry::{Answer, Inquiry, Unasked};
pub use permissions::{Permission, Permissions};

use self::{broker::Broker, dealer::Dealer, id_map::IdMap, inquiry::Inquiries, session::Session};
use crate::wamp::{Id, Serializer};

/// Broker and dealer of one realm.
pub struct Router {
    state: Mutex<State>,
}

/// A client whose login ended in WELCOME.
#[derive(Clone)]
pub struct Member {
    pub id: Id,
    pub authid: Arc<str>,
    pub authrole: Arc<str>,
    pub authmethod: Arc<str>,
    pub authprovider: Arc<str>,
    pub features: Features,
    pub serializer: Serializer,
    pub outbox: Arc<dyn Outbox>,
}

/// Where the frames for a member go, in order.
pub trait Outbox: Send + Sync {
    /// Takes one frame in the member's serialization. Called with the realm's lock held: it must
    /// not block, and must not call the router. One that is full drops the frame and sees to it
    /// that the session ends.
    fn deliver(&self, frame: Bytes);

    /// Ends the session. Called with the realm's lock held, when nothing refers to the member any
    /// more; the same holds as for a delivery.
    fn end(&self, farewell: Farewell);
}

/// What one member may occupy. Beyond it a request is answered with `wamp.error.unavailable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Subscriptions of one session. Each costs about 300 octets and its URI.
    pub subscriptions: usize,
    /// Registrations of one session.
    pub registrations: usize,
    /// Calls of one session that have no final answer yet.
    pub calls: usize,
    /// The length of a URI or pattern, in octets. A longer one is answered as an invalid one.
    pub uri: usize,
}

/// A message after which the session must be ended with ABORT
/// (`basic/building_blocks.md`, "Protocol Errors"). It had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    #[error("not a message that a client may send in an established session")]
    Unexpected,
    #[error("request id {request} where {due} was due")]
    OutOfTurn { request: Id, due: Id },
    #[error("an answer to invocation {0}, which was never made")]
    NoSuchInvocation(Id),
    #[error("an ERROR that is not about an INVOCATION")]
    ErrorKind,
    #[error("the session is not, or no longer, a member of the realm")]
    NotJoined,
}

/// There is a member with this session id already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("session {0} is a member already")]
pub struct Taken(pub Id);

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub members: usize,
    /// Patterns that someone is subscribed to.
    pub subscriptions: usize,
    /// Pairs of a session and one of those.
    pub subscribers: usize,
    /// Patterns that someone is registered for.
    pub registrations: usize,
    /// Pairs of a session and one of those.
    pub callees: usize,
    /// Calls without a final answer, counted at the callers.
    pub calls: usize,
    /// The same, counted at the callees, the router's own among them.
    pub invocations: usize,
    /// Calls of the router's own without an answer.
    pub inquiries: usize,
}

/// How much there was since the realm is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Calls that got to a callee.
    pub calls: u64,
    /// Publications that the realm took,
    pub publications: u64,
    /// and the events that came of them.
    pub events: u64,
}

/// The `ERROR` that a request gets: a URI for programs, and words for whoever debugs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal {
    error: &'static str,
    why: &'static str,
}

struct State {
    sessions: IdMap<Session>,
    permissions: Arc<Permissions>,
    broker: Broker,
    dealer: Dealer,
    inquiries: Inquiries,
    random: Random,
}

/// The source of publication ids, and of the choice among callees.
struct Random(Box<dyn FnMut() -> u64 + Send>);

impl Router {
    /// `random` gives 64 random bits a call. Nothing secret depends on them.
    pub fn new(
        permissions: Arc<Permissions>,
        limits: Limits,
        random: impl FnMut() -> u64 + Send + 'static,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                sessions: IdMap::default(),
                permissions,
                broker: Broker::new(limits),
                dealer: Dealer::new(limits),
                inquiries: Inquiries::default(),
                random: Random(Box::new(random)),
            }),
        }
    }

    /// From here on others can reach the member, though none will before it subscribes, registers
    /// or calls: join before WELCOME is sent, or after, but before its next message is read.
    pub fn join(&self, member: Member) -> Result<(), Taken> {
        let State {
            sessions,
            permissions,
            broker,
            random,
            ..
        } = &mut *self.state.lock();
        let grants = permissions.role(&member.authrole);
        match sessions.entry(member.id) {
            Entry::Occupied(_) => Err(Taken(member.id)),
            Entry::Vacant(seat) => {
                let member = &seat.insert(Session::new(member, grants)).member;
                broker.announce(meta::ON_JOIN, random, || vec![member.details().into()]);
                Ok(())
            }
        }
    }

    /// Nothing refers to the session afterwards, and nothing is delivered to it. Callers that wait
    /// for it get an ERROR. Leaving twice does no harm.
    pub fn leave(&self, session: Id) {
        self.state.lock().leave(session);
    }

    /// Everyone who is joined, in no order.
    pub fn members(&self) -> Vec<Arc<Member>> {
        let state = self.state.lock();
        let members = state.sessions.values();
        members.map(|session| session.member.clone()).collect()
    }

    /// Holds for everything that is asked from now on. Subscriptions and registrations that exist
    /// are kept.
    pub fn set_permissions(&self, permissions: Arc<Permissions>) {
        let mut state = self.state.lock();
        for session in state.sessions.values_mut() {
            session.grants = permissions.role(&session.member.authrole);
        }
        state.permissions = permissions;
    }

    pub fn census(&self) -> Census {
        let state = self.state.lock();
        let mut census = Census {
            members: state.sessions.len(),
            ..Census::default()
        };
        state.broker.count(&mut census);
        state.dealer.count(&mut census);
        census.inquiries = state.inquiries.pending.len();
        for session in state.sessions.values() {
            census.calls += session.calls.len();
            census.invocations += session.invocations.len();
        }
        census
    }

    pub fn traffic(&self) -> Traffic {
        let state = self.state.lock();
        let mut traffic = Traffic::default();
        state.broker.report(&mut traffic);
        state.dealer.report(&mut traffic);
        traffic
    }
}

impl State {
    /// Takes a member out.
    fn leave(&mut self, session: Id) -> Option<Arc<Member>> {
        let Self {
            sessions,
            broker,
            dealer,
            inquiries,
            random,
            ..
        } = self;
        let session = sessions.remove(&session)?;
        let member = Arc::clone(&session.member);
        broker.leave(&session);
        dealer.leave(sessions, &mut inquiries.pending, session);
        broker.announce(meta::ON_LEAVE, random, || member.farewell());
        Some(member)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            subscriptions: 4096,
            registrations: 4096,
            calls: 1024,
            uri: 1024,
        }
    }
}

impl Refusal {
    const fn new(error: &'static str, why: &'static str) -> Self {
        Self { error, why }
    }
}

impl Random {
    fn bits(&mut self) -> u64 {
        self.0()
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Router").field(&self.census()).finish()
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", &self.id)
            .field("authid", &self.authid)
            .field("authrole", &self.authrole)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
