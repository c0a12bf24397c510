//! `countersign method`: the revisions of methods, in a router that runs, and components of methods by
//! themselves.

mod component;
mod conform;
mod inspect;
mod list;
mod operate;
mod sign;
mod stage;
mod test;

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
    /// Run a table of attempts: their verdicts, and what each call takes
    Test(test::TestArgs),
    /// Put a method through what every method must stand; status 1 if it does not
    Conform(conform::ConformArgs),
    /// Tell what a component is, what it imports and what it costs
    Inspect(inspect::InspectArgs),
    List(list::ListArgs),
    Stage(stage::StageArgs),
    /// Let go of what is staged for a step
    Unstage(operate::StepArgs),
    Canary(operate::CanaryArgs),
    /// Ask the staged revision beside the live one, and count where they differ
    Shadow(operate::StepArgs),
    /// Ask the revision again that a step had before
    Rollback(operate::StepArgs),
    Withdraw(operate::WithdrawArgs),
    Keygen(sign::KeygenArgs),
    Sign(sign::SignArgs),
}

/// Does what the arguments say.
///
/// # Errors
/// If it could not be done; the error says what, where and what to do.
pub async fn run(args: MethodArgs) -> anyhow::Result<ExitCode> {
    let said = match &args.command {
        Command::Test(args) => return test::run(args).await,
        Command::Conform(args) => return conform::run(args).await,
        Command::Inspect(args) => return inspect::run(args).await,
        Command::List(list) => list::list(list, &args).await?,
        Command::Stage(stage) => return stage::stage(stage, &args).await,
        Command::Unstage(step) => args.done(step.unstage()).await?,
        Command::Canary(canary) => args.done(canary.request()).await?,
        Command::Shadow(step) => args.done(step.shadow()).await?,
        Command::Rollback(step) => args.done(step.roll_back()).await?,
        Command::Withdraw(withdraw) => args.done(withdraw.request()).await?,
        Command::Keygen(keygen) => sign::keygen(keygen)?,
        Command::Sign(sign) => sign::sign(sign)?,
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

    /// Has it do something, and yields what it says.
    async fn done(&self, request: Request) -> anyhow::Result<String> {
        match self.ask(request).await? {
            Response::Done(said) => Ok(format!("{said}\n")),
            other => unexpected(&other),
        }
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
