use std::ops::Range;

use bytes::Bytes;

use super::{
    Dict, Id, Malformed, Payload, Serializer, Value,
    codec::{Elements, Encoder, Kind},
};

/// The first element of each message (`basic/messages.md`, `advanced/messages.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Code {
    Hello = 1,
    Welcome = 2,
    Abort = 3,
    Challenge = 4,
    Authenticate = 5,
    Goodbye = 6,
    Error = 8,
    Publish = 16,
    Published = 17,
    Subscribe = 32,
    Subscribed = 33,
    Unsubscribe = 34,
    Unsubscribed = 35,
    Event = 36,
    Call = 48,
    Cancel = 49,
    Result = 50,
    Register = 64,
    Registered = 65,
    Unregister = 66,
    Unregistered = 67,
    Invocation = 68,
    Interrupt = 69,
    Yield = 70,
}

impl Code {
    const ALL: [Self; 24] = [
        Self::Hello,
        Self::Welcome,
        Self::Abort,
        Self::Challenge,
        Self::Authenticate,
        Self::Goodbye,
        Self::Error,
        Self::Publish,
        Self::Published,
        Self::Subscribe,
        Self::Subscribed,
        Self::Unsubscribe,
        Self::Unsubscribed,
        Self::Event,
        Self::Call,
        Self::Cancel,
        Self::Result,
        Self::Register,
        Self::Registered,
        Self::Unregister,
        Self::Unregistered,
        Self::Invocation,
        Self::Interrupt,
        Self::Yield,
    ];

    fn from_u64(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u64 == code)
    }
}

/// One WAMP message. URIs in it are text as the client wrote it: whoever acts on one parses it, and
/// answers a bad one as the specification asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// `realm` is empty where the client sent null for it.
    Hello {
        realm: String,
        details: Dict,
    },
    Welcome {
        session: Id,
        details: Dict,
    },
    /// Always written with three elements: autobahn-python refuses any other number. Arguments of
    /// an ABORT that comes in are ignored.
    Abort {
        details: Dict,
        reason: String,
    },
    Challenge {
        method: String,
        extra: Dict,
    },
    Authenticate {
        signature: String,
        extra: Dict,
    },
    Goodbye {
        details: Dict,
        reason: String,
    },
    Error {
        kind: Code,
        request: Id,
        details: Dict,
        error: String,
        payload: Payload,
    },
    Publish {
        request: Id,
        options: Dict,
        topic: String,
        payload: Payload,
    },
    Published {
        request: Id,
        publication: Id,
    },
    Subscribe {
        request: Id,
        options: Dict,
        topic: String,
    },
    Subscribed {
        request: Id,
        subscription: Id,
    },
    Unsubscribe {
        request: Id,
        subscription: Id,
    },
    Unsubscribed {
        request: Id,
    },
    Event {
        subscription: Id,
        publication: Id,
        details: Dict,
        payload: Payload,
    },
    Call {
        request: Id,
        options: Dict,
        procedure: String,
        payload: Payload,
    },
    Cancel {
        request: Id,
        options: Dict,
    },
    Result {
        request: Id,
        details: Dict,
        payload: Payload,
    },
    Register {
        request: Id,
        options: Dict,
        procedure: String,
    },
    Registered {
        request: Id,
        registration: Id,
    },
    Unregister {
        request: Id,
        registration: Id,
    },
    Unregistered {
        request: Id,
    },
    Invocation {
        request: Id,
        registration: Id,
        details: Dict,
        payload: Payload,
    },
    Interrupt {
        request: Id,
        options: Dict,
    },
    Yield {
        request: Id,
        options: Dict,
        payload: Payload,
    },
}

impl Message {
    /// Reads one frame. Dictionaries may be nested at most `depth` deep, counting themselves.
    /// Arguments are checked to be well-formed, and are not read.
    pub fn decode(serializer: Serializer, frame: &Bytes, depth: usize) -> Result<Self, Malformed> {
        let elements = serializer.split(frame)?;
        let mut fields = Fields {
            serializer,
            frame,
            elements: &elements,
            next: 0,
            depth,
        };
        let message = fields.message()?;
        if fields.next < elements.len() {
            return Err(Malformed::WrongLength);
        }
        Ok(message)
    }

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

/// The elements of a frame, read one after the other.
struct Fields<'a> {
    serializer: Serializer,
    frame: &'a Bytes,
    elements: &'a Elements,
    next: usize,
    depth: usize,
}

impl Fields<'_> {
    #[expect(clippy::too_many_lines, reason = "a table, one entry for each message")]
    fn message(&mut self) -> Result<Message, Malformed> {
        let code = Code::from_u64(self.unsigned()?).ok_or(Malformed::UnknownCode)?;
        // Fields are read in the order in which they are written down here.
        Ok(match code {
            Code::Hello => Message::Hello {
                realm: self.text_or_null()?,
                details: self.dict()?,
            },
            Code::Welcome => Message::Welcome {
                session: self.id()?,
                details: self.dict()?,
            },
            Code::Abort => {
                let message = Message::Abort {
                    details: self.dict()?,
                    reason: self.text()?,
                };
                self.payload()?;
                message
            }
            Code::Challenge => Message::Challenge {
                method: self.text()?,
                extra: self.dict()?,
            },
            Code::Authenticate => Message::Authenticate {
                signature: self.text()?,
                extra: self.dict()?,
            },
            Code::Goodbye => Message::Goodbye {
                details: self.dict()?,
                reason: self.text()?,
            },
            Code::Error => Message::Error {
                kind: Code::from_u64(self.unsigned()?).ok_or(Malformed::WrongType)?,
                request: self.id()?,
                details: self.dict()?,
                error: self.text()?,
                payload: self.payload()?,
            },
            Code::Publish => Message::Publish {
                request: self.id()?,
                options: self.dict()?,
                topic: self.text()?,
                payload: self.payload()?,
            },
            Code::Published => Message::Published {
                request: self.id()?,
                publication: self.id()?,
            },
            Code::Subscribe => Message::Subscribe {
                request: self.id()?,
                options: self.dict()?,
                topic: self.text()?,
            },
            Code::Subscribed => Message::Subscribed {
                request: self.id()?,
                subscription: self.id()?,
            },
            Code::Unsubscribe => Message::Unsubscribe {
                request: self.id()?,
                subscription: self.id()?,
            },
            Code::Unsubscribed => Message::Unsubscribed {
                request: self.id()?,
            },
            Code::Event => Message::Event {
                subscription: self.id()?,
                publication: self.id()?,
                details: self.dict()?,
                payload: self.payload()?,
            },
            Code::Call => Message::Call {
                request: self.id()?,
                options: self.dict()?,
                procedure: self.text()?,
                payload: self.payload()?,
            },
            Code::Cancel => Message::Cancel {
                request: self.id()?,
                options: self.dict()?,
            },
            Code::Result => Message::Result {
                request: self.id()?,
                details: self.dict()?,
                payload: self.payload()?,
            },
            Code::Register => Message::Register {
                request: self.id()?,
                options: self.dict()?,
                procedure: self.text()?,
            },
            Code::Registered => Message::Registered {
                request: self.id()?,
                registration: self.id()?,
            },
            Code::Unregister => Message::Unregister {
                request: self.id()?,
                registration: self.id()?,
            },
            Code::Unregistered => Message::Unregistered {
                request: self.id()?,
            },
            Code::Invocation => Message::Invocation {
                request: self.id()?,
                registration: self.id()?,
                details: self.dict()?,
                payload: self.payload()?,
            },
            Code::Interrupt => Message::Interrupt {
                request: self.id()?,
                options: self.dict()?,
            },
            Code::Yield => Message::Yield {
                request: self.id()?,
                options: self.dict()?,
                payload: self.payload()?,
            },
        })
    }

    fn range(&mut self) -> Result<Range<usize>, Malformed> {
        let range = self
            .elements
            .get(self.next)
            .cloned()
            .ok_or(Malformed::WrongLength)?;
        self.next += 1;
        Ok(range)
    }

    /// A scalar, or a dictionary with what is in it.
    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        let range = self.range()?;
        // `split` found the range in this frame.
        self.serializer
            .value(self.frame.get(range).unwrap_or_default(), depth)
    }

    fn unsigned(&mut self) -> Result<u64, Malformed> {
        self.value(0)?.as_u64().ok_or(Malformed::WrongType)
    }

    fn id(&mut self) -> Result<Id, Malformed> {
        Id::new(self.unsigned()?).ok_or(Malformed::WrongType)
    }

    fn text(&mut self) -> Result<String, Malformed> {
        match self.value(0)? {
            Value::Text(text) => Ok(text),
            _ => Err(Malformed::WrongType),
        }
    }

    /// autobahn sends null for a realm that the router shall choose.
    fn text_or_null(&mut self) -> Result<String, Malformed> {
        match self.value(0)? {
            Value::Text(text) => Ok(text),
            Value::Null => Ok(String::new()),
            _ => Err(Malformed::WrongType),
        }
    }

    fn dict(&mut self) -> Result<Dict, Malformed> {
        match self.value(self.depth)? {
            Value::Dict(dict) => Ok(dict),
            _ => Err(Malformed::WrongType),
        }
    }

    /// `Arguments` and `ArgumentsKw`, as far as they are there.
    fn payload(&mut self) -> Result<Payload, Malformed> {
        let rest = self.elements.get(self.next..).unwrap_or_default();
        let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
            return Ok(Payload::NONE);
        };
        for (range, kind) in rest.iter().zip([Kind::List, Kind::Dict]) {
            let element = self.frame.get(range.clone()).unwrap_or_default();
            if self.serializer.kind(element) != kind {
                return Err(Malformed::WrongType);
            }
        }
        let elements = match rest.len() {
            1 => 1,
            2 => 2,
            _ => return Err(Malformed::WrongLength),
        };
        self.next += rest.len();
        Ok(Payload::raw(
            self.serializer,
            self.frame.slice(first.start..last.end),
            elements,
        ))
    }
}

#[cfg(test)]
mod tests;
