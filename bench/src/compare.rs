//! Measures all servers by turns, so that whatever changes on the machine meanwhile meets all.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use nix::unistd::Pid;

use crate::{
    client::Transport,
    load::{self, Case, Sample, Scenario},
    machine::{Cores, Machine, busy, cpu_of, stay_on, with_descendants},
    server::{Kind, Server},
    table::Table,
};

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What to measure; may be repeated [default: everything]
    #[arg(long = "only", value_enum)]
    only: Vec<Scenario>,
    /// Over which transport; may be repeated [default: WebSocket, and one of each over RawSocket]
    #[arg(long = "over", value_enum)]
    over: Vec<Transport>,
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
    for case in args.cases() {
        let servers: Vec<&Server> = servers
            .iter()
            .filter(|server| server.serves(case))
            .collect();
        for server in &servers {
            once(server, case, args.connections, WARM_UP)?;
        }
        let mut rounds = Vec::new();
        for round in 1..=args.rounds {
            xtask::say(format_args!(
                "{}: round {round} of {}",
                case.title(),
                args.rounds
            ));
            let mut measured = Vec::new();
            for server in &servers {
                measured.push(quietly(server, case, args.connections, length)?);
            }
            rounds.push(measured);
        }
        for (position, server) in servers.iter().enumerate() {
            let column = rounds
                .iter()
                .filter_map(|round| round.get(position).copied());
            table.add(case, server, column.collect());
        }
    }
    table.print()
}

impl CompareArgs {
    fn cases(&self) -> Vec<Case> {
        let cases = if self.over.is_empty() {
            Case::DEFAULT.to_vec()
        } else {
            let scenarios = Scenario::value_variants().iter();
            scenarios
                .flat_map(|scenario| self.over.iter().map(|over| Case::over(*over, *scenario)))
                .collect()
        };
        let wanted = |case: &Case| self.only.is_empty() || self.only.contains(&case.scenario);
        cases.into_iter().filter(wanted).collect()
    }
}

/// Under the directory that cargo builds into.
fn directory() -> PathBuf {
    xtask::root().join("target/bench")
}

/// Measures until nobody else takes part, or for some times.
pub fn quietly(
    server: &Server,
    case: Case,
    connections: usize,
    length: Duration,
) -> Result<Measured> {
    let mut best = once(server, case, connections, length)?;
    for _ in 0..AGAIN {
        if best.disturbed <= QUIET {
            break;
        }
        let another = once(server, case, connections, length)?;
        if another.disturbed < best.disturbed {
            best = another;
        }
    }
    Ok(best)
}

fn once(server: &Server, case: Case, connections: usize, length: Duration) -> Result<Measured> {
    let target = server
        .target(case.transport)
        .with_context(|| format!("{} is not there for {}", server.name, case.title()))?;
    let family = with_descendants(server.process.pid())?;
    let runtime = load::runtime()?;
    let (begin, busy_before) = (Instant::now(), busy()?);
    let (before, own_before) = (cpu_of(&family)?, cpu_of(&[Pid::this()])?);
    let sample: Sample = runtime.block_on(case.scenario.run(&target, connections, length))?;
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        compare: CompareArgs,
    }

    fn titles(arguments: &str) -> Vec<String> {
        let arguments = ["bench"].into_iter().chain(arguments.split_whitespace());
        let cases = Cli::parse_from(arguments).compare.cases();
        cases
            .into_iter()
            .map(|case| case.title().into_owned())
            .collect()
    }

    #[test]
    fn what_is_asked_for_is_measured() {
        // Each scenario over WebSocket, and two over RawSocket.
        assert_eq!(titles("").len(), Scenario::value_variants().len() + 2);
        assert_eq!(titles("--only cryptosign"), ["login by cryptosign"]);
        assert_eq!(
            titles("--only wamp-cra --only calls-json"),
            [
                "login by wampcra",
                "login by wampcra, RawSocket",
                "call, JSON"
            ]
        );
        assert_eq!(
            titles("--over rawsocket --only scram"),
            ["login by scram, RawSocket"]
        );
        assert_eq!(titles("--over rawsocket --over websocket").len(), 18);
    }
}
