use std::ops::Range;

use bytes::Bytes;

use super::{Code, Message};
use crate::{
    Dict, Id, Malformed, Payload, Serializer, Value,
    codec::{Elements, Kind, Plain},
};

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
                // autobahn sends null for a realm that the router shall choose.
                realm: self.text_or_null()?.unwrap_or_default(),
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

    fn element(&mut self) -> Result<&[u8], Malformed> {
        let range = self.range()?;
        // `split` found the range in this frame.
        Ok(self.frame.get(range).unwrap_or_default())
    }

    fn unsigned(&mut self) -> Result<u64, Malformed> {
        let serializer = self.serializer;
        let element = self.element()?;
        let number = match serializer.plain(element) {
            Some(Plain::Unsigned(number)) => Some(number),
            _ => serializer.value(element, 0)?.as_u64(),
        };
        number.ok_or(Malformed::WrongType)
    }

    fn id(&mut self) -> Result<Id, Malformed> {
        Id::new(self.unsigned()?).ok_or(Malformed::WrongType)
    }

    fn text(&mut self) -> Result<String, Malformed> {
        self.text_or_null()?.ok_or(Malformed::WrongType)
    }

    fn text_or_null(&mut self) -> Result<Option<String>, Malformed> {
        let serializer = self.serializer;
        let element = self.element()?;
        if let Some(Plain::Text(text)) = serializer.plain(element) {
            return Ok(Some(text.to_owned()));
        }
        match serializer.value(element, 0)? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            _ => Err(Malformed::WrongType),
        }
    }

    fn dict(&mut self) -> Result<Dict, Malformed> {
        let (serializer, depth) = (self.serializer, self.depth);
        let element = self.element()?;
        if serializer.plain(element) == Some(Plain::EmptyDict) {
            return Ok(Dict::new());
        }
        match serializer.value(element, depth)? {
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
