//! What the router runs to have a component compiled: a process that is bounded, reads a component
//! from its standard input and writes machine code to its standard output.

use std::{io, path::PathBuf, process::ExitCode};

use clap::Args;
use nix::sys::resource::{Resource, setrlimit};

use super::output::tell;
use crate::method;

/// The largest result, in octets: a component of the largest size compiles to less.
const LARGEST_RESULT: u64 = 1 << 30;

#[derive(Debug, Args)]
pub(super) struct CompileArgs {
    /// The engine that it is compiled for
    #[arg(long)]
    engine: String,

    /// Octets
    #[arg(long)]
    memory: u64,

    /// On the CPU
    #[arg(long)]
    seconds: u64,

    /// The functions of the component that was there before
    #[arg(long, requires = "now")]
    before: Option<PathBuf>,

    /// Where those of this one go
    #[arg(long, requires = "before")]
    now: Option<PathBuf>,
}

pub(super) fn run(args: &CompileArgs) -> anyhow::Result<ExitCode> {
    // Whatever goes wrong here ends this process, which has nothing else to do.
    for (resource, limit) in [
        (Resource::RLIMIT_CPU, args.seconds),
        // What is written to, as opposed to reserved: allocators and engines reserve much.
        (Resource::RLIMIT_DATA, args.memory),
        (Resource::RLIMIT_FSIZE, LARGEST_RESULT),
        (Resource::RLIMIT_CORE, 0),
    ] {
        setrlimit(resource, limit, limit)?;
    }
    let series = args.before.as_deref().zip(args.now.as_deref());
    let (from, to) = (io::stdin().lock(), io::stdout().lock());
    match method::compile(from, to, &args.engine, series) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(failed) => {
            tell(format_args!("{}", failed.complaint));
            Ok(ExitCode::from(failed.status))
        }
    }
}
