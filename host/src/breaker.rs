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
#[derive(Debug)]
pub struct Breaker {
    state: State,
    forgives: Forgives,
    /// How long it was open last, or will be.
    pause: Duration,
}

/// What a success means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forgives {
    /// That all is well.
    #[default]
    All,
    /// That it does not always fail: so many make up for one failure. Until all are made up for, the
    /// next pause is longer than the last one, and where there was one already the first failure
    /// leads to it.
    OneFor(u32),
}

#[derive(Debug)]
enum State {
    Closed { failures: u32, successes: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::forgiving(Forgives::All)
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
    pub const fn forgiving(forgives: Forgives) -> Self {
        Self {
            state: State::Closed {
                failures: 0,
                successes: 0,
            },
            forgives,
            pause: FIRST_PAUSE,
        }
    }

    /// The error is how long nothing goes through yet; zero while a probe is under way.
    pub fn admit(&mut self, now: Instant) -> Result<Leave, Duration> {
        match self.state {
            State::Closed { .. } => Ok(Leave::Usual),
            State::Open { until } if until <= now => {
                self.state = State::HalfOpen;
                Ok(Leave::Probe)
            }
            State::Open { until } => Err(until.duration_since(now)),
            State::HalfOpen => Err(Duration::ZERO),
        }
    }

    /// What became of it.
    pub fn settle(&mut self, leave: Leave, health: Health, now: Instant) -> Option<Change> {
        match (health, &mut self.state, leave) {
            (Health::Well, State::Closed { .. }, _) => {
                self.forgive();
                None
            }
            (Health::Well, _, _) => {
                self.close();
                Some(Change::Closed)
            }
            (Health::Ill, State::Closed { failures, .. }, _) => {
                *failures += 1;
                let is_enough = *failures >= MOST_FAILURES;
                is_enough.then(|| self.open(now))
            }
            (Health::Ill, State::HalfOpen, Leave::Probe) => {
                self.lengthen();
                Some(self.open(now))
            }
            (Health::Unknown, State::HalfOpen, Leave::Probe) => {
                self.state = State::Open { until: now };
                None
            }
            (Health::Ill | Health::Unknown, _, _) => None,
        }
    }

    fn open(&mut self, now: Instant) -> Change {
        let pause = self.pause;
        self.state = State::Open { until: now + pause };
        Change::Opened { pause }
    }

    fn lengthen(&mut self) {
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn close(&mut self) {
        match self.forgives {
            Forgives::All => *self = Self::default(),
            Forgives::OneFor(_) => {
                self.lengthen();
                self.state = State::Closed {
                    failures: MOST_FAILURES - 1,
                    successes: 0,
                };
            }
        }
    }

    fn forgive(&mut self) {
        let State::Closed {
            failures,
            successes,
        } = &mut self.state
        else {
            return;
        };
        match self.forgives {
            Forgives::All => *failures = 0,
            Forgives::OneFor(number) => {
                *successes += 1;
                if *successes >= number {
                    *failures = failures.saturating_sub(1);
                    *successes = 0;
                }
            }
        }
        if *failures == 0 {
            self.pause = FIRST_PAUSE;
        }
    }

    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    pub const fn has_nothing_to_tell(&self) -> bool {
        matches!(self.state, State::Closed { failures: 0, .. })
    }
}

#[cfg(test)]
mod tests;
