//! `countersign method`: components of methods, alone and in a router that runs.

mod bindings;
mod build;
mod compiler;
mod component;
mod conform;
mod dev;
mod inspect;
mod list;
mod new;
mod operate;
mod project;
mod sign;
mod stage;
mod test;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::{output::print, router::Router, tell_error};

/// The arguments of `countersign method`.
#[derive(Debug, Args)]
#[command(about = "Write and try methods, and see and change which ones a running router asks")]
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
    Stage(stage::StageArgs),
    /// Let go of what is staged for a step
    Unstage(operate::StepArgs),
    Canary(operate::CanaryArgs),
    /// Ask the staged revision beside the live one, and count where they differ
    Shadow(operate::StepArgs),
    /// Ask the revision again that a step had before
    Rollback(operate::StepArgs),
    Withdraw(operate::WithdrawArgs),
    Readmit(operate::ReadmitArgs),
    Keygen(sign::KeygenArgs),
    Sign(sign::SignArgs),
    #[command(flatten)]
    Project(project::ProjectCommand),
    /// Run a table of attempts: their verdicts, and what each call takes
    Test(test::TestArgs),
    /// Put a method through what every method must stand; status 1 if it does not
    Conform(conform::ConformArgs),
    /// Tell what a component is, what it imports and what it costs
    Inspect(inspect::InspectArgs),
}

/// Does what the arguments say.
///
/// # Errors
/// If it could not be done; the error says what, where and what to do.
pub async fn run(args: MethodArgs) -> anyhow::Result<ExitCode> {
    let MethodArgs { config, command } = args;
    let router = Router::serving(&config);
    let said = match command {
        Command::List(args) => list::list(&args, &router).await?,
        Command::Stage(args) => return stage::stage(&args, &router).await,
        Command::Unstage(step) => router.done(step.unstage()).await?,
        Command::Canary(args) => router.done(args.request()).await?,
        Command::Shadow(step) => router.done(step.shadow()).await?,
        Command::Rollback(step) => router.done(step.roll_back()).await?,
        Command::Withdraw(args) => router.done(args.request()).await?,
        Command::Readmit(args) => router.done(args.request()).await?,
        Command::Keygen(args) => sign::keygen(&args)?,
        Command::Sign(args) => sign::sign(&args)?,
        Command::Project(command) => return Ok(told(project::run(command).await)),
        Command::Test(args) => return Ok(told(test::run(&args).await)),
        Command::Conform(args) => return Ok(told(conform::run(&args).await)),
        Command::Inspect(args) => return Ok(told(inspect::run(&args).await)),
    };
    print(&said)?;
    Ok(ExitCode::SUCCESS)
}

/// What an author asks for fails by the author's files mostly. To a script a component that cannot be
/// tried is the same as one that does not pass: status 1.
fn told(done: anyhow::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        tell_error(&error);
        ExitCode::FAILURE
    })
}
