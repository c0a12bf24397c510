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
use crate::wamp::{Action, Code, Dict, Id, Message, Serializer};

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

    /// Acts on a message that a member sent. GOODBYE and ABORT are not among them: they are the
    /// session's own.
    ///
    /// After a [`Violation`] the caller ends the session, and lets it [leave](Self::leave).
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of message")]
    pub fn receive(&self, session: Id, message: Message) -> Result<(), Violation> {
        match message {
            Message::Publish {
                request,
                options: dict,
                topic,
                payload,
            } => {
                let acknowledge = options::Publish::acknowledge(&dict);
                let options = options::Publish::parse(&dict);
                let State {
                    sessions,
                    broker,
                    random,
                    ..
                } = &mut *self.state.lock();
                let publisher = in_turn(sessions, session, request)?;
                let outcome = options.and_then(|options| {
                    broker.publish(publisher, options, &topic, payload, random)
                });
                if acknowledge {
                    publisher.answer(Code::Publish, request, outcome, |publication| {
                        Message::Published {
                            request,
                            publication,
                        }
                    });
                }
            }
            Message::Subscribe {
                request,
                options,
                topic,
            } => {
                let policy = options::match_policy(&options);
                let State {
                    sessions, broker, ..
                } = &mut *self.state.lock();
                let subscriber = in_turn(sessions, session, request)?;
                let outcome =
                    policy.and_then(|policy| broker.subscribe(subscriber, &topic, policy));
                subscriber.answer(Code::Subscribe, request, outcome, |subscription| {
                    Message::Subscribed {
                        request,
                        subscription,
                    }
                });
            }
            Message::Unsubscribe {
                request,
                subscription,
            } => {
                let State {
                    sessions, broker, ..
                } = &mut *self.state.lock();
                let subscriber = in_turn(sessions, session, request)?;
                let outcome = broker.unsubscribe(subscriber, subscription);
                subscriber.answer(Code::Unsubscribe, request, outcome, |()| {
                    Message::Unsubscribed { request }
                });
            }
            Message::Register {
                request,
                options,
                procedure,
            } => {
                let options = options::Register::parse(&options);
                let State {
                    sessions, dealer, ..
                } = &mut *self.state.lock();
                let callee = in_turn(sessions, session, request)?;
                let outcome =
                    options.and_then(|options| dealer.register(callee, &procedure, &options));
                callee.answer(Code::Register, request, outcome, |registration| {
                    Message::Registered {
                        request,
                        registration,
                    }
                });
            }
            Message::Unregister {
                request,
                registration,
            } => {
                let State {
                    sessions, dealer, ..
                } = &mut *self.state.lock();
                let callee = in_turn(sessions, session, request)?;
                let outcome = dealer.unregister(callee, registration);
                callee.answer(Code::Unregister, request, outcome, |()| {
                    Message::Unregistered { request }
                });
            }
            Message::Call {
                request,
                options,
                procedure,
                payload,
            } => {
                let options = options::Call::parse(&options);
                if let Some(asked) = meta::Request::parse(&procedure, &payload) {
                    return self.answer(session, request, &procedure, asked);
                }
                let State {
                    sessions,
                    dealer,
                    random,
                    ..
                } = &mut *self.state.lock();
                let caller = in_turn(sessions, session, request)?.member.clone();
                let outcome = options.and_then(|options| {
                    dealer.call(
                        sessions, &caller, request, options, procedure, payload, random,
                    )
                });
                if let Err(refusal) = outcome {
                    caller.refuse(Code::Call, request, refusal);
                }
            }
            Message::Cancel { request, options } => {
                let mode = options::CancelMode::parse(&options);
                dealer::cancel(&mut self.state.lock().sessions, session, request, mode)?;
            }
            Message::Yield {
                request,
                options,
                payload,
            } => {
                let options = options::Yield::parse(&options);
                let State {
                    sessions,
                    inquiries,
                    ..
                } = &mut *self.state.lock();
                let inquiries = &mut inquiries.pending;
                dealer::deliver_yield(sessions, inquiries, session, request, options, payload)?;
            }
            Message::Error {
                kind,
                request,
                details,
                error,
                payload,
            } => {
                if kind != Code::Invocation {
                    return Err(Violation::ErrorKind);
                }
                // Details that cannot be read are not worth an error about an error.
                let details = options::passthru(&details).unwrap_or_default();
                let State {
                    sessions,
                    inquiries,
                    ..
                } = &mut *self.state.lock();
                let inquiries = &mut inquiries.pending;
                dealer::deliver_error(
                    sessions, inquiries, session, request, details, error, payload,
                )?;
            }
            _ => return Err(Violation::Unexpected),
        }
        Ok(())
    }

    /// Answers a call of a procedure of the router's own.
    fn answer(
        &self,
        session: Id,
        request: Id,
        procedure: &str,
        asked: Result<meta::Request, Refusal>,
    ) -> Result<(), Violation> {
        let state = &mut *self.state.lock();
        let caller = in_turn(&mut state.sessions, session, request)?;
        let allowed = caller.check(Action::Call, procedure, procedure.len());
        let caller = Arc::clone(&caller.member);
        let answer = allowed
            .and(asked)
            .and_then(|asked| state.meta(&caller, asked));
        match answer {
            Ok(payload) => caller.deliver(&Message::Result {
                request,
                details: Dict::new(),
                payload,
            }),
            Err(refusal) => caller.refuse(Code::Call, request, refusal),
        }
        Ok(())
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

/// The member, if the request carries the id that is due.
fn in_turn(
    sessions: &mut IdMap<Session>,
    session: Id,
    request: Id,
) -> Result<&mut Session, Violation> {
    let session = sessions.get_mut(&session).ok_or(Violation::NotJoined)?;
    let due = session.requests.upcoming();
    if !session.requests.accept(request) {
        return Err(Violation::OutOfTurn { request, due });
    }
    Ok(session)
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
