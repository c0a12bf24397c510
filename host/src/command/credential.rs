//! `countersign credential`: who can log in to a realm.
//!
//! Works on the store's file itself, whether a router runs or not: a router that does sees each
//! change at its next login, and ends the sessions that rest on what was changed.

mod add;
mod list;
mod scram;
mod standing;
#[cfg(test)]
mod tests;
mod totp;
mod webauthn;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Subcommand};
use tokio::task::spawn_blocking;

pub(super) use self::list::for_people;
use self::{
    add::AddArgs,
    list::ListArgs,
    standing::{ExpireArgs, Standing},
};
use super::{
    output::{print, tell},
    realm_name,
    secret::{Prompt, Secret},
};
use crate::{
    config::{Operator, RealmName},
    credential::{self, Sqlite, Store},
    login::Authid,
};

/// The arguments of `countersign credential`.
#[derive(Debug, Args)]
#[command(about = "Add, list, disable and remove the credentials that a realm's users log in with")]
pub struct CredentialArgs {
    /// The operator's configuration, which says where the realms and the credentials are
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
    Add(AddArgs),
    List(ListArgs),
    /// Remove a credential
    Remove(WhichArgs),
    /// Let nobody in by a credential until it is enabled
    Disable(WhichArgs),
    /// Let a credential be used again
    Enable(WhichArgs),
    Expire(ExpireArgs),
    /// Lift the lock that wrong answers have led to, and forget them
    Unlock(WhichArgs),
    Logout(LogoutArgs),
}

/// Which credential is meant.
#[derive(Debug, Args)]
struct WhichArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// What the credential is for, such as ticket, wampcra, cryptosign, totp, scram or webauthn
    #[arg(value_name = "KIND")]
    kind: String,

    /// Whom it belongs to
    #[arg(value_parser = Authid::parse)]
    authid: Authid,
}

#[derive(Debug, Args)]
#[command(about = "End all cookies of somebody, in whatever browser: each has to log in anew")]
struct LogoutArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// Whose cookies
    #[arg(value_parser = Authid::parse)]
    authid: Authid,
}

/// What a command has to say when it has done its work.
#[derive(Debug, Default)]
struct Report {
    /// A line for standard error.
    remark: Option<String>,
    /// Whole lines, for standard output.
    result: String,
    /// More of them, which are never shown again.
    secret: Option<Secret>,
    /// The exit status.
    status: u8,
}

/// Does what the arguments say. The status is 0, or 1 if there was nothing to remove.
///
/// # Errors
/// If it could not be done; the error says what, where and what to do.
pub async fn run(args: CredentialArgs) -> anyhow::Result<ExitCode> {
    // Files, a person and slow functions: all of it blocks.
    let done = spawn_blocking(move || execute(&args, &Prompt::standard_input())).await;
    let report = done.context("the command stopped before its end")??;
    if let Some(remark) = report.remark {
        tell(format_args!("{remark}"));
    }
    print(&report.result)?;
    if let Some(secret) = report.secret {
        print(secret.expose())?;
    }
    Ok(ExitCode::from(report.status))
}

fn execute(args: &CredentialArgs, prompt: &Prompt) -> anyhow::Result<Report> {
    let operator = Operator::read(&args.config)?;
    match &args.command {
        Command::Add(args) => add::add(args, &operator, prompt),
        Command::List(args) => list::list(args, &operator),
        Command::Remove(args) => remove(args, &operator),
        Command::Logout(args) => log_out(args, &operator),
        Command::Disable(args) => standing::set(args, Standing::Disabled, &operator),
        Command::Enable(args) => standing::set(args, Standing::Enabled, &operator),
        Command::Expire(args) => standing::expire(args, &operator),
        Command::Unlock(args) => standing::unlock(args, &operator),
    }
}

fn remove(args: &WhichArgs, operator: &Operator) -> anyhow::Result<Report> {
    let WhichArgs {
        realm,
        kind,
        authid,
    } = args;
    let removed = match existing_store(&operator.credentials)? {
        Some(store) => store.remove(
            &realm.as_str().into(),
            &kind.as_str().into(),
            &store_authid(authid),
        )?,
        None => false,
    };
    if !removed {
        return Ok(args.none());
    }
    let result = format!("removed the {kind} credential of {authid} in realm {realm}\n");
    Ok(Report {
        result,
        ..Report::default()
    })
}

fn log_out(args: &LogoutArgs, operator: &Operator) -> anyhow::Result<Report> {
    let LogoutArgs { realm, authid } = args;
    let ended = match existing_store(&operator.credentials)? {
        Some(store) => store.end_cookies(&realm.as_str().into(), &store_authid(authid))?,
        None => 0,
    };
    let result = match ended {
        0 => format!("no browser was logged in as {authid} in realm {realm} by cookie\n"),
        1 => format!("1 browser must log in anew as {authid} in realm {realm}\n"),
        _ => format!("{ended} browsers must log in anew as {authid} in realm {realm}\n"),
    };
    Ok(Report {
        result,
        ..Report::default()
    })
}

impl WhichArgs {
    /// What there is to say where there is no such credential.
    fn none(&self) -> Report {
        let Self {
            realm,
            kind,
            authid,
        } = self;
        let remark = format!(
            "error: {authid} has no {kind:?} credential in realm {realm}; `countersign credential \
             list {realm}` shows which there are"
        );
        Report {
            remark: Some(remark),
            status: 1,
            ..Report::default()
        }
    }
}

/// The store, where there is one: only adding makes it.
fn existing_store(file: &Path) -> anyhow::Result<Option<Sqlite>> {
    let exists = file
        .try_exists()
        .with_context(|| format!("{}: cannot be looked for", file.display()))?;
    Ok(if exists {
        Some(Sqlite::open(file)?)
    } else {
        None
    })
}

fn store_authid(authid: &Authid) -> credential::Authid {
    authid.as_str().into()
}
