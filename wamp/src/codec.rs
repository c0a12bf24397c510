//! The three serializations, behind one set of operations.
//!
//! A message is taken apart only as far as the router must understand it: [`Serializer::split`]
//! finds the elements of the outer array, the message reads those that it needs, and arguments stay
//! octets ([`super::Payload`]).

mod cbor;
mod json;
mod msgpack;
mod walk;

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;
use thiserror::Error;

use super::{Dict, Id, Value};

/// How deep arguments may be nested. Whatever is accepted can be written in every serialization:
/// JSON's reader stops at 128.
pub(super) const ARGUMENTS_DEPTH: usize = 100;

/// Where the elements of a message are in its frame.
pub(super) type Elements = SmallVec<[Range<usize>; 8]>;

/// A serialization of WAMP messages (`basic/building_blocks.md`, "Serializations").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serializer {
    Json,
    MsgPack,
    Cbor,
}

/// A frame that is not a WAMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("not a well-formed frame")]
    Syntax,
    #[error("not a WAMP message type")]
    UnknownCode,
    #[error("a message of the wrong length")]
    WrongLength,
    #[error("an element of the wrong type")]
    WrongType,
    #[error("nested too deep")]
    TooDeep,
}

/// What an element is, by its first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Dict,
    Other,
}

/// An element that is one of what most elements are, read at a glance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plain<'a> {
    Unsigned(u64),
    Text(&'a str),
    EmptyDict,
}

impl Serializer {
    pub const ALL: [Self; 3] = [Self::Json, Self::MsgPack, Self::Cbor];

    /// The WebSocket subprotocol that stands for it.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "wamp.2.json",
            Self::MsgPack => "wamp.2.msgpack",
            Self::Cbor => "wamp.2.cbor",
        }
    }

    pub fn from_subprotocol(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|serializer| serializer.subprotocol() == name)
    }

    /// Whether its frames are text.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Json)
    }

    /// Checks that the frame is one well-formed array and nothing else, and finds its elements.
    pub(super) fn split(self, frame: &[u8]) -> Result<Elements, Malformed> {
        match self {
            Self::Json => json::split(frame),
            Self::MsgPack => walk::split::<msgpack::Format>(frame),
            Self::Cbor => walk::split::<cbor::Format>(frame),
        }
    }

    pub(super) fn kind(self, element: &[u8]) -> Kind {
        match self {
            Self::Json => json::kind(element),
            Self::MsgPack => msgpack::kind(element),
            Self::Cbor => cbor::kind(element),
        }
    }

    /// What an element is, where that can be seen without a reader; None says nothing.
    pub(super) fn plain(self, element: &[u8]) -> Option<Plain<'_>> {
        match self {
            Self::Json => json::plain(element),
            Self::MsgPack => msgpack::plain(element),
            Self::Cbor => None,
        }
    }

    /// Reads one value, nested at most `depth` deep.
    pub(super) fn value(self, element: &[u8], depth: usize) -> Result<Value, Malformed> {
        match self {
            Self::Json => json::value(element, depth),
            Self::MsgPack => msgpack::value(element, depth),
            Self::Cbor => cbor::value(element, depth),
        }
    }
}

pub(super) fn json_value(text: &[u8], depth: usize) -> Result<Value, Malformed> {
    json::value(text, depth)
}

/// Writes one message, element by element.
pub(super) struct Encoder {
    serializer: Serializer,
    out: Vec<u8>,
    first: bool,
}

impl Encoder {
    /// `elements` is how many will be written; `capacity` an estimate of their octets.
    pub(super) fn new(serializer: Serializer, elements: u32, capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        match serializer {
            Serializer::Json => out.push(b'['),
            Serializer::MsgPack => msgpack::array(&mut out, elements),
            Serializer::Cbor => cbor::array(&mut out, elements),
        }
        Self {
            serializer,
            out,
            first: true,
        }
    }

    pub(super) fn unsigned(&mut self, number: u64) {
        self.separate();
        match self.serializer {
            Serializer::Json => json::unsigned(&mut self.out, number),
            Serializer::MsgPack => msgpack::unsigned(&mut self.out, number),
            Serializer::Cbor => cbor::unsigned(&mut self.out, number),
        }
    }

    pub(super) fn id(&mut self, id: Id) {
        self.unsigned(id.as_u64());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.separate();
        match self.serializer {
            Serializer::Json => json::write(&mut self.out, text),
            Serializer::MsgPack => msgpack::write(&mut self.out, text),
            Serializer::Cbor => cbor::write(&mut self.out, text),
        }
    }

    pub(super) fn dict(&mut self, dict: &Dict) {
        self.separate();
        match self.serializer {
            Serializer::Json => json::write(&mut self.out, dict),
            Serializer::MsgPack => msgpack::write(&mut self.out, dict),
            Serializer::Cbor => cbor::write(&mut self.out, dict),
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        self.separate();
        match self.serializer {
            Serializer::Json => json::write(&mut self.out, value),
            Serializer::MsgPack => msgpack::write(&mut self.out, value),
            Serializer::Cbor => cbor::write(&mut self.out, value),
        }
    }

    /// One or more elements that are serialized already, in this serialization.
    pub(super) fn raw(&mut self, elements: &[u8]) {
        self.separate();
        self.out.extend_from_slice(elements);
    }

    pub(super) fn finish(mut self) -> Bytes {
        if self.serializer == Serializer::Json {
            self.out.push(b']');
        }
        self.out.into()
    }

    fn separate(&mut self) {
        if self.serializer == Serializer::Json && !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }
}

#[cfg(test)]
impl From<Plain<'_>> for Value {
    fn from(plain: Plain<'_>) -> Self {
        match plain {
            Plain::Unsigned(number) => number.into(),
            Plain::Text(text) => text.into(),
            Plain::EmptyDict => Dict::new().into(),
        }
    }
}
