use minicbor::{Decoder, Encoder, data::Type};
use serde::Serialize;

use super::{
    Kind, Malformed,
    walk::{BinaryFormat, Head, big_endian, leaf},
};
use crate::{Dict, Value};

pub(super) struct Format;

// RFC 8949, section 3: the first octet is a major type (3 bits) and additional information (5).
const MAJOR_BINARY: u8 = 2;
const MAJOR_TEXT: u8 = 3;
const MAJOR_ARRAY: u8 = 4;
const MAJOR_MAP: u8 = 5;
const MAJOR_TAG: u8 = 6;
const MAJOR_SIMPLE: u8 = 7;
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

impl BinaryFormat for Format {
    fn head(input: &[u8], position: usize) -> Result<Head, Malformed> {
        let initial = *input.get(position).ok_or(Malformed::Syntax)?;
        let (major, info, next) = (initial >> 5, initial & 0x1f, position + 1);
        if initial == BREAK {
            return Ok(Head::Break(next));
        }
        if info == INDEFINITE {
            return match major {
                // The pieces of a string are strings of definite length; reading the value checks
                // that.
                MAJOR_BINARY | MAJOR_TEXT | MAJOR_ARRAY => Ok(Head::Open { next, pairs: false }),
                MAJOR_MAP => Ok(Head::Open { next, pairs: true }),
                _ => Err(Malformed::Syntax),
            };
        }
        let (argument, next) = match info {
            0..=23 => (u64::from(info), next),
            24 => big_endian(input, next, 1)?,
            25 => big_endian(input, next, 2)?,
            26 => big_endian(input, next, 4)?,
            27 => big_endian(input, next, 8)?,
            _ => return Err(Malformed::Syntax),
        };
        match major {
            MAJOR_BINARY | MAJOR_TEXT => leaf(input, next, argument),
            MAJOR_ARRAY => Ok(Head::Items {
                next,
                count: argument,
            }),
            MAJOR_MAP => argument
                .checked_mul(2)
                .map(|count| Head::Items { next, count })
                .ok_or(Malformed::Syntax),
            MAJOR_TAG => Ok(Head::Prefix(next)),
            // Integers and simple values: the argument is the value, or the end of it.
            0 | 1 | MAJOR_SIMPLE => Ok(Head::Leaf(next)),
            _ => Err(Malformed::Syntax),
        }
    }

    fn array(input: &[u8]) -> Result<(Option<u64>, usize), Malformed> {
        if kind(input) != Kind::List {
            return Err(Malformed::Syntax);
        }
        match Self::head(input, 0)? {
            Head::Items { next, count } => Ok((Some(count), next)),
            Head::Open { next, .. } => Ok((None, next)),
            _ => Err(Malformed::Syntax),
        }
    }
}

pub(super) fn kind(element: &[u8]) -> Kind {
    match element.first().map(|initial| initial >> 5) {
        Some(MAJOR_ARRAY) => Kind::List,
        Some(MAJOR_MAP) => Kind::Dict,
        _ => Kind::Other,
    }
}

/// By hand, since clients send more of CBOR than serde's binding takes: wampy.js sends `undefined`,
/// and some encoders half-precision floats and tags.
pub(super) fn value(element: &[u8], depth: usize) -> Result<Value, Malformed> {
    let mut decoder = Decoder::new(element);
    let value = read(&mut decoder, depth)?;
    if decoder.position() == element.len() {
        Ok(value)
    } else {
        Err(Malformed::Syntax)
    }
}

fn read(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, Malformed> {
    Ok(match decoder.datatype()? {
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::Bool => Value::Bool(decoder.bool()?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => Value::from(decoder.u64()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => Value::Int(decoder.i64()?),
        Type::F16 => Value::Float(decoder.f16()?.into()),
        Type::F32 => Value::Float(decoder.f32()?.into()),
        Type::F64 => Value::Float(decoder.f64()?),
        Type::String | Type::StringIndef => Value::Text(text(decoder)?),
        Type::Bytes | Type::BytesIndef => {
            let pieces: Vec<&[u8]> = decoder.bytes_iter()?.collect::<Result<_, _>>()?;
            Value::Binary(pieces.concat())
        }
        Type::Array | Type::ArrayIndef => {
            let inside = depth.checked_sub(1).ok_or(Malformed::TooDeep)?;
            let mut left = decoder.array()?;
            let mut list = Vec::new();
            while next(decoder, &mut left)? {
                list.push(read(decoder, inside)?);
            }
            Value::List(list)
        }
        Type::Map | Type::MapIndef => {
            let inside = depth.checked_sub(1).ok_or(Malformed::TooDeep)?;
            let mut left = decoder.map()?;
            let mut dict = Dict::new();
            while next(decoder, &mut left)? {
                let key = text(decoder)?;
                dict.insert(key, read(decoder, inside)?);
            }
            Value::Dict(dict)
        }
        // What a tag says of a value is between the clients; the router passes the value on.
        Type::Tag => {
            decoder.tag()?;
            let inside = depth.checked_sub(1).ok_or(Malformed::TooDeep)?;
            read(decoder, inside)?
        }
        // Integers beyond 64 bits, simple values without a meaning, and a break out of place.
        Type::Int | Type::Simple | Type::Break | Type::Unknown(_) => {
            return Err(Malformed::WrongType);
        }
    })
}

fn text(decoder: &mut Decoder<'_>) -> Result<String, Malformed> {
    Ok(decoder.str_iter()?.collect::<Result<_, _>>()?)
}

/// Whether another item of an array or a map follows. `left`: how many, none up to a break.
fn next(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, Malformed> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Syntax
    }
}

// Writing into memory cannot fail; hence the results that are dropped below.

pub(super) fn array(out: &mut Vec<u8>, elements: u32) {
    _ = Encoder::new(out).array(elements.into());
}

pub(super) fn unsigned(out: &mut Vec<u8>, number: u64) {
    _ = Encoder::new(out).u64(number);
}

pub(super) fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let mut writer = minicbor_serde::Serializer::new(out);
    // WAMP knows null; CBOR's serde binding would write an empty array for it.
    writer.serialize_unit_as_null(true);
    _ = value.serialize(&mut writer);
}
