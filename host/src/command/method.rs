//! `countersign method`: looking at components of methods, and trying them.

mod component;
mod conform;
mod inspect;
mod test;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// The arguments of `countersign method`.
#[derive(Debug, Args)]
pub(super) struct MethodArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a table of attempts: their verdicts, and what each call takes.
    Test(test::TestArgs),
    /// Put a method through what every method must stand; status 1 if it does not.
    Conform(conform::ConformArgs),
    /// Tell what a component is, what it imports and what it costs.
    Inspect(inspect::InspectArgs),
}

/// Does what the arguments say.
///
/// # Errors
/// If it could not be done; the error says what, where and what to do.
pub(super) async fn run(args: MethodArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Test(args) => test::run(args).await,
        Command::Conform(args) => conform::run(args).await,
        Command::Inspect(args) => inspect::run(args).await,
    }
}
