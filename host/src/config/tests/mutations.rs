//! T24: each key of a file, taken out, misspelt, given another type, or written twice.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::{
    FULL_OPERATOR, FULL_REALM, operator,
    permissive::{wider_operator, wider_realm},
    realm,
};
use crate::config::ConfigError;

/// What restricts by being there, and can be lost in one way only: by being taken out, with its name or
/// with a table around it.
const REALM_RESTRICTS: &[&str] = &[
    "cleartext",
    "cookie.longest",
    "key_set.id.keep",
    "limits",
    "limits.calls",
    "limits.logins",
    "limits.queue",
    "limits.wait",
    "longest_session",
    "method",
    "method.ticket",
    "method.ticket.component",
    "method.ticket.procedures.timeout",
    "method.totp",
    "method.totp.cleartext",
    "method.totp.component",
    "method.totp.conform",
    "method.totp.digest",
    "method.totp.guesses",
    "method.totp.guesses.first_step",
    "method.totp.guesses.longest",
    "method.totp.guesses.most",
    "method.totp.guesses.total",
    "method.totp.limits",
    "method.totp.limits.handles",
    "method.totp.limits.host_calls",
    "method.totp.limits.input",
    "method.totp.limits.log",
    "method.totp.limits.memory",
    "method.totp.limits.output",
    "method.totp.limits.passwords",
    "method.totp.limits.requests",
    "method.totp.limits.rounds",
    "method.totp.limits.state",
    "method.totp.limits.time",
    "method.totp.limits.wall",
    "roles.requires",
];
/// The same of the operator's.
const OPERATOR_RESTRICTS: &[&str] = &[
    "audit",
    "audit.sync",
    "egress",
    "egress.origins",
    "egress.parallel",
    "egress.response_size",
    "egress.time",
    "limits",
    "limits.call",
    "limits.call.passwords",
    "limits.call.time",
    "limits.realm",
    "limits.realm.calls",
    "listener.origins",
    "listener.protocols",
    "listener.tls",
    "listener.tls.client_certificate",
    "login",
    "login.hello",
    "login.round",
    "login.rounds",
    "login.waiting",
    "methods",
    "methods.compile_memory",
    "methods.compile_time",
    "methods.conform",
    "methods.signers",
    "session",
    "session.queue",
];

/// A file's contents.
#[derive(Clone)]
enum Tree {
    /// As it is written.
    Scalar(String),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

/// Something of another type, whatever it stands in place of.
const OTHERS: [&str; 7] = ["true", "7", "1.5", "\"x\"", "2020-01-01", "[]", "{}"];

impl Tree {
    fn of(text: &str) -> Self {
        let table = DeTable::parse(text).expect("TOML").into_inner();
        Self::of_table(text, &table)
    }

    fn of_table(text: &str, table: &DeTable<'_>) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let value = Self::of_value(text, value.get_ref(), &value.span());
            (key.get_ref().clone().into_owned(), value)
        });
        Self::Table(entries.collect())
    }

    fn of_value(text: &str, value: &DeValue<'_>, span: &std::ops::Range<usize>) -> Self {
        match value {
            DeValue::Table(table) => Self::of_table(text, table),
            DeValue::Array(items) => {
                let items = items.iter();
                Self::List(
                    items
                        .map(|item| Self::of_value(text, item.get_ref(), &item.span()))
                        .collect(),
                )
            }
            _ => Self::Scalar(text[span.clone()].to_owned()),
        }
    }

    /// The file, with an entry a line.
    fn file(&self) -> String {
        let Self::Table(entries) = self else {
            panic!("a file is a table")
        };
        entries.iter().map(|entry| line(entry) + "\n").collect()
    }

    fn inline(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::inline).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Table(entries) => {
                let entries: Vec<_> = entries.iter().map(line).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    /// Whether this text would be a value of the same type.
    fn is_like(&self, text: &str) -> bool {
        match self {
            Self::List(_) => text == "[]",
            Self::Table(_) => text == "{}",
            Self::Scalar(own) => {
                let kind = |text: &str| match text.as_bytes() {
                    [b'"' | b'\'', ..] => "text",
                    [b't' | b'f', ..] => "truth",
                    _ if text.contains('-') && text.len() == 10 => "date",
                    _ if text.contains('.') => "fraction",
                    [b'0'..=b'9' | b'-', ..] => "number",
                    _ => "none of these",
                };
                kind(own) == kind(text)
            }
        }
    }

    /// Every entry of every table, by its place: how to get to it from the top.
    fn places(&self) -> Vec<Vec<usize>> {
        let children: Vec<(bool, &Self)> = match self {
            Self::Scalar(_) => Vec::new(),
            Self::List(items) => items.iter().map(|item| (false, item)).collect(),
            // A method's own words are not ours to know.
            Self::Table(entries) => entries
                .iter()
                .map(|(key, value)| (true, if key == "settings" { &NOTHING } else { value }))
                .collect(),
        };
        let mut places = Vec::new();
        for (index, (is_entry, child)) in children.into_iter().enumerate() {
            if is_entry {
                places.push(vec![index]);
            }
            let below = child.places().into_iter();
            places.extend(below.map(|place| [vec![index], place].concat()));
        }
        places
    }

    fn child(&mut self, index: usize) -> &mut Self {
        match self {
            Self::Scalar(text) => panic!("nothing is in {text}"),
            Self::List(items) => &mut items[index],
            Self::Table(entries) => &mut entries[index].1,
        }
    }

    /// The same with something done to an entry of a table.
    fn with(&self, place: &[usize], change: impl FnOnce(&mut Vec<(String, Self)>, usize)) -> Self {
        let mut changed = self.clone();
        let (last, way) = place.split_last().expect("a place");
        let table = way
            .iter()
            .fold(&mut changed, |tree, index| tree.child(*index));
        let Self::Table(entries) = table else {
            panic!("an entry is in a table")
        };
        change(entries, *last);
        changed
    }

    /// The keys on the way to a place.
    fn path(&self, place: &[usize]) -> String {
        let mut keys = Vec::new();
        let mut tree = self;
        for index in place {
            tree = match tree {
                Self::Scalar(text) => panic!("nothing is in {text}"),
                Self::List(items) => &items[*index],
                Self::Table(entries) => {
                    let (key, value) = &entries[*index];
                    keys.push(key.as_str());
                    value
                }
            };
        }
        keys.join(".")
    }
}

static NOTHING: Tree = Tree::List(Vec::new());

fn line((key, value): &(String, Tree)) -> String {
    format!("{key:?} = {}", value.inline())
}

/// What becomes of a changed text: in which respects it lets more happen, or why it is refused.
type Judge = fn(&str) -> Result<BTreeSet<&'static str>, ConfigError>;

fn judge_realm(text: &str) -> Result<BTreeSet<&'static str>, ConfigError> {
    let original = realm(FULL_REALM).expect("it is right");
    realm(text).map(|changed| wider_realm(&changed, &original))
}

fn judge_operator(text: &str) -> Result<BTreeSet<&'static str>, ConfigError> {
    let original = operator(FULL_OPERATOR).expect("it is right");
    operator(text).map(|changed| wider_operator(&changed, &original))
}

/// Checks each entry of a file. Returns those that may be taken out and restricted something.
fn check(text: &str, judge: Judge) -> BTreeSet<String> {
    let tree = Tree::of(text);
    let same = judge(&tree.file()).expect("it says the same");
    assert_eq!(same, BTreeSet::new());

    let mut restrict = BTreeSet::new();
    for place in tree.places() {
        let path = tree.path(&place);
        let key = path.rsplit('.').next().unwrap_or_default().to_owned();
        // What names the key, or stands where it does.
        let is_told = |error: &ConfigError, key: &str, how: &str| {
            let error = error.to_string();
            assert!(error.contains(key), "{path} {how}: {error}");
        };
        let gone = tree.with(&place, |entries, at| drop(entries.remove(at)));
        match judge(&gone.file()) {
            Ok(wider) if wider.is_empty() => {}
            Ok(_) => _ = restrict.insert(path.clone()),
            Err(error) => is_told(&error, &key, "is gone"),
        }

        let misspelt = format!("{key}x");
        let other = tree.with(&place, |entries, at| entries[at].0.clone_from(&misspelt));
        match judge(&other.file()) {
            // It is a name, and another one is as good.
            Ok(wider) => assert!(
                path.starts_with("key_set.") && wider.is_empty(),
                "{path} misspelt: {wider:?}"
            ),
            Err(error) => is_told(&error, &misspelt, "misspelt"),
        }

        for text in OTHERS {
            let mut is_like = false;
            let other = tree.with(&place, |entries, at| {
                let value = &mut entries[at].1;
                is_like = value.is_like(text);
                *value = Tree::Scalar(text.to_owned());
            });
            if is_like {
                continue;
            }
            let how = format!("as {text}");
            match judge(&other.file()) {
                Ok(wider) => assert!(wider.is_empty(), "{path} {how}: {wider:?}"),
                Err(error) => is_told(&error, &key, &how),
            }
        }

        let twice = tree.with(&place, |entries, at| entries.push(entries[at].clone()));
        let error = judge(&twice.file()).expect_err(&path);
        is_told(&error, "duplicate key", "twice");
    }
    restrict
}

#[test]
fn t24_no_slip_in_one_key_of_a_realms_file_opens_a_door() {
    let restrict = check(FULL_REALM, judge_realm);
    assert_eq!(
        restrict,
        REALM_RESTRICTS.iter().map(|&it| it.to_owned()).collect()
    );
}

#[test]
fn t24_no_slip_in_one_key_of_the_operators_file_opens_a_door() {
    let restrict = check(FULL_OPERATOR, judge_operator);
    assert_eq!(
        restrict,
        OPERATOR_RESTRICTS.iter().map(|&it| it.to_owned()).collect()
    );
}
