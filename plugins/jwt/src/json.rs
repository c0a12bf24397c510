//! JSON that has one meaning only.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Reads the octets of one JSON object. An object with two members of one name is refused, at any
/// depth: whoever signed it and whoever reads it might mean different ones.
pub fn object(octets: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    match serde_json::from_slice(octets)? {
        Unambiguous(Value::Object(members)) => Ok(members),
        Unambiguous(_) => Err(serde_json::Error::custom("it is not an object")),
    }
}

struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(read.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some((name, Unambiguous(value))) = members.next_entry::<String, _>()? {
            if read.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "two members are called {}",
                    crate::quoted(&name)
                )));
            }
            read.insert(name, value);
        }
        Ok(read.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_is_read_as_it_is() {
        let text = br#"{ "a": [1, -2, 0.5, true, null, "\u00e4"], "b": { "a": {} }, "": 18446744073709551615 }"#;
        let read = Value::Object(object(text).unwrap());
        let expected =
            json!({ "a": [1, -2, 0.5, true, null, "ä"], "b": { "a": {} }, "": u64::MAX });
        assert_eq!(read, expected);
    }

    #[test]
    fn two_members_of_one_name_are_refused_at_any_depth() {
        for text in [
            r#"{"alg":"RS256","alg":"RS256"}"#,
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
            r#"{"a":[{"b":1,"c":2,"b":1}]}"#,
        ] {
            let error = object(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("two members are called"), "{error}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "[]",
            "null",
            "{} {}",
            "{",
            "{'a':1}",
            "\"{}\"",
            "\u{feff}{}",
        ] {
            assert!(object(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
        // As deep as serde_json goes, and no deeper: the instance's stack is not the limit.
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(4000), "]".repeat(4000));
        assert!(object(deep.as_bytes()).is_err());
    }
}
