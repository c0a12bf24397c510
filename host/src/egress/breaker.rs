//! Leaving a service alone that does not answer.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{
    breaker::{Breaker, Change, Health, Leave},
    config::Origin,
};

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
