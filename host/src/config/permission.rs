//! What a realm allows its roles.

use std::collections::BTreeSet;

use super::{
    document::{Placed, Reported, Table, values},
    name::RoleName,
    realm::check_role,
    scalar::{Scalar, Word, Written, quoted},
};
use crate::wamp::{Action, Actions, MatchPolicy, Pattern};

/// What a role may do with some URIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// One of the realm's roles.
    pub role: RoleName,
    /// Which URIs.
    pub pattern: Pattern,
    /// Empty: nothing, which takes away what a less specific pattern allows.
    pub allow: Actions,
}

impl Permission {
    /// Takes one `[[permission]]`. `roles` is none where the realm's roles are wrong themselves.
    pub(super) fn take(
        mut table: Table<'_>,
        roles: Option<&BTreeSet<RoleName>>,
    ) -> Result<Self, Reported> {
        let role = table.required::<RoleName>("role");
        let uri = table.required::<Uri>("uri");
        let kind = table.optional::<MatchPolicy>("match");
        let allow = table.required_list::<Action>("allow");

        let role = role.and_then(|Placed { at, value: role }| {
            check_role(at, role.as_str(), roles, table.problems).map(|()| role)
        });
        let kind = kind?.map_or_else(MatchPolicy::default, |found| found.value);
        let uri = uri?;
        let pattern = Pattern::parse(&uri.value.0, kind).map_err(|_| {
            table.problems.report(uri.at, || {
                format!(
                    "\"uri\" is {}; {}",
                    quoted(&uri.value.0),
                    advice(kind, &uri.value.0)
                )
            })
        });
        Ok(Self {
            role: role?,
            pattern: pattern?,
            allow: values(allow?.value).collect(),
        })
    }
}

fn advice(kind: MatchPolicy, uri: &str) -> &'static str {
    match kind {
        MatchPolicy::Exact if Pattern::parse(uri, MatchPolicy::Prefix).is_ok() => {
            "that is no whole URI: did you mean match = \"prefix\"?"
        }
        MatchPolicy::Exact if Pattern::parse(uri, MatchPolicy::Wildcard).is_ok() => {
            "that is no whole URI: did you mean match = \"wildcard\"?"
        }
        MatchPolicy::Exact => "it must be a URI, such as \"com.example.add\"",
        MatchPolicy::Prefix => "it must be the beginning of a URI, such as \"com.example.\"",
        MatchPolicy::Wildcard => {
            "it must be a URI in which components are empty, such as \"com..add\""
        }
    }
}

impl Word for MatchPolicy {
    const FORM: &'static str = r#"one of "exact", "prefix", "wildcard""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("exact", Self::Exact),
        ("prefix", Self::Prefix),
        ("wildcard", Self::Wildcard),
    ];
}

impl Word for Action {
    const FORM: &'static str = r#"one of "call", "register", "subscribe", "publish""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("call", Self::Call),
        ("register", Self::Register),
        ("subscribe", Self::Subscribe),
        ("publish", Self::Publish),
    ];
}

/// A permission's `uri`, before `match` says by which rule it is judged.
struct Uri(String);

impl Scalar for Uri {
    const FORM: &'static str = "a URI or a part of one, such as \"com.example.\"";

    fn read(written: &Written<'_>) -> Option<Self> {
        written.text().map(|text| Self(text.to_owned()))
    }
}
