//! The command line.

mod check;
mod serve;

use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::observe::LogFormat;

/// A WAMP router whose authentication methods are WebAssembly components.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the router.
    Serve(ServeArgs),
    /// Look at the configuration and the components without serving; status 1 if anything is wrong.
    Check(ConfigArgs),
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The operator's configuration.
    #[arg(long, value_name = "FILE", default_value = "countersign.toml")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// How the log is written to standard error.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

impl Cli {
    /// Does what the command line asks for.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Check(args) => check::run(args).await,
        }
    }
}

/// Writes a line to standard output. One that nobody reads any more (`| head`) is no error.
fn print(line: impl fmt::Display) {
    _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a line to standard error.
fn print_error(line: impl fmt::Display) {
    _ = writeln!(io::stderr().lock(), "{line}");
}
