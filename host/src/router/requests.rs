//! What members send, and what is done about it.

use std::sync::Arc;

use super::{
    Refusal, Router, State, Violation, dealer, id_map::IdMap, meta, options, session::Session,
};
use crate::wamp::{Action, Code, Dict, Id, Message};

impl Router {
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
