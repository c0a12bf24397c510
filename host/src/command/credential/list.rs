use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use serde_json::json;
use time::{
    OffsetDateTime,
    format_description::{StaticFormatDescription, well_known::Rfc3339},
    macros::format_description,
};

use super::{Report, existing_store, realm_name};
use crate::{
    command::output::columns,
    config::{Operator, RealmName},
    credential::{Authid, Entry, Guesser, Kind, Lock, Note, Store, Tally, Validity},
};

const FOR_PEOPLE: StaticFormatDescription =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

#[derive(Debug, Args)]
#[command(about = "List the credentials of a realm, without their secrets")]
pub(super) struct ListArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// As a JSON array, for programs
    #[arg(long)]
    json: bool,
}

/// What a realm keeps for an authid: a credential or an invitation to one, or the wrong answers to
/// it, or both.
#[derive(Debug)]
struct Line {
    kind: Kind,
    authid: Authid,
    entry: Option<Entry>,
    tally: Tally,
}

pub(super) fn list(args: &ListArgs, operator: &Operator) -> anyhow::Result<Report> {
    let realm = args.realm.as_str().into();
    let lines = match existing_store(&operator.credentials)? {
        Some(store) => lines(store.list(&realm)?, store.tallies(&realm)?),
        None => Vec::new(),
    };
    let now = SystemTime::now();
    if args.json {
        return Ok(Report {
            result: json(&lines, now),
            ..Report::default()
        });
    }
    if lines.is_empty() {
        let result = format!("realm {} has no credentials\n", args.realm);
        return Ok(Report {
            result,
            ..Report::default()
        });
    }
    Ok(Report {
        result: table(&lines, now),
        ..Report::default()
    })
}

/// By authid, then by kind; an invitation has a line behind that of the credential.
fn lines(entries: Vec<Entry>, tallies: Vec<(Guesser, Tally)>) -> Vec<Line> {
    let mut lines = BTreeMap::new();
    for entry in entries {
        let invites = matches!(entry.note, Some(Note::OpenUntil(_)));
        let key = (entry.authid.clone(), entry.kind.clone(), invites);
        lines.insert(key, (Some(entry), Tally::default()));
    }
    for (guesser, tally) in tallies {
        let key = (guesser.authid, guesser.kind, false);
        let (_, worst) = lines.entry(key).or_insert((None, tally));
        // Those of several sources are counted apart.
        if tally.wrong > worst.wrong {
            *worst = tally;
        }
    }
    lines
        .into_iter()
        .map(|((authid, kind, _), (entry, tally))| Line {
            kind,
            authid,
            entry,
            tally,
        })
        .collect()
}

fn table(lines: &[Line], now: SystemTime) -> String {
    let header = [
        "authid",
        "kind",
        "role",
        "created (UTC)",
        "changed (UTC)",
        "state",
    ];
    let rows = lines.iter().map(|line| {
        let entry = line.entry.as_ref();
        let time = |time: Option<SystemTime>| time.map_or_else(|| "-".to_owned(), for_people);
        [
            line.authid.to_string(),
            line.kind.to_string(),
            entry.map_or_else(|| "-".to_owned(), |entry| entry.authrole.to_string()),
            time(entry.map(|entry| entry.created)),
            time(entry.map(|entry| entry.changed)),
            line.state(now),
        ]
    });
    let rows: Vec<_> = std::iter::once(header.map(str::to_owned))
        .chain(rows)
        .collect();
    columns(&rows)
}

impl Line {
    fn state(&self, now: SystemTime) -> String {
        let note = self.entry.as_ref().and_then(|entry| entry.note);
        if let Some(Note::OpenUntil(end)) = note {
            let word = if end > now { "open" } else { "was open" };
            return format!("code, {word} until {}", for_people(end));
        }
        let mut words = Vec::new();
        match self.entry.as_ref().map(|entry| entry.validity) {
            None => words.push("no credential".to_owned()),
            Some(Validity { disabled: true, .. }) => words.push("disabled".to_owned()),
            Some(Validity {
                expires: Some(end), ..
            }) if end <= now => words.push("expired".to_owned()),
            Some(Validity {
                expires: Some(end), ..
            }) => words.push(format!("expires {}", for_people(end))),
            Some(Validity { .. }) => {}
        }
        match self.tally.locked(now) {
            Some(Lock::Until(end)) => words.push(format!("locked until {}", for_people(end))),
            Some(Lock::UntilLifted) => words.push("locked".to_owned()),
            None => {}
        }
        match self.tally.wrong {
            0 => {}
            1 => words.push("1 wrong answer".to_owned()),
            wrong => words.push(format!("{wrong} wrong answers")),
        }
        if words.is_empty() {
            words.push("good".to_owned());
        }
        match note {
            Some(Note::Keys(1)) => words.push("1 key".to_owned()),
            Some(Note::Keys(keys)) => words.push(format!("{keys} keys")),
            Some(Note::OpenUntil(_)) | None => {}
        }
        match self.entry.as_ref().map_or(0, |entry| entry.cookies) {
            0 => {}
            1 => words.push("1 cookie".to_owned()),
            cookies => words.push(format!("{cookies} cookies")),
        }
        words.join(", ")
    }
}

fn json(lines: &[Line], now: SystemTime) -> String {
    let time = |time| at(time, |at| at.format(&Rfc3339).ok());
    let lines = lines.iter().map(|line| {
        let entry = line.entry.as_ref();
        let locked = line.tally.locked(now);
        let mut members = json!({
            "authid": line.authid.as_str(),
            "kind": line.kind.as_str(),
            "role": entry.map(|entry| entry.authrole.as_str()),
            "created": entry.map(|entry| time(entry.created)),
            "changed": entry.map(|entry| time(entry.changed)),
            "disabled": entry.map(|entry| entry.validity.disabled),
            "expires": entry.and_then(|entry| entry.validity.expires).map(time),
            "wrong_answers": line.tally.wrong,
            "refused_answers": line.tally.refused,
            "cookies": entry.map_or(0, |entry| entry.cookies),
            "locked": locked.is_some(),
            "locked_until": match locked {
                Some(Lock::Until(end)) => Some(time(end)),
                Some(Lock::UntilLifted) | None => None,
            },
        });
        if let (Some(note), Some(members)) =
            (entry.and_then(|entry| entry.note), members.as_object_mut())
        {
            match note {
                Note::Keys(keys) => members.insert("keys".into(), keys.into()),
                Note::OpenUntil(end) => members.insert("open_until".into(), time(end).into()),
            };
        }
        members
    });
    let list: serde_json::Value = lines.collect();
    format!("{list:#}\n")
}

pub(in crate::command) fn for_people(time: SystemTime) -> String {
    at(time, |at| at.format(FOR_PEOPLE).ok())
}

/// A time in words; "?" for one that no calendar has, which only a damaged store can hold.
fn at(time: SystemTime, words: impl FnOnce(OffsetDateTime) -> Option<String>) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(words)
        .unwrap_or_else(|| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "the list as it is shown, twice")]
    fn a_list_tells_whose_what_and_when() {
        let after = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let entry = |kind: &str, authid: &str, changed| Entry {
            kind: kind.into(),
            authid: authid.into(),
            authrole: "user".into(),
            created: after(0),
            changed: after(changed),
            validity: Validity::default(),
            note: None,
            cookies: 0,
        };
        let entries = vec![
            Entry {
                cookies: 2,
                ..entry("ticket", "alice", 1_700_000_001)
            },
            Entry {
                validity: Validity {
                    disabled: true,
                    expires: None,
                },
                ..entry("totp", "alice", 0)
            },
            Entry {
                validity: Validity {
                    disabled: false,
                    expires: Some(after(86_400)),
                },
                ..entry("wampcra", "b\u{1b}", 1 << 50)
            },
            Entry {
                note: Some(Note::Keys(2)),
                cookies: 1,
                ..entry("webauthn", "fred", 0)
            },
            Entry {
                note: Some(Note::OpenUntil(after(60))),
                ..entry("webauthn", "fred", 0)
            },
        ];
        let guesser = |kind: &str, authid: &str| Guesser {
            realm: "acme".into(),
            kind: kind.into(),
            authid: authid.into(),
            known: None,
        };
        let tally = |wrong, lock| Tally {
            wrong,
            refused: 3,
            lock,
        };
        let tallies = vec![
            (guesser("totp", "alice"), tally(1, None)),
            (
                guesser("http", "carol"),
                tally(5, Some(Lock::Until(after(60)))),
            ),
            (guesser("totp", "dave"), tally(100, Some(Lock::UntilLifted))),
            (
                guesser("totp", "erin"),
                tally(5, Some(Lock::Until(after(9)))),
            ),
            (guesser("webauthn", "fred"), tally(1, None)),
        ];
        let lines = lines(entries, tallies);
        let of = |authid: &str, kind: &str, changed: &str, state: &str| {
            let (role, created) = match changed {
                "-" => ("-", "-"),
                _ => ("user", "1970-01-01 00:00:00"),
            };
            [authid, kind, role, created, changed, state].map(str::to_owned)
        };
        let created = "1970-01-01 00:00:00";
        let open = "code, open until 1970-01-01 00:01:00";
        let locked = "no credential, locked until 1970-01-01 00:01:00, 5 wrong answers";
        let expected = columns(&[
            [
                "authid",
                "kind",
                "role",
                "created (UTC)",
                "changed (UTC)",
                "state",
            ]
            .map(str::to_owned),
            of("alice", "ticket", "2023-11-14 22:13:21", "good, 2 cookies"),
            of("alice", "totp", created, "disabled, 1 wrong answer"),
            of("b\u{1b}", "wampcra", "?", "expires 1970-01-02 00:00:00"),
            of("carol", "http", "-", locked),
            of(
                "dave",
                "totp",
                "-",
                "no credential, locked, 100 wrong answers",
            ),
            of("erin", "totp", "-", "no credential, 5 wrong answers"),
            of(
                "fred",
                "webauthn",
                created,
                "1 wrong answer, 2 keys, 1 cookie",
            ),
            of("fred", "webauthn", created, open),
        ]);
        assert_eq!(table(&lines, after(10)), expected);
        assert!(table(&lines, after(86_400)).contains(" expired\n"));
        let json: serde_json::Value = serde_json::from_str(&json(&lines, after(10))).unwrap();
        assert_eq!(json[0]["changed"], "2023-11-14T22:13:21Z");
        assert_eq!(json[0]["cookies"], 2);
        assert_eq!(json[1]["disabled"], true);
        assert_eq!(json[3]["locked_until"], "1970-01-01T00:01:00Z");
        assert_eq!(json[4]["locked"], true);
        assert_eq!(json[4]["locked_until"], serde_json::Value::Null);
        assert_eq!(json[5]["locked"], false);
        assert_eq!(
            (&json[6]["keys"], &json[6]["wrong_answers"]),
            (&2.into(), &1.into())
        );
        assert_eq!(json[7]["open_until"], "1970-01-01T00:01:00Z");
        assert_eq!(json[7]["wrong_answers"], 0);
    }
}
