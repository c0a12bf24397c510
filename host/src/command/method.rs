//! `countersign method`: the revisions of methods, in a router that runs.

mod list;

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::{Args, Subcommand};

use super::output::print;
use crate::{
    admin::{self, Request, Response},
    config::{Operator, RealmName},
};

/// The arguments of `countersign method`.
#[derive(Debug, Args)]
#[command(about = "See and change which revisions of methods a running router asks")]
pub struct MethodArgs {
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
    List(list::ListArgs),
}

/// Does what the arguments say.
///
/// # Errors
/// If it could not be done; the error says what, where and what to do.
pub async fn run(args: MethodArgs) -> anyhow::Result<ExitCode> {
    let said = match &args.command {
        Command::List(list) => list::list(list, &args).await?,
    };
    print(&said)?;
    Ok(ExitCode::SUCCESS)
}

impl MethodArgs {
    /// Asks the router that serves this configuration.
    async fn ask(&self, request: Request) -> anyhow::Result<Response> {
        let operator = Operator::read(&self.config)?;
        Ok(admin::ask(&operator.admin.socket, &self.config, &request).await?)
    }
}

/// An answer to another question: the router is not of this version.
fn unexpected<T>(response: &Response) -> anyhow::Result<T> {
    bail!("the router answers something else than was asked: {response:?}")
}

fn realm_name(text: &str) -> Result<RealmName, String> {
    RealmName::new(text)
        .ok_or_else(|| "a realm is a WAMP URI, such as realm1 or com.example".to_owned())
}
