use std::{cell::Cell, sync::Arc};

use super::{
    Census, Limits, Member, Random, Refusal, Violation,
    id_map::IdMap,
    options::{self, CancelMode, Invoke},
    patterns::Patterns,
    session::{self, Session},
};
use crate::wamp::{
    Action, Code, Dict, Id, MatchPolicy, Message, Pattern, Payload, RequestIds, Uri, is_reserved,
    reason,
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
}

/// A pattern and whoever serves it: at least one callee, none of them twice.
struct Registration {
    id: Id,
    policy: MatchPolicy,
    invoke: Invoke,
    /// In the order in which they registered.
    callees: Vec<Arc<Member>>,
    /// Whose turn it is, where they take turns.
    turn: Cell<usize>,
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
    caller: Id,
    request: Id,
    receive_progress: bool,
    /// INTERRUPT was sent, and an answer is still awaited.
    interrupted: bool,
}

impl Dealer {
    pub fn new(limits: Limits) -> Self {
        Self {
            registrations: Patterns::default(),
            ids: RequestIds::default(),
            limits,
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
        // Nobody can take the protocol's own procedures, with whatever pattern.
        if is_reserved(&procedure) {
            return Err(NO_PROCEDURE);
        }
        let registration = self.registrations.best(&procedure).ok_or(NO_PROCEDURE)?;
        let callee = registration.choose(random).ok_or(NO_PROCEDURE)?.id;
        let callee = sessions.get_mut(&callee).ok_or(NO_PROCEDURE)?;

        let mut details = options.passthru;
        if registration.policy != MatchPolicy::Exact {
            details.insert("procedure", procedure);
        }
        if options.disclose_me {
            caller.disclose(&mut details, "caller");
        }
        let receive_progress =
            options.receive_progress && callee.member.features.progressive_call_results;
        if receive_progress {
            details.insert("receive_progress", true);
        }
        // The id is used up only where the callee gets to see it.
        let invocation = callee.invoked.upcoming();
        let frame = Message::Invocation {
            request: invocation,
            registration: registration.id,
            details,
            payload,
        }
        .encode(callee.member.serializer)
        .map_err(|_| UNREADABLE_ARGUMENTS)?;
        callee.invoked.issue();
        callee.invocations.insert(
            invocation,
            Invocation {
                caller: caller.id,
                request,
                receive_progress,
                interrupted: false,
            },
        );
        callee.member.outbox.deliver(frame);

        let call = Call {
            callee: callee.member.id,
            invocation,
        };
        if let Some(session) = sessions.get_mut(&caller.id) {
            session.calls.insert(request, call);
        }
        Ok(())
    }

    /// `session` is not among `sessions` any more.
    pub fn leave(&mut self, sessions: &mut IdMap<Session>, session: Session) {
        for pattern in session.registrations.values() {
            self.remove(pattern, session.member.id);
        }
        for invocation in session.invocations.into_values() {
            // None where it called itself.
            if let Some(caller) = sessions.get_mut(&invocation.caller) {
                caller.calls.remove(&invocation.request);
                let caller = &caller.member;
                caller.refuse(Code::Call, invocation.request, CALLEE_LEFT);
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

impl Registration {
    fn admits(&self, session: Id, invoke: Invoke) -> bool {
        invoke != Invoke::Single
            && invoke == self.invoke
            && self.callees.iter().all(|callee| callee.id != session)
    }

    fn choose(&self, random: &mut Random) -> Option<&Arc<Member>> {
        match self.invoke {
            Invoke::Single | Invoke::First => self.callees.first(),
            Invoke::Last => self.callees.last(),
            Invoke::RoundRobin => {
                let callee = self.turn.get() % self.callees.len().max(1);
                self.turn.set(callee + 1);
                self.callees.get(callee)
            }
            Invoke::Random => {
                let callee = random.bits() % (self.callees.len() as u64).max(1);
                self.callees.get(usize::try_from(callee).ok()?)
            }
        }
    }

    fn remove(&mut self, session: Id) {
        let position = self.callees.iter().position(|callee| callee.id == session);
        let Some(position) = position else {
            return;
        };
        self.callees.remove(position);
        // The others keep their order.
        if position < self.turn.get() {
            self.turn.set(self.turn.get() - 1);
        }
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

pub(super) fn deliver_yield(
    sessions: &mut IdMap<Session>,
    callee: Id,
    request: Id,
    options: Result<options::Yield, Refusal>,
    payload: Payload,
) -> Result<(), Violation> {
    let session = sessions.get(&callee).ok_or(Violation::NotJoined)?;
    let Some(invocation) = session.invocations.get(&request).copied() else {
        return session.forgotten(request);
    };
    let options = match options {
        Ok(options) => options,
        Err(refusal) => {
            if let Some(caller) = finish(sessions, callee, request, invocation) {
                caller.refuse(Code::Call, invocation.request, refusal);
            }
            return Ok(());
        }
    };
    // Nobody asked for it, and the call goes on.
    if options.progress && !invocation.receive_progress {
        return Ok(());
    }
    let mut details = options.passthru;
    if options.disclose_me {
        session.member.disclose(&mut details, "callee");
    }
    if options.progress {
        details.insert("progress", true);
    }
    let result = Message::Result {
        request: invocation.request,
        details,
        payload,
    };
    if options.progress
        && let Some(caller) = sessions.get(&invocation.caller)
        && let Ok(frame) = result.encode(caller.member.serializer)
    {
        caller.member.outbox.deliver(frame);
        return Ok(());
    }
    // The final result, or one that cannot be passed on and so ends the call.
    if let Some(caller) = finish(sessions, callee, request, invocation) {
        caller.deliver_or(&result, invocation.request);
    }
    Ok(())
}

pub(super) fn deliver_error(
    sessions: &mut IdMap<Session>,
    callee: Id,
    request: Id,
    details: Dict,
    error: String,
    payload: Payload,
) -> Result<(), Violation> {
    let session = sessions.get(&callee).ok_or(Violation::NotJoined)?;
    let Some(invocation) = session.invocations.get(&request).copied() else {
        return session.forgotten(request);
    };
    // Some clients end their session over a URI that is none, which a callee could abuse.
    let error = match Uri::check(&error) {
        Ok(()) => error,
        Err(_) => reason::INVALID_URI.to_owned(),
    };
    if let Some(caller) = finish(sessions, callee, request, invocation) {
        let error = Message::Error {
            kind: Code::Call,
            request: invocation.request,
            details,
            error,
            payload,
        };
        caller.deliver_or(&error, invocation.request);
    }
    Ok(())
}

/// Forgets the call on both sides. The caller is who is still owed the final answer.
fn finish(
    sessions: &mut IdMap<Session>,
    callee: Id,
    request: Id,
    invocation: Invocation,
) -> Option<&Member> {
    sessions.get_mut(&callee)?.invocations.remove(&request);
    let caller = sessions.get_mut(&invocation.caller)?;
    caller.calls.remove(&invocation.request)?;
    Some(&caller.member)
}

impl Member {
    fn deliver_or(&self, answer: &Message, request: Id) {
        match answer.encode(self.serializer) {
            Ok(frame) => self.outbox.deliver(frame),
            Err(_) => self.refuse(Code::Call, request, UNREADABLE_RESULT),
        }
    }
}
