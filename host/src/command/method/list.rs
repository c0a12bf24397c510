use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use time::{OffsetDateTime, macros::format_description};

use crate::{
    admin::{Request, Response, RevisionReport},
    command::{
        output::columns,
        realm_name,
        router::{Router, unexpected},
    },
    config::RealmName,
};

#[derive(Debug, Args)]
#[command(
    about = "List the revisions of each realm's methods, and how they do",
    after_help = "logins have passed the step, failures were denied by it; in faults the method trapped, \
                  ran into a limit or returned nonsense. mean and p99 are of one call. agree/differ \
                  is what came of asking a shadow."
)]
pub(super) struct ListArgs {
    /// Of this realm only
    #[arg(value_parser = realm_name)]
    realm: Option<RealmName>,

    /// As a JSON array, for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(args: &ListArgs, router: &Router) -> anyhow::Result<String> {
    let realm = args.realm.as_ref().map(|realm| realm.as_str().to_owned());
    let reports = match router.ask(Request::Methods { realm }).await? {
        Response::Methods(reports) => reports,
        other => return unexpected(&other),
    };
    if args.json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&reports)?));
    }
    if reports.is_empty() {
        return Ok("the router has no methods\n".into());
    }
    Ok(table(&reports))
}

fn table(reports: &[RevisionReport]) -> String {
    let header = [
        "realm",
        "step",
        "revision",
        "method",
        "since (UTC)",
        "logins",
        "failures",
        "faults",
        "mean",
        "p99",
        "agree/differ",
        "state",
    ];
    let rows = reports.iter().map(|report| {
        let optional = |us: Option<u64>| us.map_or_else(|| "-".to_owned(), time);
        let compared = report.agreed + report.disagreed + report.skipped;
        let compared = if compared == 0 {
            "-".to_owned()
        } else {
            format!("{}/{}", report.agreed, report.disagreed)
        };
        [
            report.realm.clone(),
            report.step.clone(),
            report.digest.chars().take(12).collect(),
            format!("{} {}", report.method, report.version),
            since(report.since),
            report.logins.to_string(),
            report.failures.to_string(),
            report.faults.to_string(),
            optional(report.mean_us),
            optional(report.p99_us),
            compared,
            state(report),
        ]
    });
    let rows: Vec<_> = std::iter::once(header.map(str::to_owned))
        .chain(rows)
        .collect();
    columns(&rows)
}

fn state(report: &RevisionReport) -> String {
    let share = report.share.map(|share| {
        let (whole, tenth) = (share / 10, share % 10);
        if tenth == 0 {
            format!(" {whole}%")
        } else {
            format!(" {whole}.{tenth}%")
        }
    });
    let withdrawn = if report.withdrawn { ", withdrawn" } else { "" };
    format!("{}{}{withdrawn}", report.state, share.unwrap_or_default())
}

/// Microseconds, for a person.
pub(super) fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

fn since(ms: u64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let time = OffsetDateTime::from(UNIX_EPOCH + Duration::from_millis(ms.min(1 << 47)));
    time.format(format).unwrap_or_else(|_| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let told = [0, 999, 1_000, 45_678, 1_234_567].map(time);
        assert_eq!(told, ["0 µs", "999 µs", "1.0 ms", "45.6 ms", "1.2 s"]);
        assert_eq!(since(0), "1970-01-01 00:00:00");
        assert_eq!(since(u64::MAX).len(), 19);
    }
}
