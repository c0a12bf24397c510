//! A set of keys, and which of them a token is about.

use serde_json::{Map, Value};

use crate::{json, key::Key, quoted};

/// A JSON Web Key Set (RFC 7517, section 5). Issuers put keys of all kinds into one set. A key is
/// read when a token is about it: reading a large one takes as long as checking a signature.
#[derive(Debug)]
pub struct KeySet(Vec<Map<String, Value>>);

impl KeySet {
    /// Reads the text of a set.
    pub fn parse(text: &str) -> Result<Self, String> {
        let set = json::object(text.as_bytes()).map_err(|error| format!("the key set: {error}"))?;
        Self::read(set)
    }

    pub fn read(mut set: Map<String, Value>) -> Result<Self, String> {
        let Some(Value::Array(keys)) = set.remove("keys") else {
            return Err("the key set has no list \"keys\"".into());
        };
        let jwk = |key| match key {
            Value::Object(jwk) => Ok(jwk),
            _ => Err("a key of the key set is not an object".to_owned()),
        };
        keys.into_iter()
            .map(jwk)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The one key that a token is about. A token that names one is about that one, be it good or
    /// bad; another is never tried instead. A token that names none is about the only one that
    /// there is.
    pub fn select(&self, kid: Option<&str>) -> Result<Key, String> {
        let is_it = |jwk: &&Map<String, Value>| match kid {
            Some(kid) => jwk.get("kid").is_some_and(|theirs| theirs == kid),
            None => true,
        };
        let mut usable = Vec::new();
        let mut unusable = None;
        for jwk in self.0.iter().filter(is_it) {
            match Key::from_jwk(jwk) {
                Ok(key) => usable.push(key),
                Err(why) => _ = unusable.get_or_insert(why),
            }
        }
        let which = kid.map_or_else(String::new, |kid| format!(" {}", quoted(kid)));
        match (usable.pop(), usable.len(), unusable) {
            (Some(key), 0, _) => Ok(key),
            (Some(_), more, _) if kid.is_some() => {
                Err(format!("the key set has {} keys{which}", more + 1))
            }
            (Some(_), more, _) => Err(format!(
                "the token names no key, and the key set has {}",
                more + 1
            )),
            (None, _, Some(why)) => Err(format!("the key{which} cannot be used: {why}")),
            (None, _, None) => Err(format!("the key set has no key{which}")),
        }
    }

    /// Whether there is a key in it that signatures can be checked with. The error is what is wrong
    /// with the first.
    pub fn check(&self) -> Result<(), String> {
        let mut why = "it is empty".to_owned();
        for jwk in self.0.iter().rev() {
            match Key::from_jwk(jwk) {
                Ok(_) => return Ok(()),
                Err(reason) => why = reason,
            }
        }
        Err(format!("no key of the key set can be used: {why}"))
    }
}
