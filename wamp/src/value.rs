use std::{collections::BTreeMap, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use super::{Malformed, codec};

/// Anything that a WAMP message can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Only for what does not fit into `Int`.
    UInt(u64),
    Float(f64),
    Text(String),
    Binary(Vec<u8>),
    List(Vec<Value>),
    Dict(Dict),
}

/// A WAMP dictionary: `Details`, `Options`, `Extra`, `ArgumentsKw`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(BTreeMap<String, Value>);

impl Value {
    /// Lenient as clients need it: wampy.js sends its ids as floats in CBOR.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Int(number) => number.try_into().ok(),
            Self::UInt(number) => Some(number),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be a whole number within 0..=2^53"
            )]
            Self::Float(number)
                if number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number) =>
            {
                Some(number as u64)
            }
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = *self {
            Some(truth)
        } else {
            None
        }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self {
            Some(list)
        } else {
            None
        }
    }

    pub const fn as_dict(&self) -> Option<&Dict> {
        if let Self::Dict(dict) = self {
            Some(dict)
        } else {
            None
        }
    }
}

impl Dict {
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.as_str()
    }

    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(key, value);
        self
    }

    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Adds the other's members; where both have one, the other's stays.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The text of a JSON object, octets in WAMP's convention.
    pub fn to_json(&self) -> String {
        // Serializing a `Value` into memory cannot fail: its keys are strings.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text of a JSON object that is nested at most `depth` deep.
    pub fn from_json(text: &str, depth: usize) -> Result<Self, Malformed> {
        match codec::json_value(text.as_bytes(), depth)? {
            Value::Dict(dict) => Ok(dict),
            _ => Err(Malformed::WrongType),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<Dict> for Value {
    fn from(dict: Dict) -> Self {
        Self::Dict(dict)
    }
}

impl From<Vec<Self>> for Value {
    fn from(list: Vec<Self>) -> Self {
        Self::List(list)
    }
}

impl FromIterator<(String, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl Serialize for Dict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::UInt(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            // `advanced/serialization_binary_json.md`: a NUL character, then base64.
            Self::Binary(octets) if serializer.is_human_readable() => {
                serializer.serialize_str(&format!("\0{}", BASE64_STANDARD.encode(octets)))
            }
            Self::Binary(octets) => serializer.serialize_bytes(octets),
            Self::List(list) => serializer.collect_seq(list),
            Self::Dict(dict) => dict.serialize(serializer),
        }
    }
}

/// Reads a [`Value`] that is nested at most this deep; a scalar needs 0.
#[derive(Clone, Copy)]
pub(super) struct AtMost(pub usize);

impl<'de> DeserializeSeed<'de> for AtMost {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let human_readable = deserializer.is_human_readable();
        deserializer.deserialize_any(ValueVisitor {
            depth: self.0,
            human_readable,
        })
    }
}

struct ValueVisitor {
    depth: usize,
    human_readable: bool,
}

impl ValueVisitor {
    fn inside<E: de::Error>(&self) -> Result<AtMost, E> {
        self.depth
            .checked_sub(1)
            .map(AtMost)
            .ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a WAMP value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    /// A MessagePack extension. wampy.js writes `undefined` as one.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, ext: D) -> Result<Value, D::Error> {
        de::IgnoredAny::deserialize(ext)?;
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        match text.strip_prefix('\0') {
            Some(base64) if self.human_readable => BASE64_STANDARD
                .decode(base64)
                .map(Value::Binary)
                .map_err(E::custom),
            _ => Ok(Value::Text(text.to_owned())),
        }
    }

    fn visit_bytes<E>(self, octets: &[u8]) -> Result<Value, E> {
        Ok(Value::Binary(octets.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(value) = sequence.next_element_seed(inside)? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut dict = BTreeMap::new();
        while let Some(key) = members.next_key::<String>()? {
            dict.insert(key, members.next_value_seed(inside)?);
        }
        Ok(Value::Dict(Dict(dict)))
    }
}
