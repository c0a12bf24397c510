use bytes::Bytes;

use super::{
    Malformed, Serializer, Value,
    codec::{ARGUMENTS_DEPTH, Encoder},
};

/// The `Arguments` and `ArgumentsKw` of a message, serialized as they came. Where the receiver
/// speaks the same serialization they are passed on as they are, and nobody takes them apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    serializer: Serializer,
    /// The elements one after the other, as they stand in a message of that serialization.
    octets: Bytes,
    elements: u32,
}

impl Payload {
    pub const NONE: Self = Self {
        serializer: Serializer::Json,
        octets: Bytes::new(),
        elements: 0,
    };

    /// `elements`: 0, 1 or 2.
    pub(super) const fn raw(serializer: Serializer, octets: Bytes, elements: u32) -> Self {
        Self {
            serializer,
            octets,
            elements,
        }
    }

    /// Arguments of the router's own.
    pub fn list(arguments: Vec<Value>) -> Self {
        let mut encoder = Encoder::new(Serializer::Json, 1, 64);
        encoder.value(&Value::List(arguments));
        let frame = encoder.finish();
        // Without the brackets of the array around the one element.
        let octets = frame.slice(1..frame.len() - 1);
        Self {
            serializer: Serializer::Json,
            octets,
            elements: 1,
        }
    }

    /// How many elements it adds to a message.
    pub(super) const fn elements(&self) -> u32 {
        self.elements
    }

    /// In octets, as it came.
    pub const fn len(&self) -> usize {
        self.octets.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.elements == 0
    }

    /// Reads `Arguments` (an empty list where there are none).
    pub fn arguments(&self) -> Result<Vec<Value>, Malformed> {
        match self.values()?.into_iter().next() {
            Some(Value::List(arguments)) => Ok(arguments),
            Some(_) => Err(Malformed::WrongType),
            None => Ok(Vec::new()),
        }
    }

    /// Reads `ArgumentsKw` (empty where there are none).
    pub fn keyword_arguments(&self) -> Result<super::Dict, Malformed> {
        match self.values()?.into_iter().nth(1) {
            Some(Value::Dict(arguments)) => Ok(arguments),
            Some(_) => Err(Malformed::WrongType),
            None => Ok(super::Dict::new()),
        }
    }

    /// Fails where octets that nobody has looked at so far turn out to be unreadable.
    pub(super) fn write(&self, encoder: &mut Encoder, into: Serializer) -> Result<(), Malformed> {
        if self.elements == 0 {
            return Ok(());
        }
        if into == self.serializer {
            encoder.raw(&self.octets);
            return Ok(());
        }
        for value in self.values()? {
            encoder.value(&value);
        }
        Ok(())
    }

    fn values(&self) -> Result<Vec<Value>, Malformed> {
        // An array around the elements makes a frame of them, which `split` can take apart.
        let mut frame = Encoder::new(self.serializer, self.elements, self.octets.len() + 8);
        if self.elements > 0 {
            frame.raw(&self.octets);
        }
        let frame = frame.finish();
        let elements = self.serializer.split(&frame)?;
        elements
            .into_iter()
            .map(|range| {
                let element = frame.get(range).unwrap_or_default();
                self.serializer.value(element, ARGUMENTS_DEPTH)
            })
            .collect()
    }
}
