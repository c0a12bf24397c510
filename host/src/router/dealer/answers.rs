//! What callees answer, on its way back to who has called.

use super::{Caller, Invocation, UNREADABLE_RESULT};
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

/// What ends a call.
enum Last {
    Result {
        details: Dict,
        payload: Payload,
    },
    Error {
        details: Dict,
        error: String,
        payload: Payload,
    },
}

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
    let last = match options {
        // Nobody asked for it, and the call goes on.
        Ok(options) if options.progress && !invocation.receive_progress => return Ok(()),
        Ok(options) => {
            let mut details = options.passthru;
            if options.disclose_me {
                session.member.disclose(&mut details, "callee");
            }
            if !options.progress {
                Last::Result { details, payload }
            } else if pass_on(sessions, invocation, details, payload) {
                return Ok(());
            } else {
                UNREADABLE_RESULT.into()
            }
        }
        Err(refusal) => refusal.into(),
    };
    conclude(sessions, inquiries, callee, request, last);
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
    if !session.invocations.contains_key(&request) {
        return session.forgotten(request);
    }
    // Some clients end their session over a URI that is none, which a callee could abuse.
    let error = match Uri::check(&error) {
        Ok(()) => error,
        Err(_) => reason::INVALID_URI.to_owned(),
    };
    let last = Last::Error {
        details,
        error,
        payload,
    };
    conclude(sessions, inquiries, callee, request, last);
    Ok(())
}

/// Gives the caller one of several results, and says whether it could.
fn pass_on(
    sessions: &IdMap<Session>,
    invocation: Invocation,
    mut details: Dict,
    payload: Payload,
) -> bool {
    let Caller::Session { id, request } = invocation.caller else {
        return false;
    };
    let Some(caller) = sessions.get(&id) else {
        return false;
    };
    details.insert("progress", true);
    let result = Message::Result {
        request,
        details,
        payload,
    };
    let frame = result.encode(caller.member.serializer);
    frame
        .map(|frame| caller.member.outbox.deliver(frame))
        .is_ok()
}

/// Forgets the call on both sides, and tells whoever is still owed how it ended.
fn conclude(
    sessions: &mut IdMap<Session>,
    inquiries: &mut IdMap<Pending>,
    callee: Id,
    request: Id,
    last: Last,
) {
    let callee = sessions.get_mut(&callee);
    let Some(invocation) = callee.and_then(|callee| callee.invocations.remove(&request)) else {
        return;
    };
    match invocation.caller {
        Caller::Session { id, request } => {
            if let Some(caller) = sessions.get_mut(&id)
                && caller.calls.remove(&request).is_some()
            {
                caller
                    .member
                    .deliver_or_refuse(&last.message(request), request);
            }
        }
        Caller::Inquiry(inquiry) => {
            if let Some(pending) = inquiries.remove(&inquiry) {
                pending.answer(last.into());
            }
        }
    }
}

impl Last {
    fn message(self, request: Id) -> Message {
        match self {
            Self::Result { details, payload } => Message::Result {
                request,
                details,
                payload,
            },
            Self::Error {
                details,
                error,
                payload,
            } => Message::Error {
                kind: Code::Call,
                request,
                details,
                error,
                payload,
            },
        }
    }
}

impl From<Refusal> for Last {
    fn from(refusal: Refusal) -> Self {
        Self::Error {
            details: Dict::new(),
            error: refusal.error.to_owned(),
            payload: Payload::list(vec![refusal.why.into()]),
        }
    }
}

impl From<Last> for Answer {
    fn from(last: Last) -> Self {
        match last {
            Last::Result { payload, .. } => Self::Result(payload),
            Last::Error { error, payload, .. } => Self::Error { error, payload },
        }
    }
}

impl Member {
    fn deliver_or_refuse(&self, answer: &Message, request: Id) {
        match answer.encode(self.serializer) {
            Ok(frame) => self.outbox.deliver(frame),
            Err(_) => self.refuse(Code::Call, request, UNREADABLE_RESULT),
        }
    }
}
