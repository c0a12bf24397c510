use std::process::ExitCode;

use clap::Parser;
use countersign::command::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(status) => status,
        Err(error) => {
            countersign::command::tell_error(&error);
            ExitCode::from(2)
        }
    }
}
