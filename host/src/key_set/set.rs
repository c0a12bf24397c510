use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

/// A JSON Web Key Set, of whose keys no more is read than their names. The rest is for the method
/// that checks signatures with them.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, PartialEq, Eq)]
struct Key {
    kid: Option<String>,
    /// As its owner wrote it: were it parsed and written anew, of two members with one name only one
    /// would be left for the method to see.
    jwk: Box<str>,
}

/// Why a text is no key set. It is for who put it there.
#[derive(Debug, Error)]
#[error("it is not a JSON Web Key Set: {0}")]
pub struct NotKeySet(#[from] serde_json::Error);

impl KeySet {
    /// Reads the octets of one.
    pub fn parse(octets: &[u8]) -> Result<Self, NotKeySet> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Jwk {
            kid: Option<String>,
        }
        let Set { keys } = serde_json::from_slice(octets)?;
        let key = |jwk: &RawValue| {
            let Jwk { kid } = serde_json::from_str(jwk.get())?;
            Ok(Key {
                kid,
                jwk: jwk.get().into(),
            })
        };
        keys.into_iter()
            .map(key)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a key has this name.
    pub fn has(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    pub const fn len(&self) -> usize {
        self.0.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of a key set with the keys of this name; with all where none is given.
    pub fn text(&self, kid: Option<&str>) -> String {
        let asked = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let keys: Vec<&str> = self.0.iter().filter(asked).map(|key| &*key.jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

/// A key that was written with its private half must not get into the log.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.kid))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_handed_out_as_they_were_written() {
        let twice = r#"{"kid":"b","x":1,"x":2}"#;
        let text = format!(r#" {{"x":0, "keys" : [{{"kid":"a"}},{twice}, {{"kty":"oct"}}]}} "#);
        let set = KeySet::parse(text.as_bytes()).unwrap();
        assert_eq!(set.len(), 3);
        assert_eq!(
            set.text(None),
            format!(r#"{{"keys":[{{"kid":"a"}},{twice},{{"kty":"oct"}}]}}"#)
        );
        assert_eq!(set.text(Some("b")), format!(r#"{{"keys":[{twice}]}}"#));
        assert_eq!(set.text(Some("c")), r#"{"keys":[]}"#);
        assert!(set.has("a") && !set.has("A") && !set.has(""));
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for text in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":["a"]}"#,
            r#"{"keys":[{"kid":1}]}"#,
            r#"{"keys":[{"kid":"a","kid":"b"}]}"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[]} x"#,
        ] {
            assert!(KeySet::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(KeySet::parse(br#"{"keys":[]}"#).unwrap().is_empty());
    }

    #[test]
    fn what_is_printed_is_names_only() {
        let set = KeySet::parse(br#"{"keys":[{"kid":"a","d":"secret"}]}"#).unwrap();
        assert_eq!(format!("{set:?}"), r#"[Some("a")]"#);
    }
}
