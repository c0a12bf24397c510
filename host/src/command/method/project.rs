//! Methods of one's own: what `countersign method` does in a project's directory.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use super::{bindings, build, dev, new};
use crate::kit::Language;

#[derive(Debug, Subcommand)]
pub(super) enum ProjectCommand {
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
pub(super) struct NewArgs {
    /// What the method is written in.
    #[arg(long, value_enum)]
    pub(super) language: Language,
    /// What it is called; the project's directory gets this name.
    pub(super) name: String,
}

#[derive(Debug, Args)]
pub(super) struct ProjectArgs {
    /// The project.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) directory: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    /// Where to put the component; if not said, into the project, under its name.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DevArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    /// Where the realm is served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    pub(super) address: std::net::SocketAddr,
}

pub(super) async fn run(command: ProjectCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProjectCommand::New(args) => new::run(&args),
        ProjectCommand::Build(args) => build::run(&args),
        ProjectCommand::Bindings(args) => bindings::run(&args),
        ProjectCommand::Dev(args) => dev::run(args).await,
    }
}
