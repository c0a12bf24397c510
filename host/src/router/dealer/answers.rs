//! What callees answer, on its way back to who has called.

use super::{Caller, UNREADABLE_RESULT};
use crate::{
    router::{
        Member, Refusal, Violation,
        id_map::IdMap,
        inquiry::{Answer, Pending},
        options,
        session::Session,
    },
    wamp::{Code, Dict, Id, Message, Payload, Uri, reason},
};

pub(in crate::router) fn deliver_yield(
    sessions: &mut IdMap<Session>,
    inquiries: &mut IdMap<Pending>,
    callee: Id,
    request: Id,
    options: Result<options::Yield, Refusal>,
    payload: Payload,
) -> Result<(), Violation> {
    let session = sessions.get(&callee).ok_or(Violation::NotJoined)?;
    let Some(invocation) = session.invocations.get(&request).copied() else {
        return session.forgotten(request);
    };
    let (caller, to) = match invocation.caller {
        Caller::Session { id, request } => (id, request),
        Caller::Inquiry(inquiry) => {
            let answer = match options {
                // Nobody asked for it, and the call goes on.
                Ok(options) if options.progress => return Ok(()),
                Ok(_) => Answer::Result(payload),
                Err(refusal) => Answer::Error {
                    error: refusal.error.to_owned(),
                    payload: Payload::list(vec![refusal.why.into()]),
                },
            };
            conclude(sessions, inquiries, callee, request, inquiry, answer);
            return Ok(());
        }
    };
    let options = match options {
        Ok(options) => options,
        Err(refusal) => {
            if let Some(caller) = finish(sessions, callee, request, caller, to) {
                caller.refuse(Code::Call, to, refusal);
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
        request: to,
        details,
        payload,
    };
    if options.progress
        && let Some(caller) = sessions.get(&caller)
        && let Ok(frame) = result.encode(caller.member.serializer)
    {
        caller.member.outbox.deliver(frame);
        return Ok(());
    }
    // The final result, or one that cannot be passed on and so ends the call.
    if let Some(caller) = finish(sessions, callee, request, caller, to) {
        caller.deliver_or(&result, to);
    }
    Ok(())
}

pub(in crate::router) fn deliver_error(
    sessions: &mut IdMap<Session>,
    inquiries: &mut IdMap<Pending>,
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
    let (caller, to) = match invocation.caller {
        Caller::Session { id, request } => (id, request),
        Caller::Inquiry(inquiry) => {
            let answer = Answer::Error { error, payload };
            conclude(sessions, inquiries, callee, request, inquiry, answer);
            return Ok(());
        }
    };
    if let Some(caller) = finish(sessions, callee, request, caller, to) {
        let error = Message::Error {
            kind: Code::Call,
            request: to,
            details,
            error,
            payload,
        };
        caller.deliver_or(&error, to);
    }
    Ok(())
}

/// The same for an inquiry: forgets it, and answers it.
fn conclude(
    sessions: &mut IdMap<Session>,
    inquiries: &mut IdMap<Pending>,
    callee: Id,
    request: Id,
    inquiry: Id,
    answer: Answer,
) {
    if let Some(callee) = sessions.get_mut(&callee) {
        callee.invocations.remove(&request);
    }
    if let Some(pending) = inquiries.remove(&inquiry) {
        pending.answer(answer);
    }
}

/// Forgets the call on both sides. The caller is who is still owed the final answer.
fn finish(
    sessions: &mut IdMap<Session>,
    callee: Id,
    request: Id,
    caller: Id,
    call: Id,
) -> Option<&Member> {
    sessions.get_mut(&callee)?.invocations.remove(&request);
    let caller = sessions.get_mut(&caller)?;
    caller.calls.remove(&call)?;
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
