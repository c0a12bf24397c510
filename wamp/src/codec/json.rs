use std::fmt;

use serde::{
    Deserializer, Serialize,
    de::{DeserializeSeed, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{ARGUMENTS_DEPTH, Elements, Kind, Malformed};
use crate::{Dict, Value, value::AtMost};

pub(super) fn split(frame: &[u8]) -> Result<Elements, Malformed> {
    let text = std::str::from_utf8(frame).map_err(|_| Malformed::Syntax)?;
    // The outer array is one level, and so is the dictionary or list that is an element.
    if depth(frame) > ARGUMENTS_DEPTH + 1 {
        return Err(Malformed::TooDeep);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader
        .deserialize_seq(Split {
            start: text.as_ptr().addr(),
        })
        .map_err(|_| Malformed::Syntax)?;
    reader.end().map_err(|_| Malformed::Syntax)?;
    Ok(elements)
}

/// Finds the elements of an array in the text that starts at an address.
struct Split {
    start: usize,
}

impl<'de> Visitor<'de> for Split {
    type Value = Elements;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Elements, A::Error> {
        let mut elements = Elements::new();
        while let Some(element) = array.next_element::<&RawValue>()? {
            let element = element.get();
            // A raw value borrows from the text that it was read from, so this is its offset.
            let offset = element.as_ptr().addr() - self.start;
            elements.push(offset..offset + element.len());
        }
        Ok(elements)
    }
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
    plain(element, depth).map_or_else(|| read(element, depth), Ok)
}

/// What most elements are, read at a glance: a number, an empty dictionary, a text without escapes.
/// None: [`read`] must see to it.
fn plain(element: &[u8], depth: usize) -> Option<Value> {
    /// Fewer than the largest `i64` has.
    const MOST_DIGITS: usize = 18;
    match element {
        b"{}" if depth > 0 => Some(Value::Dict(Dict::new())),
        [b'1'..=b'9', ..] if element.len() <= MOST_DIGITS => element
            .iter()
            .try_fold(0, |number, octet| {
                let digit = octet.is_ascii_digit().then(|| i64::from(octet - b'0'))?;
                Some(number * 10 + digit)
            })
            .map(Value::Int),
        [b'"', text @ .., b'"'] => {
            let is_plain = |octet: &u8| !matches!(octet, 0..=0x1f | b'"' | b'\\');
            let text = text.iter().all(is_plain).then_some(text)?;
            std::str::from_utf8(text).ok().map(Value::from)
        }
        _ => None,
    }
}

fn read(element: &[u8], depth: usize) -> Result<Value, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(element);
    let value = AtMost(depth)
        .deserialize(&mut reader)
        .map_err(|_| Malformed::Syntax)?;
    reader.end().map_err(|_| Malformed::Syntax)?;
    Ok(value)
}

pub(super) fn unsigned(out: &mut Vec<u8>, number: u64) {
    // Writing into memory cannot fail.
    _ = serde_json::to_writer(out, &number);
}

pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing into memory cannot fail, and no value of ours has keys other than text. A float that
    // is not a number becomes null.
    _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_read_at_a_glance_is_what_the_reader_reads(
            element in r#"[1-9][0-9]{0,20}|[0-9.e-]{1,4}|"[^"]{0,4}"|"\PC{0,4}"?|[{}]{1,2}"#,
            depth in 0_usize..2,
        ) {
            if let Some(value) = plain(element.as_bytes(), depth) {
                prop_assert_eq!(read(element.as_bytes(), depth), Ok(value));
            }
        }
    }

    #[test]
    fn the_usual_elements_are_read_at_a_glance() {
        for element in [
            "48",
            "9007199254740992",
            "{}",
            "\"com.example.add\"",
            "\"\"",
            "\"ä\"",
        ] {
            assert!(plain(element.as_bytes(), 1).is_some(), "{element}");
        }
        for element in [
            "01",
            "1.0",
            "9999999999999999999",
            "\"\\u0000\"",
            "\"a\"b\"",
            "\"",
        ] {
            assert_eq!(plain(element.as_bytes(), 1), None, "{element}");
        }
    }
}
