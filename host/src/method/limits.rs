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
    /// Octets that one call is handed.
    pub input: usize,
    /// Octets that one call returns, and that one call of a host function takes.
    pub output: usize,
    /// Octets of the log.
    pub log: usize,
    /// Octets that a challenge leaves with the host.
    pub state: usize,
    /// Handles that are open at one time: to credentials; and so many again to what the standard
    /// interfaces have.
    pub handles: usize,
    /// Calls of the host, of whatever kind.
    pub host_calls: u32,
    /// Passwords that are checked.
    pub passwords: u32,
    /// Requests over HTTP.
    pub requests: u32,
}

impl From<&CallLimits> for Limits {
    fn from(limits: &CallLimits) -> Self {
        Self {
            time: limits.time,
            wall: limits.wall,
            memory: limits.memory.length(),
            input: limits.input.length(),
            output: limits.output.length(),
            log: limits.log.length(),
            state: limits.state.length(),
            handles: limits.handles as usize,
            host_calls: limits.host_calls,
            passwords: limits.passwords,
            requests: limits.requests,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&CallLimits::default())
    }
}

/// A limit by its name in the realm's file, the log and the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    Time,
    Wall,
    Memory,
    Input,
    Output,
    Log,
    /// `challenge.state`.
    State,
    /// Handles of one instance that are open at a time.
    Handles,
    HostCalls,
    /// Passwords that are checked.
    Passwords,
    /// Requests over HTTP.
    Requests,
}

impl Limit {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Wall => "wall",
            Self::Memory => "memory",
            Self::Input => "input",
            Self::Output => "output",
            Self::Log => "log",
            Self::State => "state",
            Self::Handles => "handles",
            Self::HostCalls => "host_calls",
            Self::Passwords => "passwords",
            Self::Requests => "requests",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
