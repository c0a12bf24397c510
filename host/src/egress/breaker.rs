//! Leaving a service alone that does not answer.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::error::Health;
use crate::config::Origin;

/// Failures without a success between them after which requests are stopped.
const MOST_FAILURES: u32 = 5;

/// How long they are stopped at first. Each probe that fails doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Whether requests to one service go through:
///
/// - *closed*: they do. So many failures in a row open it;
/// - *open*: they do not, for a while. Then one may go through as a probe;
/// - *half open*: the probe is under way, and the others wait for what becomes of it: an answer
///   closes the breaker, a failure opens it for twice as long. A probe that is given up tells
///   nothing, and the next request is another.
///
/// An answer to a request from before closes it at any time; a failure of one tells nothing new.
#[derive(Debug, Default)]
pub(super) struct Breaker {
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

/// Leave to make one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Usual,
    Probe,
}

/// What an operator wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Opened { pause: Duration },
    Closed,
}

impl Breaker {
    /// The error is how long requests are stopped for yet; zero while a probe is under way.
    pub(super) fn admit(&mut self, now: Instant) -> Result<Leave, Duration> {
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

    /// What became of a request.
    pub(super) fn settle(&mut self, leave: Leave, health: Health, now: Instant) -> Option<Change> {
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

    const fn has_nothing_to_tell(&self) -> bool {
        matches!(self.state, State::Closed { failures: 0 })
    }
}

type Key = (Arc<str>, Origin);

/// One for each realm and origin: what a realm makes of its service touches no other.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    /// Those that have something to tell.
    by_key: Mutex<HashMap<Key, Breaker>>,
}

impl Breakers {
    pub(super) fn admit(
        self: &Arc<Self>,
        realm: &Arc<str>,
        origin: &Origin,
    ) -> Result<Passage, Duration> {
        let key = (Arc::clone(realm), origin.clone());
        let leave = match self.by_key.lock().get_mut(&key) {
            Some(breaker) => breaker.admit(Instant::now())?,
            None => Leave::Usual,
        };
        Ok(Passage {
            breakers: Arc::clone(self),
            key,
            leave,
            is_settled: false,
        })
    }

    fn settle(&self, key: &Key, leave: Leave, health: Health) -> Option<Change> {
        let mut by_key = self.by_key.lock();
        let breaker = by_key.entry(key.clone()).or_default();
        let change = breaker.settle(leave, health, Instant::now());
        if breaker.has_nothing_to_tell() {
            by_key.remove(key);
        }
        change
    }
}

/// A request on its way. Dropped without a word, it has told nothing.
#[derive(Debug)]
pub(super) struct Passage {
    breakers: Arc<Breakers>,
    key: Key,
    leave: Leave,
    is_settled: bool,
}

impl Passage {
    /// Notes what the request has shown, and tells the operator if that changes something.
    pub(super) fn settle(mut self, health: Health, why: impl FnOnce() -> String) {
        self.is_settled = true;
        let change = self.breakers.settle(&self.key, self.leave, health);
        let (realm, origin) = &self.key;
        match change {
            None => {}
            Some(Change::Opened { pause }) => {
                let why = why();
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    %realm, %origin, pause_ms, why,
                    "the service does not answer: requests to it are stopped"
                );
            }
            Some(Change::Closed) => tracing::info!(
                %realm, %origin,
                "the service answers again: requests go through"
            ),
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if !self.is_settled {
            self.breakers.settle(&self.key, self.leave, Health::Unknown);
        }
    }
}

#[cfg(test)]
mod tests;
