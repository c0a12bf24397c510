//! The command line.

mod check;
mod compile;
mod credential;
mod descriptors;
mod login;
mod method;
mod output;
mod router;
mod secret;
mod serve;
mod session;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{config::RealmName, observe::LogFormat};

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
    /// Log in to a WAMP router, show what it says, and leave.
    Login(login::LoginArgs),
    /// Add, list or remove credentials; a running router sees it at once.
    Credential(credential::CredentialArgs),
    Method(method::MethodArgs),
    /// What the router runs to have a component compiled.
    #[command(name = crate::method::COMMAND, hide = true)]
    Compile(compile::CompileArgs),
    Session(session::SessionArgs),
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
    /// Whether somebody is making the realms: then there being none is nothing to warn of.
    #[arg(skip)]
    realms_are_made: bool,
}

impl Cli {
    /// Does what the command line asks for.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Check(args) => check::run(args).await,
            Command::Login(args) => login::run(args).await,
            Command::Credential(args) => credential::run(args).await,
            Command::Method(args) => method::run(args).await,
            Command::Compile(args) => compile::run(&args),
            Command::Session(args) => session::run(args).await,
        }
    }
}

/// Tells the person who ran the command why it failed.
pub fn tell_error(error: &anyhow::Error) {
    output::tell(format_args!("countersign: {error:#}"));
}

/// A realm, as an argument.
fn realm_name(text: &str) -> Result<RealmName, String> {
    RealmName::new(text)
        .ok_or_else(|| "a realm is a WAMP URI, such as realm1 or com.example".to_owned())
}
