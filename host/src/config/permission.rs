//! What a realm allows its roles.

use std::collections::BTreeSet;

use super::{
    document::{Placed, Reported, Table, values},
    name::RoleName,
    pattern::{Match, Pattern},
    realm::check_role,
    scalar::{Scalar, Word, Written, quoted},
};

/// What a role may do with some URIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// One of the realm's roles.
    pub role: RoleName,
    /// Which URIs.
    pub pattern: Pattern,
    /// Empty: nothing, which takes away what a less specific pattern allows.
    pub allow: ActionSet,
}

/// What a session does with a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// To call a procedure.
    Call = 1,
    /// To offer a procedure.
    Register = 2,
    /// To receive a topic's events.
    Subscribe = 4,
    /// To send a topic's events.
    Publish = 8,
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActionSet(u8);

impl ActionSet {
    /// Whether the action is in the set.
    #[must_use]
    pub fn contains(self, action: Action) -> bool {
        self.0 & action as u8 != 0
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(
            actions
                .into_iter()
                .fold(0, |set, action| set | action as u8),
        )
    }
}

impl Permission {
    /// Takes one `[[permission]]`. `roles` is none where the realm's roles are wrong themselves.
    pub(super) fn take(
        mut table: Table<'_>,
        roles: Option<&BTreeSet<RoleName>>,
    ) -> Result<Self, Reported> {
        let role = table.required::<RoleName>("role");
        let uri = table.required::<Uri>("uri");
        let kind = table.optional::<Match>("match");
        let allow = table.required_list::<Action>("allow");

        let role = role.and_then(|Placed { at, value: role }| {
            check_role(at, role.as_str(), roles, table.problems).map(|()| role)
        });
        let kind = kind?.map_or_else(Match::default, |found| found.value);
        let uri = uri?;
        let pattern = Pattern::new(kind, &uri.value.0).ok_or_else(|| {
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

fn advice(kind: Match, uri: &str) -> &'static str {
    match kind {
        Match::Exact if Pattern::new(Match::Prefix, uri).is_some() => {
            "that is no whole URI: did you mean match = \"prefix\"?"
        }
        Match::Exact if Pattern::new(Match::Wildcard, uri).is_some() => {
            "that is no whole URI: did you mean match = \"wildcard\"?"
        }
        Match::Exact => "it must be a URI, such as \"com.example.add\"",
        Match::Prefix => "it must be the beginning of a URI, such as \"com.example.\"",
        Match::Wildcard => "it must be a URI in which components are empty, such as \"com..add\"",
    }
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
