use std::sync::Arc;

use super::{Authid, Denial, Refusal};
use crate::wamp::{Dict, Value};

/// HELLO, read once.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) realm: Arc<str>,
    pub(super) authid: Option<Authid>,
    pub(super) authmethods: Vec<String>,
    pub(super) authextra: Arc<str>,
    pub(super) roles: Dict,
    pub(super) wants_cookie: bool,
}

impl Hello {
    pub(super) fn read(realm: &str, mut details: Dict) -> Result<Self, Denial> {
        let malformed = |key: &str, expected: &str| Denial {
            refusal: Refusal::ProtocolViolation,
            why: format!("HELLO.Details.{key} is not {expected}"),
        };
        let Some(Value::Dict(roles)) = details.remove("roles") else {
            return Err(malformed("roles", "a dictionary"));
        };
        let authid = match details.remove("authid") {
            None | Some(Value::Null) => None,
            // xconn sends an empty authid where it has none.
            Some(Value::Text(text)) if text.is_empty() => None,
            Some(Value::Text(text)) => Some(Authid::parse(&text).map_err(|error| Denial {
                refusal: Refusal::Denied,
                why: error.to_string(),
            })?),
            Some(_) => return Err(malformed("authid", "text")),
        };
        let authmethods = match details.remove("authmethods") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(methods)) => methods
                .into_iter()
                .map(|method| match method {
                    Value::Text(method) => Ok(method),
                    _ => Err(malformed("authmethods", "a list of texts")),
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(malformed("authmethods", "a list")),
        };
        let authextra = match details.remove("authextra") {
            None | Some(Value::Null) => Dict::new(),
            Some(Value::Dict(authextra)) => authextra,
            Some(_) => return Err(malformed("authextra", "a dictionary")),
        };
        Ok(Self {
            realm: realm.into(),
            authid,
            // A client that announces nothing asks to come in without a name: autobahn's anonymous
            // login looks like this. Whether it may is the realm's to say, as with any method.
            authmethods: if authmethods.is_empty() {
                vec!["anonymous".to_owned()]
            } else {
                authmethods
            },
            wants_cookie: authextra.value("cookie") == Some(&Value::Bool(true)),
            authextra: authextra.to_json().into(),
            roles,
        })
        // What else is in `details` is dropped here: a `transport` that a client claims to have
        // reaches nobody.
    }
}
