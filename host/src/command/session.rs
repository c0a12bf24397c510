//! `countersign session`: who is in the realms of a router that runs.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::{
    credential::for_people,
    output::{columns, print},
    realm_name,
    router::{Router, unexpected},
};
use crate::{
    admin::{Eviction, Request, Response, SessionQuery, SessionReport},
    config::RealmName,
    realm::RevisionName,
    wamp::Uri,
};

/// The arguments of `countersign session`.
#[derive(Debug, Args)]
#[command(about = "See and end the sessions of a running router")]
pub struct SessionArgs {
    /// The operator's configuration, which says where the router takes commands
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "countersign.toml"
    )]
    config: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(ListArgs),
    Kill(KillArgs),
}

#[derive(Debug, Args)]
#[command(about = "List who is in, how they came, and until when they may stay")]
struct ListArgs {
    /// In this realm only
    #[arg(value_parser = realm_name)]
    realm: Option<RealmName>,

    /// As a JSON array, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    about = "End sessions: those for which all holds that is said; their clients are told by GOODBYE"
)]
struct KillArgs {
    #[command(flatten)]
    which: Which,

    /// What GOODBYE gives as its reason, a URI [default: wamp.close.killed]
    #[arg(long, value_name = "URI", value_parser = uri)]
    reason: Option<String>,

    /// What GOODBYE says beside
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

/// At least one of them: nobody means to end everything by saying nothing.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Which {
    /// In this realm; alone: all of its sessions
    #[arg(long, value_parser = realm_name)]
    realm: Option<RealmName>,

    /// The session with this id
    #[arg(long, value_name = "ID")]
    session: Option<u64>,

    /// Those of somebody
    #[arg(long)]
    authid: Option<String>,

    /// Those that have this role
    #[arg(long)]
    role: Option<String>,

    /// Those whose login has passed this step
    #[arg(long, value_name = "STEP")]
    method: Option<String>,

    /// Those that a revision let in; its digest, or the first 12 digits or more
    #[arg(long, value_name = "DIGEST", value_parser = revision)]
    revision: Option<String>,
}

/// Does what the arguments say. The status is 1 if there was no session to end.
///
/// # Errors
/// If it could not be done; the error says what, where and what to do.
pub async fn run(args: SessionArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List(list) => args.list(list).await,
        Command::Kill(kill) => args.kill(kill).await,
    }
}

impl SessionArgs {
    async fn list(&self, args: &ListArgs) -> anyhow::Result<ExitCode> {
        let query = SessionQuery {
            realm: args.realm.as_ref().map(|realm| realm.as_str().to_owned()),
            ..SessionQuery::default()
        };
        let reports = match Router::serving(&self.config)
            .ask(Request::Sessions(query))
            .await?
        {
            Response::Sessions(reports) => reports,
            other => return unexpected(&other),
        };
        if args.json {
            print(&format!("{}\n", serde_json::to_string_pretty(&reports)?))?;
        } else if reports.is_empty() {
            print("there are no sessions\n")?;
        } else {
            print(&table(&reports))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn kill(&self, args: &KillArgs) -> anyhow::Result<ExitCode> {
        let Which {
            realm,
            session,
            authid,
            role,
            method,
            revision,
        } = &args.which;
        let eviction = Eviction {
            of: SessionQuery {
                realm: realm.as_ref().map(|realm| realm.as_str().to_owned()),
                session: *session,
                authid: authid.clone(),
                authrole: role.clone(),
                method: method.clone(),
                revision: revision.clone(),
            },
            reason: args.reason.clone(),
            message: args.message.clone(),
        };
        let ended = match Router::serving(&self.config)
            .ask(Request::EndSessions(eviction))
            .await?
        {
            Response::SessionsEnded(ended) => ended,
            other => return unexpected(&other),
        };
        print(&match ended {
            0 => "there is no such session\n".to_owned(),
            1 => "ended 1 session\n".to_owned(),
            _ => format!("ended {ended} sessions\n"),
        })?;
        Ok(ExitCode::from(u8::from(ended == 0)))
    }
}

fn table(reports: &[SessionReport]) -> String {
    let header = [
        "realm", "session", "authid", "role", "steps", "since", "until", "peer",
    ];
    let rows = reports.iter().map(|report| {
        let steps: Vec<String> = report
            .passed
            .iter()
            .map(|(step, digest)| {
                let short: String = digest.chars().take(12).collect();
                format!("{step}@{short}")
            })
            .collect();
        [
            report.realm.clone(),
            report.session.to_string(),
            report.authid.clone(),
            report.authrole.clone(),
            steps.join(" "),
            for_people(report.since()),
            report.expires().map(for_people).unwrap_or_default(),
            report.peer.clone(),
        ]
    });
    let rows: Vec<_> = std::iter::once(header.map(str::to_owned))
        .chain(rows)
        .collect();
    columns(&rows)
}

fn uri(text: &str) -> Result<String, String> {
    Uri::parse(text)
        .map(|uri| uri.as_str().to_owned())
        .map_err(|_| "a reason is a URI, such as com.example.close.moved".to_owned())
}

fn revision(text: &str) -> Result<String, String> {
    RevisionName::parse(text)
        .map(|name| name.to_string())
        .map_err(|error| error.to_string())
}
