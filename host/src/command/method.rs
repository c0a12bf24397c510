//! Methods of one's own.

mod bindings;
mod build;
mod dev;
mod new;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::output;
use crate::kit::{KitError, Language, Name};

#[derive(Debug, Args)]
pub(super) struct MethodArgs {
    #[command(subcommand)]
    command: MethodCommand,
}

#[derive(Debug, Subcommand)]
enum MethodCommand {
    /// Make a project for a method: a small one that works, to edit.
    New(NewArgs),
    /// Build the component of a project.
    Build(BuildArgs),
    /// Make the bindings of a project those of this program's contract.
    Bindings(ProjectArgs),
    /// Build a project whenever its source changes, and serve a realm that logs in by it.
    Dev(DevArgs),
}

#[derive(Debug, Args)]
struct NewArgs {
    /// What the method is written in.
    #[arg(long, value_enum)]
    language: Language,
    /// What it is called; the project's directory gets this name.
    name: String,
}

#[derive(Debug, Args)]
struct ProjectArgs {
    /// The project.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

#[derive(Debug, Args)]
struct BuildArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// Where to put the component; if not said, into the project, under its name.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct DevArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// Where the realm is served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    address: std::net::SocketAddr,
}

pub(super) async fn run(args: MethodArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        MethodCommand::New(args) => new::run(&args),
        MethodCommand::Build(args) => build::run(&args),
        MethodCommand::Bindings(args) => bindings::run(&args),
        MethodCommand::Dev(args) => dev::run(args).await,
    }
}

/// The name, if it is one.
fn name(text: &str) -> Result<Name, String> {
    text.parse()
        .map_err(|error| format!("{text:?} is no name: {error}"))
}

/// One message, and status 1.
fn refuse(error: &KitError) -> ExitCode {
    output::tell(format_args!("countersign: {error}"));
    ExitCode::FAILURE
}
