//! What the procedure says of the client.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who the client is, and what it may be.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) authid: String,
    pub(crate) role: String,
    /// For the client, in WELCOME.
    pub(crate) extra: Map<String, Value>,
}

impl Principal {
    /// Reads a role, or a dictionary. `realm`, `authid` and `role` are what holds where it says
    /// nothing else; members that nobody here knows are passed over, as authenticators return whole
    /// records of their databases.
    ///
    /// # Errors
    ///
    /// What it is instead, to stand after "returned". No value is repeated: it may be a secret.
    pub(crate) fn read(
        said: Value,
        realm: &str,
        authid: Option<String>,
        role: Option<&str>,
    ) -> Result<Self, String> {
        let mut said = match said {
            Value::String(role) => Map::from_iter([("role".to_owned(), Value::String(role))]),
            Value::Object(said) => said,
            other => {
                return Err(format!(
                    "{}, which is neither a role nor a dictionary",
                    kind(&other)
                ));
            }
        };
        if let Some(other) = text(&mut said, "realm")?
            && other != realm
        {
            return Err(format!(
                "the realm {other:?}: a client joins the realm that it asked for, or none"
            ));
        }
        let authid = text(&mut said, "authid")?.or(authid);
        let role = text(&mut said, "role")?.or_else(|| role.map(str::to_owned));
        let extra = match said.remove("extra") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(extra)) => extra,
            Some(other) => return Err(format!("{} as \"extra\", not a dictionary", kind(&other))),
        };
        Ok(Self {
            authid: authid.ok_or("no \"authid\", and the client gave none")?,
            role: role.ok_or("no \"role\", and the settings name none")?,
            extra,
        })
    }
}

/// A member that is text, if it is there. Empty is a mistake: it never means anything.
fn text(said: &mut Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match said.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(Value::String(_)) => Err(format!("an empty \"{key}\"")),
        Some(other) => Err(format!("{} as \"{key}\", not text", kind(&other))),
    }
}

pub(crate) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a dictionary",
    }
}
