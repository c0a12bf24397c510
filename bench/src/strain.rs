//! `cargo bench-router strain` measures what the router promises while somebody strains it: each
//! figure beside its own without the strain, in one run, by turns.

mod memory;
mod neighbour;
mod pace;
mod pairs;
mod ratio;
mod reload;
mod scale;
mod site;
mod start;

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use clap::{Args, ValueEnum};

use ratio::Ratio;

use crate::{
    load,
    machine::{Cores, Machine, stay_on},
};

#[derive(Debug, Args)]
pub struct StrainArgs {
    /// What to measure; may be repeated [default: everything]
    #[arg(long = "only", value_enum)]
    only: Vec<Strain>,
    /// How often each is measured; what differs much from time to time, five times in each round
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How often a method is replaced while logins go on
    #[arg(long, default_value_t = 1000)]
    reloads: u32,
    /// Logins that must all succeed while it is replaced
    #[arg(long, default_value_t = 100_000)]
    soak: u64,
    /// Realms of a large router
    #[arg(long, default_value_t = 10_000)]
    realms: usize,
    /// Sessions of a busy router; each takes a file descriptor at both ends
    #[arg(long, default_value_t = 15_000)]
    sessions: usize,
    /// The router's program, if not the one that is built here
    #[arg(long, value_name = "FILE")]
    router: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Strain {
    /// Another realm's method loops, bombs or traps
    Neighbour,
    /// A method is replaced under logins
    Reload,
    /// As many logins as asked for, none lost or mixed
    Soak,
    /// From the program's start to the first login
    Start,
    /// Octets for each login, session, realm
    Memory,
    /// Many realms, many sessions
    Scale,
}

impl Strain {
    const ALL: [Self; 6] = [
        Self::Neighbour,
        Self::Reload,
        Self::Soak,
        Self::Start,
        Self::Memory,
        Self::Scale,
    ];
}

/// Pairs in a round, of what differs much from time to time.
const SLICES: u32 = 5;

/// One row of the table.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    /// Without the strain. None: there is nothing to compare with.
    pub quiet: Option<String>,
    pub strained: String,
    pub ratio: Option<Ratio>,
}

impl Finding {
    fn single(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            quiet: None,
            strained: found.into(),
            ratio: None,
        }
    }
}

pub fn run(args: &StrainArgs) -> Result<()> {
    let router = args.router.clone().map_or_else(xtask::router, Ok)?;
    // Before this process stays on one core, and knows of no other.
    let machine = Machine::this()?;
    let cores = Cores::choose()?;
    stay_on(cores.load)?;
    let mut findings = Vec::new();
    let mut failed = None;
    for strain in Strain::ALL {
        if !args.only.is_empty() && !args.only.contains(&strain) {
            continue;
        }
        xtask::say(format_args!("{strain:?}"));
        match measure(strain, args, &router, cores) {
            Ok(found) => findings.extend(found),
            // Not for nothing was the rest measured.
            Err(error) => {
                xtask::say(format_args!("{strain:?} failed: {error:#}"));
                failed = Some(error);
            }
        }
    }
    print(&machine, cores, &findings)?;
    failed.map_or(Ok(()), Err)
}

fn measure(strain: Strain, args: &StrainArgs, router: &Path, cores: Cores) -> Result<Vec<Finding>> {
    let runtime = load::runtime()?;
    match strain {
        Strain::Neighbour => runtime.block_on(neighbour::run(router, cores, args.rounds)),
        Strain::Reload => runtime.block_on(reload::run(router, cores, args.reloads)),
        Strain::Soak => runtime.block_on(reload::soak(router, cores, args.soak)),
        Strain::Start => runtime.block_on(start::run(router, cores, args.rounds)),
        Strain::Memory => runtime.block_on(memory::run(router, cores, args.sessions)),
        Strain::Scale => scale::run(router, cores, args.realms, args.sessions, args.rounds),
    }
}

fn print(machine: &Machine, cores: Cores, findings: &[Finding]) -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Cores { server, load } = cores;
    let mut text = format!(
        "`cargo bench-router {}` on {machine}; the router on core {server}, the load on core \
         {load}; ratios are medians, and where those lie with a probability of 95 %.\n\n| what | quiet | strained | ratio |\n| --- | --: | --: | --: |\n",
        arguments.join(" ")
    );
    for finding in findings {
        let Finding {
            what,
            quiet,
            strained,
            ratio,
        } = finding;
        let quiet = quiet.as_deref().unwrap_or("–");
        let ratio = ratio.map_or_else(|| "–".to_owned(), |ratio| ratio.to_string());
        writeln!(text, "| {what} | {quiet} | {strained} | {ratio} |")?;
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn written(time: Duration) -> String {
    let microseconds = time.as_secs_f64() * 1e6;
    if microseconds < 1000.0 {
        format!("{microseconds:.1} µs")
    } else {
        format!("{:.1} ms", microseconds / 1e3)
    }
}

/// The middle one of some times. None of none.
fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
