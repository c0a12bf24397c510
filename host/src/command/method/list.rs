use clap::Args;

use super::{Router, realm_name, unexpected};
use crate::{
    admin::{Request, Response, RevisionReport},
    command::output::columns,
    config::RealmName,
};

#[derive(Debug, Args)]
#[command(about = "List the revisions of each realm's methods")]
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
    let header = ["realm", "step", "revision", "method", "state"];
    let rows = reports.iter().map(|report| {
        [
            report.realm.clone(),
            report.step.clone(),
            report.digest.chars().take(12).collect(),
            format!("{} {}", report.method, report.version),
            report.state.clone(),
        ]
    });
    let rows: Vec<_> = std::iter::once(header.map(str::to_owned))
        .chain(rows)
        .collect();
    columns(&rows)
}
