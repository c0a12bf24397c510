//! Measures all servers by turns, so that whatever changes on the machine meanwhile meets all.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use nix::unistd::Pid;

use crate::{
    load::{self, Sample, Scenario},
    machine::{Cores, Machine, busy, cpu_of, stay_on, with_descendants},
    server::{Kind, Server},
    table::Table,
};

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What to measure; may be repeated [default: everything]
    #[arg(long = "only", value_enum)]
    only: Vec<Scenario>,
    /// How often everything is measured
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// How long one server is measured at a time
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Logins under way at one time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Leave Crossbar out
    #[arg(long)]
    without_crossbar: bool,
    /// The router's program, if not the one that is built here; may be repeated, to compare builds
    #[arg(long = "router", value_name = "FILE")]
    routers: Vec<PathBuf>,
}

/// What one measurement of one server came to.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub rate: f64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    /// The server's, for each operation.
    pub cpu: Duration,
    /// The share of one core that others have used.
    pub disturbed: f64,
}

/// More than this share of one core in others' hands, and a measurement is made again.
const QUIET: f64 = 0.06;

/// How often. On a machine that is never quiet, the least disturbed measurement is taken.
const AGAIN: usize = 4;

/// Before a server is measured for the first time.
const WARM_UP: Duration = Duration::from_millis(300);

pub fn run(args: &CompareArgs) -> Result<()> {
    let cores = Cores::choose()?;
    let machine = Machine::this()?;
    let mut table = Table::new(machine, cores, args.rounds, args.seconds, args.connections);
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        if kind == Kind::Crossbar && args.without_crossbar {
            continue;
        }
        let directory = directory().join(kind.to_string().to_lowercase());
        if kind == Kind::Countersign && !args.routers.is_empty() {
            for (number, router) in args.routers.iter().enumerate() {
                let directory = directory.join(number.to_string());
                servers.push(Kind::start_router(router, &directory, cores)?);
            }
            continue;
        }
        match kind.start(&directory, cores) {
            Ok(server) => servers.push(server),
            Err(error) if kind == Kind::Crossbar => {
                table.note(format!("Crossbar could not be run: {error:#}."));
            }
            Err(error) => return Err(error),
        }
    }
    stay_on(cores.load)?;

    let length = Duration::from_secs_f64(args.seconds);
    for scenario in Scenario::ALL {
        if !args.only.is_empty() && !args.only.contains(&scenario) {
            continue;
        }
        let servers: Vec<&Server> = servers
            .iter()
            .filter(|server| server.kind.serves(scenario))
            .collect();
        for server in &servers {
            once(server, scenario, args.connections, WARM_UP)?;
        }
        let mut rounds = Vec::new();
        for round in 1..=args.rounds {
            xtask::say(format_args!(
                "{}: round {round} of {}",
                scenario.title(),
                args.rounds
            ));
            let mut measured = Vec::new();
            for server in &servers {
                measured.push(quietly(server, scenario, args.connections, length)?);
            }
            rounds.push(measured);
        }
        for (position, server) in servers.iter().enumerate() {
            let column = rounds
                .iter()
                .filter_map(|round| round.get(position).copied());
            table.add(scenario, server, column.collect());
        }
    }
    table.print()
}

/// Under the directory that cargo builds into.
fn directory() -> PathBuf {
    xtask::root().join("target/bench")
}

/// Measures until nobody else takes part, or for some times.
pub fn quietly(
    server: &Server,
    scenario: Scenario,
    connections: usize,
    length: Duration,
) -> Result<Measured> {
    let mut best = once(server, scenario, connections, length)?;
    for _ in 0..AGAIN {
        if best.disturbed <= QUIET {
            break;
        }
        let another = once(server, scenario, connections, length)?;
        if another.disturbed < best.disturbed {
            best = another;
        }
    }
    Ok(best)
}

fn once(
    server: &Server,
    scenario: Scenario,
    connections: usize,
    length: Duration,
) -> Result<Measured> {
    let family = with_descendants(server.process.pid())?;
    let runtime = load::runtime()?;
    let (begin, busy_before) = (Instant::now(), busy()?);
    let (before, own_before) = (cpu_of(&family)?, cpu_of(&[Pid::this()])?);
    let sample: Sample = runtime.block_on(scenario.run(&server.target, connections, length))?;
    let (after, own_after) = (cpu_of(&family)?, cpu_of(&[Pid::this()])?);
    let (wall, busy_after) = (begin.elapsed(), busy()?);

    let cpu = after.saturating_sub(before);
    let ours = cpu + own_after.saturating_sub(own_before);
    let others = busy_after.saturating_sub(busy_before).saturating_sub(ours);
    let operations = u32::try_from(sample.operations.max(1))?;
    Ok(Measured {
        rate: sample.rate(),
        p50: sample.percentile(50),
        p99: sample.percentile(99),
        cpu: cpu / operations,
        disturbed: others.as_secs_f64() / wall.as_secs_f64(),
    })
}
