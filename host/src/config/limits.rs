//! What one call of a method may take, what a realm may take of the router, and the operator's
//! ceilings over both.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{document::Table, quantity::Octets, scalar::Quantity};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What one call of a method may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Time on the CPU.
    pub time: Duration,
    /// Time on the clock, calls of the host included.
    pub wall: Duration,
    /// All memories and tables of the instance.
    pub memory: Octets,
    /// All that the call is handed.
    pub input: Octets,
    /// All that the call returns.
    pub output: Octets,
    /// All that the call logs.
    pub log: Octets,
    /// What a challenge leaves with the host.
    pub state: Octets,
    /// Handles that are open at one time.
    pub handles: u32,
    /// Calls of the host.
    pub host_calls: u32,
    /// Passwords that are checked.
    pub passwords: u32,
    /// Requests over HTTP.
    pub requests: u32,
    /// Challenges of one login's step.
    pub rounds: u32,
}

/// What one realm may take of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealmLimits {
    /// Logins under way.
    pub logins: u32,
    /// Calls of its methods under way.
    pub calls: u32,
    /// Calls that wait for one of these to end.
    pub queue: u32,
    /// How long each waits at most.
    pub wait: Duration,
}

/// The most that realms may write, as the operator has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceilings {
    pub call: CallLimits,
    pub realm: RealmLimits,
    /// Where they are written: for the errors.
    pub file: PathBuf,
}

/// From where limits come, for whoever writes one that is too high.
#[derive(Clone, Copy)]
struct Ceiling<'a> {
    table: &'static str,
    file: &'a Path,
}

/// Takes limits out of a table.
struct Reader<'d, 'a> {
    table: Table<'d>,
    /// None: it is the operator who speaks.
    ceiling: Option<Ceiling<'a>>,
}

impl Reader<'_, '_> {
    /// The limit, which lies in a range and under a ceiling. Without one in the file it is the
    /// default, or as much of that as the ceiling lets through.
    fn take<T: Quantity + Ord + Copy>(
        &mut self,
        key: &'static str,
        default: T,
        range: RangeInclusive<T>,
        most: T,
    ) -> T {
        let found = self.table.within(key, range).ok().flatten();
        let default = default.min(most);
        let Some(found) = found else { return default };
        let (Some(Ceiling { table, file }), true) = (self.ceiling, found.value > most) else {
            return found.value;
        };
        self.table.problems.report(found.at, || {
            format!(
                "{key:?} is {}, more than the operator lets realms have; write {} or less, or have \
                 {key:?} raised under [{table}] in {}",
                found.value.written(),
                most.written(),
                file.display()
            )
        });
        default
    }
}

impl Ceilings {
    /// Takes `[limits]` of `countersign.toml`, which is `file`.
    pub(super) fn take(mut table: Table<'_>, file: &Path) -> Self {
        Self {
            call: CallLimits::read(
                table.table("call"),
                &CallLimits::MOST,
                &CallLimits::MOST,
                None,
            ),
            realm: RealmLimits::read(
                table.table("realm"),
                &RealmLimits::default(),
                &RealmLimits::MOST,
                None,
            ),
            file: file.to_owned(),
        }
    }

    fn of(&self, table: &'static str) -> Ceiling<'_> {
        Ceiling {
            table,
            file: &self.file,
        }
    }
}

impl Default for Ceilings {
    /// What holds where `countersign.toml` says nothing.
    fn default() -> Self {
        Self {
            call: CallLimits::MOST,
            realm: RealmLimits::default(),
            file: "countersign.toml".into(),
        }
    }
}

impl CallLimits {
    /// What a file can say at all.
    pub const MOST: Self = Self {
        time: Duration::from_secs(10),
        wall: Duration::from_mins(10),
        // The largest memory that the engine has places for.
        memory: Octets::mib(512),
        input: Octets::mib(16),
        output: Octets::mib(16),
        log: Octets::mib(16),
        // The contract says so.
        state: Octets::kib(4),
        handles: 1024,
        host_calls: 10_000_000,
        passwords: 64,
        requests: 64,
        rounds: 100,
    };

    /// Takes `[method.STEP.limits]`.
    pub(super) fn take(table: Table<'_>, ceilings: &Ceilings) -> Self {
        let ceiling = ceilings.of("limits.call");
        Self::read(table, &Self::default(), &ceilings.call, Some(ceiling))
    }

    /// What holds where a realm's file says nothing.
    pub(super) fn below(ceilings: &Ceilings) -> Self {
        let (default, most) = (Self::default(), &ceilings.call);
        Self {
            time: default.time.min(most.time),
            wall: default.wall.min(most.wall),
            memory: default.memory.min(most.memory),
            input: default.input.min(most.input),
            output: default.output.min(most.output),
            log: default.log.min(most.log),
            state: default.state.min(most.state),
            handles: default.handles.min(most.handles),
            host_calls: default.host_calls.min(most.host_calls),
            passwords: default.passwords.min(most.passwords),
            requests: default.requests.min(most.requests),
            rounds: default.rounds.min(most.rounds),
        }
    }

    fn read(table: Table<'_>, default: &Self, most: &Self, ceiling: Option<Ceiling<'_>>) -> Self {
        let mut limits = Reader { table, ceiling };
        let octet = Octets::new(1);
        Self {
            time: limits.take(
                "time",
                default.time,
                MILLISECOND..=Self::MOST.time,
                most.time,
            ),
            wall: limits.take(
                "wall",
                default.wall,
                MILLISECOND..=Self::MOST.wall,
                most.wall,
            ),
            // One page of WebAssembly.
            memory: limits.take(
                "memory",
                default.memory,
                Octets::kib(64)..=Self::MOST.memory,
                most.memory,
            ),
            input: limits.take(
                "input",
                default.input,
                Octets::kib(1)..=Self::MOST.input,
                most.input,
            ),
            output: limits.take(
                "output",
                default.output,
                octet..=Self::MOST.output,
                most.output,
            ),
            log: limits.take("log", default.log, octet..=Self::MOST.log, most.log),
            state: limits.take("state", default.state, octet..=Self::MOST.state, most.state),
            // The standard libraries of some languages hold a few for themselves.
            handles: limits.take(
                "handles",
                default.handles,
                8..=Self::MOST.handles,
                most.handles,
            ),
            host_calls: limits.take(
                "host_calls",
                default.host_calls,
                1..=Self::MOST.host_calls,
                most.host_calls,
            ),
            passwords: limits.take(
                "passwords",
                default.passwords,
                0..=Self::MOST.passwords,
                most.passwords,
            ),
            requests: limits.take(
                "requests",
                default.requests,
                0..=Self::MOST.requests,
                most.requests,
            ),
            rounds: limits.take("rounds", default.rounds, 0..=Self::MOST.rounds, most.rounds),
        }
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(50),
            wall: Duration::from_secs(10),
            memory: Octets::mib(64),
            input: Octets::kib(256),
            output: Octets::kib(64),
            log: Octets::kib(8),
            state: Octets::kib(4),
            handles: 64,
            host_calls: 10_000,
            passwords: 4,
            requests: 8,
            rounds: 8,
        }
    }
}

impl RealmLimits {
    const MOST: Self = Self {
        logins: 1_000_000,
        // The engine has places for so many, of all realms.
        calls: 256,
        queue: 1_000_000,
        wait: Duration::from_mins(1),
    };

    /// Takes `[limits]` of a realm's file.
    pub(super) fn take(table: Table<'_>, ceilings: &Ceilings) -> Self {
        let ceiling = ceilings.of("limits.realm");
        Self::read(table, &ceilings.realm, &ceilings.realm, Some(ceiling))
    }

    fn read(table: Table<'_>, default: &Self, most: &Self, ceiling: Option<Ceiling<'_>>) -> Self {
        let mut limits = Reader { table, ceiling };
        Self {
            logins: limits.take("logins", default.logins, 1..=Self::MOST.logins, most.logins),
            calls: limits.take("calls", default.calls, 1..=Self::MOST.calls, most.calls),
            queue: limits.take("queue", default.queue, 0..=Self::MOST.queue, most.queue),
            wait: limits.take(
                "wait",
                default.wait,
                MILLISECOND..=Self::MOST.wait,
                most.wait,
            ),
        }
    }
}

impl Default for RealmLimits {
    fn default() -> Self {
        Self {
            logins: 2_500,
            calls: 64,
            queue: 256,
            wait: 5 * SECOND,
        }
    }
}

#[cfg(test)]
mod tests;
