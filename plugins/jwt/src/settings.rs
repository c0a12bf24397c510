//! What a realm says under `settings`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::key_set::KeySet;

/// More would be no tolerance for clocks any more.
const LONGEST_LEEWAY: u64 = 300;

/// Where the keys are.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Value")]
pub enum Keys {
    /// In one of the realm's key sets.
    Named(String),
    /// Here.
    Inline(Map<String, Value>),
}

impl TryFrom<Value> for Keys {
    type Error = &'static str;

    fn try_from(written: Value) -> Result<Self, Self::Error> {
        match written {
            Value::String(name) => Ok(Self::Named(name)),
            Value::Object(set) => Ok(Self::Inline(set)),
            _ => Err("it must be the name of a key set, or a key set: a table with a list `keys`"),
        }
    }
}

/// The way to a claim: its name, or the names on the way to one that is inside others. A name can
/// have any characters, so it is never taken apart.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Value")]
pub struct Path(Vec<String>);

impl TryFrom<Value> for Path {
    type Error = &'static str;

    fn try_from(written: Value) -> Result<Self, Self::Error> {
        const FORM: &str = "it must be a claim's name, or a list of names that leads to it";
        let names = match written {
            Value::String(name) => vec![name],
            Value::Array(names) => names
                .into_iter()
                .map(|name| match name {
                    Value::String(name) => Ok(name),
                    _ => Err(FORM),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(FORM),
        };
        if names.is_empty() {
            return Err(FORM);
        }
        Ok(Self(names))
    }
}

impl Path {
    pub fn subject() -> Self {
        Self(vec!["sub".into()])
    }

    /// The claim that it leads to.
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, name| {
            value.as_object()?.get(name)
        })
    }

    /// Whether it is a list of words with spaces between them (RFC 8693, section 4.2).
    fn is_scope(&self) -> bool {
        matches!(&*self.0, [name] if name == "scope")
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.join(" → "))
    }
}

/// A role for those whose token has a certain value in a claim.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    claim: Path,
    value: String,
    pub role: String,
}

impl Rule {
    /// Whether the claim is the value, or a list with the value in it.
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        match self.claim.find(claims) {
            Some(Value::String(words)) if self.claim.is_scope() => {
                words.split(' ').any(|word| word == self.value)
            }
            Some(Value::String(value)) => *value == self.value,
            Some(Value::Array(values)) => values.iter().any(|value| *value == self.value),
            _ => false,
        }
    }
}

/// Refuses what the types of the settings let through.
pub fn check(jwt: &crate::Jwt) -> Result<(), String> {
    for (name, value) in [("issuer", &jwt.issuer), ("audience", &jwt.audience)] {
        if value.is_empty() {
            return Err(format!("`{name}` is empty"));
        }
    }
    if jwt.leeway > LONGEST_LEEWAY {
        return Err(format!(
            "`leeway`: {} seconds; 0 to {LONGEST_LEEWAY} are possible",
            jwt.leeway
        ));
    }
    if jwt.role.is_none() && jwt.roles.is_empty() {
        return Err("nobody would get a role: say `role` for all, or `roles` by claims".into());
    }
    match &jwt.keys {
        Keys::Inline(set) => {
            let set = KeySet::read(set.clone()).and_then(|set| set.check());
            set.map_err(|why| format!("`keys`: {why}"))
        }
        Keys::Named(_) => Ok(()),
    }
}
