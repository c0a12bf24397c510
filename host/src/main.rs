use std::process::ExitCode;

use clap::Parser;
use countersign::command::Cli;
use mimalloc::MiMalloc;

/// A call of a method and a login make many small allocations of short life.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
