mod scan;

use serde::{Serialize, de::DeserializeSeed};

use super::{Kind, Malformed, Plain};
use crate::{Value, value::AtMost};

pub(super) use scan::split;

pub(super) fn kind(element: &[u8]) -> Kind {
    match element.first() {
        Some(b'[') => Kind::List,
        Some(b'{') => Kind::Dict,
        _ => Kind::Other,
    }
}

/// A number, an empty dictionary, a text without escapes.
pub(super) fn plain(element: &[u8]) -> Option<Plain<'_>> {
    /// Fewer than the largest `u64` has.
    const MOST_DIGITS: usize = 19;
    match element {
        b"{}" => Some(Plain::EmptyDict),
        [b'1'..=b'9', ..] if element.len() <= MOST_DIGITS => element
            .iter()
            .try_fold(0, |number, octet| {
                let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
                Some(number * 10 + digit)
            })
            .map(Plain::Unsigned),
        [b'"', text @ .., b'"'] if scan::until_special(text) == text.len() => {
            std::str::from_utf8(text).ok().map(Plain::Text)
        }
        _ => None,
    }
}

/// Reads one element, nested at most `depth` deep.
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
        ) {
            if let Some(plain) = plain(element.as_bytes()) {
                prop_assert_eq!(value(element.as_bytes(), 1), Ok(plain.into()));
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
            assert!(plain(element.as_bytes()).is_some(), "{element}");
        }
        for element in [
            "01",
            "1.0",
            "99999999999999999999",
            "\"\\u0000\"",
            "\"a\"b\"",
            "\"",
        ] {
            assert_eq!(plain(element.as_bytes()), None, "{element}");
        }
    }
}
