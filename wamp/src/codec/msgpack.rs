use rmp::Marker;
use serde::{Serialize, de::DeserializeSeed};

use super::{
    Kind, Malformed, Plain,
    walk::{BinaryFormat, Head, big_endian, leaf},
};
use crate::{Value, value::AtMost};

pub(super) struct Format;

impl BinaryFormat for Format {
    fn head(input: &[u8], position: usize) -> Result<Head, Malformed> {
        let next = position + 1;
        // A length of so many octets, then that many octets and `extra` more.
        let sized = |octets, extra| {
            let (length, next) = big_endian(input, next, octets)?;
            leaf(input, next, length + extra)
        };
        let items = |octets, each| {
            let (count, next) = big_endian(input, next, octets)?;
            Ok(Head::Items {
                next,
                count: count * each,
            })
        };
        match marker(input, position)? {
            Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => {
                Ok(Head::Leaf(next))
            }
            Marker::U8 | Marker::I8 => leaf(input, next, 1),
            Marker::U16 | Marker::I16 | Marker::FixExt1 => leaf(input, next, 2),
            Marker::FixExt2 => leaf(input, next, 3),
            Marker::U32 | Marker::I32 | Marker::F32 => leaf(input, next, 4),
            Marker::FixExt4 => leaf(input, next, 5),
            Marker::U64 | Marker::I64 | Marker::F64 => leaf(input, next, 8),
            Marker::FixExt8 => leaf(input, next, 9),
            Marker::FixExt16 => leaf(input, next, 17),
            Marker::FixStr(length) => leaf(input, next, length.into()),
            Marker::Str8 | Marker::Bin8 => sized(1, 0),
            Marker::Str16 | Marker::Bin16 => sized(2, 0),
            Marker::Str32 | Marker::Bin32 => sized(4, 0),
            Marker::Ext8 => sized(1, 1),
            Marker::Ext16 => sized(2, 1),
            Marker::Ext32 => sized(4, 1),
            Marker::FixArray(count) => Ok(Head::Items {
                next,
                count: count.into(),
            }),
            Marker::FixMap(count) => Ok(Head::Items {
                next,
                count: u64::from(count) * 2,
            }),
            Marker::Array16 => items(2, 1),
            Marker::Array32 => items(4, 1),
            Marker::Map16 => items(2, 2),
            Marker::Map32 => items(4, 2),
            Marker::Reserved => Err(Malformed::Syntax),
        }
    }

    fn array(input: &[u8]) -> Result<(Option<u64>, usize), Malformed> {
        if kind(input) != Kind::List {
            return Err(Malformed::Syntax);
        }
        match Self::head(input, 0)? {
            Head::Items { next, count } => Ok((Some(count), next)),
            _ => Err(Malformed::Syntax),
        }
    }
}

fn marker(input: &[u8], position: usize) -> Result<Marker, Malformed> {
    input
        .get(position)
        .copied()
        .map(Marker::from_u8)
        .ok_or(Malformed::Syntax)
}

pub(super) fn kind(element: &[u8]) -> Kind {
    match marker(element, 0) {
        Ok(Marker::FixArray(_) | Marker::Array16 | Marker::Array32) => Kind::List,
        Ok(Marker::FixMap(_) | Marker::Map16 | Marker::Map32) => Kind::Dict,
        _ => Kind::Other,
    }
}

/// A number, an empty dictionary, a short text.
pub(super) fn plain(element: &[u8]) -> Option<Plain<'_>> {
    let (first, rest) = element.split_first()?;
    let width = match Marker::from_u8(*first) {
        Marker::FixPos(number) if rest.is_empty() => return Some(Plain::Unsigned(number.into())),
        Marker::FixMap(0) if rest.is_empty() => return Some(Plain::EmptyDict),
        Marker::FixStr(length) if rest.len() == usize::from(length) => {
            return std::str::from_utf8(rest).ok().map(Plain::Text);
        }
        Marker::U8 => 1,
        Marker::U16 => 2,
        Marker::U32 => 4,
        Marker::U64 => 8,
        _ => return None,
    };
    let (number, end) = big_endian(element, 1, width).ok()?;
    (end == element.len()).then_some(Plain::Unsigned(number))
}

/// Reads one element, nested at most `depth` deep.
pub(super) fn value(element: &[u8], depth: usize) -> Result<Value, Malformed> {
    let mut rest = element;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    let value = AtMost(depth)
        .deserialize(&mut reader)
        .map_err(|_| Malformed::Syntax)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(Malformed::Syntax)
    }
}

// Writing into memory cannot fail; hence the results that are dropped below.

pub(super) fn array(out: &mut Vec<u8>, elements: u32) {
    _ = rmp::encode::write_array_len(out, elements);
}

pub(super) fn unsigned(out: &mut Vec<u8>, number: u64) {
    _ = rmp::encode::write_uint(out, number);
}

pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    _ = value.serialize(&mut rmp_serde::Serializer::new(out));
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};

    use super::*;
    use crate::Dict;

    proptest! {
        #[test]
        fn what_is_read_at_a_glance_is_what_the_reader_reads(
            element in collection::vec(any::<u8>(), 1..12),
        ) {
            if let Some(plain) = plain(&element) {
                prop_assert_eq!(value(&element, 1), Ok(plain.into()));
            }
        }
    }

    #[test]
    fn the_usual_elements_are_read_at_a_glance() {
        let usual = [
            Value::from(48),
            Value::from(9_007_199_254_740_992),
            Dict::new().into(),
            "com.example.add".into(),
        ];
        for value in usual {
            let mut element = Vec::new();
            write(&mut element, &value);
            assert_eq!(plain(&element).map(Value::from), Some(value));
        }
    }
}
