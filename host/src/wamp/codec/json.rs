use std::io::Write;

use serde::{Serialize, de::DeserializeSeed};
use serde_json::value::RawValue;

use super::{ARGUMENTS_DEPTH, Elements, Kind, Malformed};
use crate::wamp::{Value, value::AtMost};

pub(super) fn split(frame: &[u8]) -> Result<Elements, Malformed> {
    let text = std::str::from_utf8(frame).map_err(|_| Malformed::Syntax)?;
    // The outer array is one level, and so is the dictionary or list that is an element.
    if depth(frame) > ARGUMENTS_DEPTH + 1 {
        return Err(Malformed::TooDeep);
    }
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Malformed::Syntax)?;
    let start = text.as_ptr().addr();
    Ok(elements
        .iter()
        .map(|element| {
            let element = element.get();
            // A raw value borrows from the text that it was read from, so this is its offset.
            let offset = element.as_ptr().addr() - start;
            offset..offset + element.len()
        })
        .collect())
}

/// How deep brackets are nested, strings left out. Only meaningful for well-formed text.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut octets = text.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(octet) = octets.next() {
                    match octet {
                        b'\\' => _ = octets.next(),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

pub(super) fn kind(element: &[u8]) -> Kind {
    match element.first() {
        Some(b'[') => Kind::List,
        Some(b'{') => Kind::Dict,
        _ => Kind::Other,
    }
}

pub(super) fn value(element: &[u8], depth: usize) -> Result<Value, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(element);
    let value = AtMost(depth)
        .deserialize(&mut reader)
        .map_err(|_| Malformed::Syntax)?;
    reader.end().map_err(|_| Malformed::Syntax)?;
    Ok(value)
}

pub(super) fn unsigned(out: &mut Vec<u8>, number: u64) {
    // Writing into memory cannot fail.
    _ = write!(out, "{number}");
}

pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing into memory cannot fail, and no value of ours has keys other than text. A float that
    // is not a number becomes null.
    _ = serde_json::to_writer(out, value);
}
