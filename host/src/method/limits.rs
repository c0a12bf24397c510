use std::{fmt, time::Duration};

use crate::config::CallLimits;

/// What one call of a method may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Running time of the guest's own code.
    pub time: Duration,
    /// From the call to the verdict, with everything that it waits for.
    pub wall: Duration,
    /// Octets, over all memories and tables of the instance.
    pub memory: usize,
    /// Octets that one call returns, and that one call of a host function takes.
    pub output: usize,
    /// Octets of the log.
    pub log: usize,
}

impl From<&CallLimits> for Limits {
    fn from(limits: &CallLimits) -> Self {
        Self {
            time: limits.time,
            wall: limits.wall,
            memory: limits.memory.length(),
            output: limits.output.length(),
            log: limits.log.length(),
        }
    }
}

/// A limit by its name in the realm's file, the log and the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    Time,
    Wall,
    Memory,
    Output,
    Log,
    /// Handles of one instance that are open at a time.
    Handles,
    /// `challenge.state`.
    State,
    /// Requests over HTTP.
    Requests,
}

impl Limit {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Wall => "wall",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Log => "log",
            Self::Handles => "handles",
            Self::State => "state",
            Self::Requests => "requests",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
