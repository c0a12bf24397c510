use std::time::{SystemTime, UNIX_EPOCH};

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
    credential::{Entry, Store},
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

pub(super) fn list(args: &ListArgs, operator: &Operator) -> anyhow::Result<Report> {
    let entries = match existing_store(&operator.credentials)? {
        Some(store) => store.list(&args.realm.as_str().into())?,
        None => Vec::new(),
    };
    if args.json {
        return Ok(Report {
            result: json(&entries),
            ..Report::default()
        });
    }
    if entries.is_empty() {
        let result = format!("realm {} has no credentials\n", args.realm);
        return Ok(Report {
            result,
            ..Report::default()
        });
    }
    Ok(Report {
        result: table(&entries),
        ..Report::default()
    })
}

fn table(entries: &[Entry]) -> String {
    let header = [
        "authid",
        "kind",
        "role",
        "created (UTC)",
        "changed (UTC)",
        "cookies",
    ]
    .map(str::to_owned);
    let rows = entries.iter().map(|entry| {
        let time = |time| at(time, |at| at.format(FOR_PEOPLE).ok());
        [
            entry.authid.to_string(),
            entry.kind.to_string(),
            entry.authrole.to_string(),
            time(entry.created),
            time(entry.changed),
            entry.cookies.to_string(),
        ]
    });
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    columns(&rows)
}

fn json(entries: &[Entry]) -> String {
    let entries = entries.iter().map(|entry| {
        let time = |time| at(time, |at| at.format(&Rfc3339).ok());
        json!({
            "authid": entry.authid.as_str(),
            "kind": entry.kind.as_str(),
            "role": entry.authrole.as_str(),
            "created": time(entry.created),
            "changed": time(entry.changed),
            "cookies": entry.cookies,
        })
    });
    let list: serde_json::Value = entries.collect();
    format!("{list:#}\n")
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
    fn a_list_tells_whose_what_and_when() {
        let after = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let entries = [
            Entry {
                kind: "ticket".into(),
                authid: "alice".into(),
                authrole: "user".into(),
                created: after(1_700_000_000),
                changed: after(1_700_000_001),
                cookies: 2,
            },
            Entry {
                kind: "wampcra".into(),
                authid: "b\u{1b}".into(),
                authrole: "admin".into(),
                created: after(0),
                changed: after(1 << 50),
                cookies: 0,
            },
        ];
        assert_eq!(
            table(&entries),
            "authid   kind     role   created (UTC)        changed (UTC)        cookies\n\
             alice    ticket   user   2023-11-14 22:13:20  2023-11-14 22:13:21  2\n\
             b\\u{1b}  wampcra  admin  1970-01-01 00:00:00  ?                    0\n"
        );
        assert!(json(&entries).contains(r#""changed": "2023-11-14T22:13:21Z""#));
        assert_eq!(json(&[]), "[]\n");
    }
}
