use bytes::Bytes;

use super::{Code, Message};
use crate::{Dict, Id, Malformed, Serializer, codec::Encoder};

impl Message {
    /// Fails only where a payload that came in another serialization turns out to be unreadable.
    #[expect(clippy::too_many_lines, reason = "a table, one entry for each message")]
    pub fn encode(&self, serializer: Serializer) -> Result<Bytes, Malformed> {
        let start = |code: Code, elements: u32, payload: usize| {
            let mut encoder = Encoder::new(serializer, elements, 64 + payload);
            encoder.unsigned(code as u64);
            encoder
        };
        Ok(match self {
            Self::Hello { realm, details } => {
                let mut encoder = start(Code::Hello, 3, 256);
                encoder.text(realm);
                encoder.dict(details);
                encoder.finish()
            }
            Self::Welcome { session, details } => {
                let mut encoder = start(Code::Welcome, 3, 448);
                encoder.id(*session);
                encoder.dict(details);
                encoder.finish()
            }
            Self::Abort { details, reason } => {
                dict_then_text(start(Code::Abort, 3, 64), details, reason)
            }
            Self::Goodbye { details, reason } => {
                dict_then_text(start(Code::Goodbye, 3, 64), details, reason)
            }
            Self::Challenge {
                method: text,
                extra,
            } => text_then_dict(start(Code::Challenge, 3, 448), text, extra),
            Self::Authenticate {
                signature: text,
                extra,
            } => text_then_dict(start(Code::Authenticate, 3, 256), text, extra),
            Self::Error {
                kind,
                request,
                details,
                error,
                payload,
            } => {
                let mut encoder = start(Code::Error, 5 + payload.elements(), 64 + payload.len());
                encoder.unsigned(*kind as u64);
                encoder.id(*request);
                encoder.dict(details);
                encoder.text(error);
                payload.write(&mut encoder, serializer)?;
                encoder.finish()
            }
            Self::Publish {
                request,
                options,
                topic: uri,
                payload,
            }
            | Self::Call {
                request,
                options,
                procedure: uri,
                payload,
            } => {
                let code = if matches!(self, Self::Call { .. }) {
                    Code::Call
                } else {
                    Code::Publish
                };
                let mut encoder = start(code, 4 + payload.elements(), 64 + payload.len());
                encoder.id(*request);
                encoder.dict(options);
                encoder.text(uri);
                payload.write(&mut encoder, serializer)?;
                encoder.finish()
            }
            Self::Published {
                request,
                publication,
            } => ids(start(Code::Published, 3, 0), &[*request, *publication]),
            Self::Subscribe {
                request,
                options,
                topic: uri,
            }
            | Self::Register {
                request,
                options,
                procedure: uri,
            } => {
                let subscribe = matches!(self, Self::Subscribe { .. });
                let code = if subscribe {
                    Code::Subscribe
                } else {
                    Code::Register
                };
                let mut encoder = start(code, 4, 64);
                encoder.id(*request);
                encoder.dict(options);
                encoder.text(uri);
                encoder.finish()
            }
            Self::Subscribed {
                request,
                subscription,
            } => ids(start(Code::Subscribed, 3, 0), &[*request, *subscription]),
            Self::Unsubscribe {
                request,
                subscription,
            } => ids(start(Code::Unsubscribe, 3, 0), &[*request, *subscription]),
            Self::Unsubscribed { request } => ids(start(Code::Unsubscribed, 2, 0), &[*request]),
            Self::Registered {
                request,
                registration,
            } => ids(start(Code::Registered, 3, 0), &[*request, *registration]),
            Self::Unregister {
                request,
                registration,
            } => ids(start(Code::Unregister, 3, 0), &[*request, *registration]),
            Self::Unregistered { request } => ids(start(Code::Unregistered, 2, 0), &[*request]),
            Self::Event {
                subscription: first,
                publication: second,
                details,
                payload,
            }
            | Self::Invocation {
                request: first,
                registration: second,
                details,
                payload,
            } => {
                let event = matches!(self, Self::Event { .. });
                let code = if event { Code::Event } else { Code::Invocation };
                let mut encoder = start(code, 4 + payload.elements(), payload.len());
                encoder.id(*first);
                encoder.id(*second);
                encoder.dict(details);
                payload.write(&mut encoder, serializer)?;
                encoder.finish()
            }
            Self::Result {
                request,
                details: dict,
                payload,
            }
            | Self::Yield {
                request,
                options: dict,
                payload,
            } => {
                let result = matches!(self, Self::Result { .. });
                let code = if result { Code::Result } else { Code::Yield };
                let mut encoder = start(code, 3 + payload.elements(), payload.len());
                encoder.id(*request);
                encoder.dict(dict);
                payload.write(&mut encoder, serializer)?;
                encoder.finish()
            }
            Self::Cancel { request, options } | Self::Interrupt { request, options } => {
                let cancel = matches!(self, Self::Cancel { .. });
                let mut encoder = start(
                    if cancel {
                        Code::Cancel
                    } else {
                        Code::Interrupt
                    },
                    3,
                    0,
                );
                encoder.id(*request);
                encoder.dict(options);
                encoder.finish()
            }
        })
    }
}

fn ids(mut encoder: Encoder, ids: &[Id]) -> Bytes {
    for id in ids {
        encoder.id(*id);
    }
    encoder.finish()
}

fn dict_then_text(mut encoder: Encoder, dict: &Dict, text: &str) -> Bytes {
    encoder.dict(dict);
    encoder.text(text);
    encoder.finish()
}

fn text_then_dict(mut encoder: Encoder, text: &str, dict: &Dict) -> Bytes {
    encoder.text(text);
    encoder.dict(dict);
    encoder.finish()
}
