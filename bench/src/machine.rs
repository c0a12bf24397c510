//! The machine that is measured on, and who else is using it.

use std::{fmt, fs, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::ClockId,
    unistd::Pid,
};

/// What a table must say for its numbers to mean something.
pub struct Machine {
    model: String,
    cores: usize,
    kernel: String,
}

impl Machine {
    pub fn this() -> Result<Self> {
        let info = fs::read_to_string("/proc/cpuinfo")?;
        let model = info
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown CPU", |rest| {
                rest.trim_start_matches([' ', '\t', ':'])
            });
        Ok(Self {
            model: model.to_owned(),
            cores: thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            model,
            cores,
            kernel,
        } = self;
        write!(f, "{model}, {cores} cores, Linux {kernel}")
    }
}

/// One core for the servers, another for the load.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    pub server: usize,
    pub load: usize,
}

impl Cores {
    pub fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(Pid::this())?;
        let mut cores = (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false));
        let (server, load) = (cores.next(), cores.next());
        Ok(Self {
            server: server.context("there is no core to run on")?,
            load: load.context("two cores are needed, one for the load")?,
        })
    }
}

/// Binds this thread, and what it starts from now on, to one core.
pub fn stay_on(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(())
}

/// The CPU time of some processes, their threads that have ended included.
pub fn cpu_of(processes: &[Pid]) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for process in processes {
        let clock = ClockId::pid_cpu_clock_id(*process)?;
        sum += Duration::from(clock.now()?);
    }
    Ok(sum)
}

/// A process and all that it has started.
pub fn with_descendants(process: Pid) -> Result<Vec<Pid>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(format!("/proc/{child}/stat")) else {
            continue;
        };
        // The name of the program stands in brackets, and can hold anything.
        let parent = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1))
            .and_then(|parent| parent.parse::<i32>().ok());
        if let Some(parent) = parent {
            parents.push((Pid::from_raw(child), Pid::from_raw(parent)));
        }
    }
    let mut family = vec![process];
    let mut next = 0;
    while let Some(member) = family.get(next).copied() {
        let children = parents.iter().filter(|(_, parent)| *parent == member);
        family.extend(children.map(|(child, _)| *child));
        next += 1;
    }
    Ok(family)
}

/// How long all cores together have been busy, whoever with: the kernel and other guests of the
/// same host included.
pub fn busy() -> Result<Duration> {
    /// The kernel counts in hundredths of a second.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let times: Vec<u32> = line
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    ensure!(times.len() >= 8, "/proc/stat is not understood");
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in `user`.
    let busy = [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|column| times.get(*column));
    Ok(TICK * busy.sum::<u32>())
}
