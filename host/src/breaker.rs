//! Leaving alone for a while what does not work.

use std::time::{Duration, Instant};

/// Failures without a success between them after which nothing goes through.
pub const MOST_FAILURES: u32 = 5;

/// How long nothing goes through at first. Each probe that fails doubles it.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Whether what is asked of somebody goes through:
///
/// - *closed*: it does. So many failures in a row open it;
/// - *open*: it does not, for a while. Then one may go through as a probe;
/// - *half open*: the probe is under way, and the others wait for what becomes of it: a success
///   closes the breaker, a failure opens it for twice as long. A probe that is given up tells
///   nothing, and the next one who asks is another.
///
/// A success from before closes it at any time; a failure from before tells nothing new.
#[derive(Debug, Default)]
pub struct Breaker {
    state: State,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, pause: Duration },
    HalfOpen { pause: Duration },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// Leave to go through once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    Usual,
    Probe,
}

/// What something has shown of the one that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers, be it that one does not like the answer.
    Well,
    Ill,
    /// It was not even asked.
    Unknown,
}

/// What an operator wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Opened { pause: Duration },
    Closed,
}

impl Breaker {
    /// The error is how long nothing goes through yet; zero while a probe is under way.
    pub fn admit(&mut self, now: Instant) -> Result<Leave, Duration> {
        match self.state {
            State::Closed { .. } => Ok(Leave::Usual),
            State::Open { until, pause } if until <= now => {
                self.state = State::HalfOpen { pause };
                Ok(Leave::Probe)
            }
            State::Open { until, .. } => Err(until.duration_since(now)),
            State::HalfOpen { .. } => Err(Duration::ZERO),
        }
    }

    /// What became of it.
    pub fn settle(&mut self, leave: Leave, health: Health, now: Instant) -> Option<Change> {
        match (health, &mut self.state, leave) {
            (Health::Well, State::Closed { failures }, _) => {
                *failures = 0;
                None
            }
            (Health::Well, _, _) => {
                self.state = State::default();
                Some(Change::Closed)
            }
            (Health::Ill, State::Closed { failures }, _) => {
                *failures += 1;
                let is_enough = *failures >= MOST_FAILURES;
                is_enough.then(|| self.open(FIRST_PAUSE, now))
            }
            (Health::Ill, State::HalfOpen { pause }, Leave::Probe) => {
                let pause = (*pause * 2).min(LONGEST_PAUSE);
                Some(self.open(pause, now))
            }
            (Health::Unknown, State::HalfOpen { pause }, Leave::Probe) => {
                self.state = State::Open {
                    until: now,
                    pause: *pause,
                };
                None
            }
            (Health::Ill | Health::Unknown, _, _) => None,
        }
    }

    fn open(&mut self, pause: Duration, now: Instant) -> Change {
        self.state = State::Open {
            until: now + pause,
            pause,
        };
        Change::Opened { pause }
    }

    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    pub const fn has_nothing_to_tell(&self) -> bool {
        matches!(self.state, State::Closed { failures: 0 })
    }
}

#[cfg(test)]
mod tests;
