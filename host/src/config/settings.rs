//! What a realm says to a method, in words that only the method knows.

use std::fmt;

use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    document::{Problems, Reported, all},
    scalar::integer,
};

/// A method's settings: a JSON object. There may be a secret among them, so `Debug` shows the keys
/// only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(Map<String, Value>);

impl Settings {
    /// The text of the JSON object, keys in order: the same settings give the same text.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The object.
    #[must_use]
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(super) fn read(table: DeTable<'_>, problems: &Problems) -> Result<Self, Reported> {
        object(table, problems).map(Self)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The setting `role` and where it stands. By convention it names one of the realm's roles, in any
/// method.
pub(super) fn role<'a>(table: &'a DeTable<'_>) -> Option<(usize, &'a str)> {
    let role = table.get("role")?;
    Some((role.span().start, role.get_ref().as_str()?))
}

fn object(table: DeTable<'_>, problems: &Problems) -> Result<Map<String, Value>, Reported> {
    all(table
        .into_iter()
        .map(|(key, value)| Ok((key.into_inner().into_owned(), json(value, problems)?))))
}

/// The parser has bounded the depth (80), so recursion is bounded too.
fn json(value: Spanned<DeValue<'_>>, problems: &Problems) -> Result<Value, Reported> {
    let at = value.span().start;
    let refused = |what: &str| {
        Err(problems.report(at, || {
            format!("a method gets its settings as JSON, which has no {what}; write a string")
        }))
    };
    match value.into_inner() {
        DeValue::String(text) => Ok(Value::String(text.into_owned())),
        DeValue::Boolean(value) => Ok(Value::Bool(value)),
        DeValue::Integer(number) => match integer(&DeValue::Integer(number)) {
            Some(number) => Ok(Value::Number(number.into())),
            None => refused("integers of more than 64 bits"),
        },
        DeValue::Float(number) => match number.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Ok(Value::Number(number)),
            None => refused("infinity and no NaN"),
        },
        DeValue::Datetime(_) => refused("dates"),
        DeValue::Array(items) => {
            all(items.into_iter().map(|item| json(item, problems))).map(Value::Array)
        }
        DeValue::Table(table) => object(table, problems).map(Value::Object),
    }
}
