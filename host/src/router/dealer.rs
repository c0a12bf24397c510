mod answers;
mod registration;

use std::cell::Cell;

use registration::Registration;

pub(super) use answers::{deliver_error, deliver_yield};

use super::{
    Census, Limits, Member, Random, Refusal, Traffic, Violation,
    id_map::IdMap,
    inquiry::{Answer, Pending, Unasked},
    options::{self, CancelMode, Invoke},
    patterns::Patterns,
    session::{self, Session},
};
use crate::wamp::{
    Action, Code, Dict, Id, MatchPolicy, Message, Pattern, Payload, RequestIds, is_reserved, reason,
};

const TOO_MANY_REGISTRATIONS: Refusal = Refusal::new(
    reason::UNAVAILABLE,
    "the session has as many registrations as it may",
);
const TOO_MANY_CALLS: Refusal = Refusal::new(
    reason::UNAVAILABLE,
    "the session waits for as many calls as it may",
);
const TAKEN: Refusal = Refusal::new(
    reason::PROCEDURE_ALREADY_EXISTS,
    "the procedure is registered already",
);
const NO_REGISTRATION: Refusal = Refusal::new(
    reason::NO_SUCH_REGISTRATION,
    "the session has no such registration",
);
const NO_PROCEDURE: Refusal = Refusal::new(
    reason::NO_SUCH_PROCEDURE,
    "no callee is registered for the procedure",
);
const UNREADABLE_ARGUMENTS: Refusal = Refusal::new(
    reason::INVALID_ARGUMENT,
    "the arguments cannot be written in the callee's serialization",
);
const UNREADABLE_RESULT: Refusal = Refusal::new(
    reason::INVALID_ARGUMENT,
    "the callee's answer cannot be written in the caller's serialization",
);
const CALLEE_LEFT: Refusal = Refusal::new(reason::CANCELED, "the callee left");
const CANCELED: Refusal = Refusal::new(reason::CANCELED, "the call was canceled");

pub(super) struct Dealer {
    registrations: Patterns<Registration>,
    ids: RequestIds,
    limits: Limits,
    /// Behind the realm's lock, as all of this.
    calls: Cell<u64>,
}

/// A call without a final answer: where it went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    callee: Id,
    invocation: Id,
}

/// The same from the callee's side: where it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Invocation {
    caller: Caller,
    receive_progress: bool,
    /// INTERRUPT was sent, and an answer is still awaited.
    interrupted: bool,
}

/// Who made a call.
#[derive(Clone, Copy, Debug)]
enum Caller {
    Session {
        id: Id,
        request: Id,
    },
    /// The router itself, by the number of the inquiry.
    Inquiry(Id),
}

/// Where a call goes: the callee's turn has come for it.
struct Target<'a> {
    registration: &'a Registration,
    callee: &'a mut Session,
}

impl Dealer {
    pub fn new(limits: Limits) -> Self {
        Self {
            registrations: Patterns::default(),
            ids: RequestIds::default(),
            limits,
            calls: Cell::default(),
        }
    }

    pub fn register(
        &mut self,
        callee: &mut Session,
        procedure: &str,
        options: &options::Register,
    ) -> Result<Id, Refusal> {
        let pattern = session::pattern(procedure, options.policy, self.limits.uri)?;
        callee.check_all(Action::Register, &pattern)?;
        if callee.registrations.len() >= self.limits.registrations {
            return Err(TOO_MANY_REGISTRATIONS);
        }
        let member = &callee.member;
        if let Some(registration) = self.registrations.get_mut(&pattern)
            && !registration.admits(member.id, options.invoke)
        {
            return Err(TAKEN);
        }
        let registration = self.registrations.entry(&pattern, || Registration {
            id: self.ids.issue(),
            policy: options.policy,
            invoke: options.invoke,
            callees: Vec::new(),
            turn: Cell::new(0),
        });
        registration.callees.push(member.clone());
        callee.registrations.insert(registration.id, pattern);
        Ok(registration.id)
    }

    /// Calls under way are not affected.
    pub fn unregister(&mut self, callee: &mut Session, registration: Id) -> Result<(), Refusal> {
        let pattern = callee.registrations.remove(&registration);
        let pattern = pattern.ok_or(NO_REGISTRATION)?;
        self.remove(&pattern, callee.member.id);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one message, moved")]
    pub fn call(
        &self,
        sessions: &mut IdMap<Session>,
        caller: &Member,
        request: Id,
        options: options::Call,
        procedure: String,
        payload: Payload,
        random: &mut Random,
    ) -> Result<(), Refusal> {
        let session = sessions.get(&caller.id).ok_or(CANCELED)?;
        session.check(Action::Call, &procedure, self.limits.uri)?;
        if session.calls.len() >= self.limits.calls {
            return Err(TOO_MANY_CALLS);
        }
        let target = self.target(sessions, &procedure, random);
        let target = target.ok_or(NO_PROCEDURE)?;

        let mut details = options.passthru;
        if options.disclose_me {
            caller.disclose(&mut details, "caller");
        }
        let features = target.callee.member.features;
        let receive_progress = options.receive_progress && features.progressive_call_results;
        if receive_progress {
            details.insert("receive_progress", true);
        }
        let invocation = Invocation {
            caller: Caller::Session {
                id: caller.id,
                request,
            },
            receive_progress,
            interrupted: false,
        };
        let call = target
            .invoke(invocation, details, procedure, payload)
            .ok_or(UNREADABLE_ARGUMENTS)?;
        if let Some(session) = sessions.get_mut(&caller.id) {
            session.calls.insert(request, call);
        }
        self.calls.set(self.calls.get() + 1);
        Ok(())
    }

    /// Calls a procedure for the router itself. No role's permission is asked for: whoever lets the
    /// router do so has judged it.
    pub fn inquire(
        &self,
        sessions: &mut IdMap<Session>,
        inquiry: Id,
        procedure: String,
        payload: Payload,
        random: &mut Random,
    ) -> Result<Call, Unasked> {
        let target = self.target(sessions, &procedure, random);
        let invocation = Invocation {
            caller: Caller::Inquiry(inquiry),
            receive_progress: false,
            interrupted: false,
        };
        target
            .ok_or(Unasked::NoCallee)?
            .invoke(invocation, Dict::new(), procedure, payload)
            .ok_or(Unasked::Unreadable)
    }

    fn target<'a>(
        &'a self,
        sessions: &'a mut IdMap<Session>,
        procedure: &str,
        random: &mut Random,
    ) -> Option<Target<'a>> {
        // Nobody can take the protocol's own procedures, with whatever pattern.
        if is_reserved(procedure) {
            return None;
        }
        let registration = self.registrations.best(procedure)?;
        let callee = registration.choose(random)?.id;
        Some(Target {
            registration,
            callee: sessions.get_mut(&callee)?,
        })
    }

    /// `session` is not among `sessions` any more.
    pub fn leave(
        &mut self,
        sessions: &mut IdMap<Session>,
        inquiries: &mut IdMap<Pending>,
        session: Session,
    ) {
        for pattern in session.registrations.values() {
            self.remove(pattern, session.member.id);
        }
        for invocation in session.invocations.into_values() {
            match invocation.caller {
                Caller::Session { id, request } => {
                    // None where it called itself.
                    if let Some(caller) = sessions.get_mut(&id) {
                        caller.calls.remove(&request);
                        caller.member.refuse(Code::Call, request, CALLEE_LEFT);
                    }
                }
                Caller::Inquiry(inquiry) => {
                    if let Some(pending) = inquiries.remove(&inquiry) {
                        pending.answer(Answer::CalleeLeft);
                    }
                }
            }
        }
        for call in session.calls.into_values() {
            if let Some(callee) = sessions.get_mut(&call.callee)
                && let Some(invocation) = callee.invocations.remove(&call.invocation)
                && !invocation.interrupted
            {
                callee.interrupt(call.invocation, CancelMode::KillNoWait);
            }
        }
    }

    pub fn report(&self, traffic: &mut Traffic) {
        traffic.calls = self.calls.get();
    }

    pub fn count(&self, census: &mut Census) {
        for registration in self.registrations.values() {
            census.registrations += 1;
            census.callees += registration.callees.len();
        }
    }

    fn remove(&mut self, pattern: &Pattern, session: Id) {
        let Some(registration) = self.registrations.get_mut(pattern) else {
            return;
        };
        registration.remove(session);
        if registration.callees.is_empty() {
            self.registrations.remove(pattern);
        }
    }
}

impl Target<'_> {
    /// None where the callee cannot read the arguments: then it sees nothing of the call.
    fn invoke(
        self,
        invocation: Invocation,
        mut details: Dict,
        procedure: String,
        payload: Payload,
    ) -> Option<Call> {
        let Self {
            registration,
            callee,
        } = self;
        if registration.policy != MatchPolicy::Exact {
            details.insert("procedure", procedure);
        }
        // The id is used up only where the callee gets to see it.
        let request = callee.invoked.upcoming();
        let frame = Message::Invocation {
            request,
            registration: registration.id,
            details,
            payload,
        }
        .encode(callee.member.serializer)
        .ok()?;
        callee.invoked.issue();
        callee.invocations.insert(request, invocation);
        callee.member.outbox.deliver(frame);
        Some(Call {
            callee: callee.member.id,
            invocation: request,
        })
    }
}

impl Session {
    fn interrupt(&self, invocation: Id, mode: CancelMode) {
        if self.member.features.call_canceling {
            self.member.deliver(&Message::Interrupt {
                request: invocation,
                options: Dict::new().with("mode", mode.as_str()),
            });
        }
    }

    /// An answer to an invocation that is over may have crossed with what ended it. One to an
    /// invocation that never was is a violation.
    fn forgotten(&self, invocation: Id) -> Result<(), Violation> {
        if invocation < self.invoked.upcoming() {
            Ok(())
        } else {
            Err(Violation::NoSuchInvocation(invocation))
        }
    }
}

/// A CANCEL of a call that is over, or never was, is ignored.
pub(super) fn cancel(
    sessions: &mut IdMap<Session>,
    caller: Id,
    request: Id,
    mode: CancelMode,
) -> Result<(), Violation> {
    let session = sessions.get(&caller).ok_or(Violation::NotJoined)?;
    let Some(call) = session.calls.get(&request).copied() else {
        return Ok(());
    };
    let Some(callee) = sessions.get_mut(&call.callee) else {
        return Ok(());
    };
    let Some(invocation) = callee.invocations.get_mut(&call.invocation) else {
        return Ok(());
    };
    let interrupt = mode != CancelMode::Skip && !invocation.interrupted;
    invocation.interrupted |= interrupt;
    if interrupt {
        callee.interrupt(call.invocation, mode);
    }
    // A callee that does not understand INTERRUPT cannot be waited for.
    if mode == CancelMode::Kill && callee.member.features.call_canceling {
        return Ok(());
    }
    callee.invocations.remove(&call.invocation);
    if let Some(session) = sessions.get_mut(&caller) {
        session.calls.remove(&request);
        session.member.refuse(Code::Call, request, CANCELED);
    }
    Ok(())
}

/// Nobody waits for the answer any more.
pub(super) fn withdraw(sessions: &mut IdMap<Session>, call: Call) {
    if let Some(callee) = sessions.get_mut(&call.callee)
        && callee.invocations.remove(&call.invocation).is_some()
    {
        callee.interrupt(call.invocation, CancelMode::KillNoWait);
    }
}
