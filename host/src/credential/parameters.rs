use std::fmt;

use serde_json::{Map, Value};

/// What a client may need in order to answer, as one JSON object: for `wampcra` that is `salt`,
/// `iterations` and `keylen`, or nothing. Never a secret.
///
/// The text is always what our serializer writes, so that neither spacing nor the order of members
/// tells a decoy from an imported credential.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters(Box<str>);

/// The text is not one JSON object.
#[derive(Debug, thiserror::Error)]
#[error("the parameters of a credential are not a JSON object: {0}")]
pub struct ParametersError(#[from] serde_json::Error);

impl Parameters {
    /// `{}`
    #[must_use]
    pub fn none() -> Self {
        Self("{}".into())
    }

    /// Reads any JSON object.
    ///
    /// # Errors
    /// For text that is something else.
    pub fn parse(text: &str) -> Result<Self, ParametersError> {
        if text == "{}" {
            return Ok(Self::none());
        }
        Ok(Self::from(serde_json::from_str::<Map<String, Value>>(
            text,
        )?))
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same object with other values for its salts. Members named `salt` differ from one
    /// credential to the next; all others (numbers, names of functions) are the realm's custom.
    pub(super) fn with_salt(&self, salt_like: impl Fn(&str) -> String) -> Self {
        // The text was written by `From<Map>`, so it parses; were it not to, `{}` is a safe answer.
        let mut members: Map<String, Value> = serde_json::from_str(&self.0).unwrap_or_default();
        if let Some(Value::String(salt)) = members.get_mut("salt") {
            *salt = salt_like(salt);
        }
        Self::from(members)
    }
}

impl From<Map<String, Value>> for Parameters {
    fn from(members: Map<String, Value>) -> Self {
        Self(Value::Object(members).to_string().into())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
