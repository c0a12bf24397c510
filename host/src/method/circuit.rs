//! Asking no more a method that keeps failing.

use std::{collections::HashMap, sync::Arc, time::Instant};

use parking_lot::Mutex;

use super::{Fault, guest::Label};
use crate::{
    breaker::{Breaker, Change, Forgives, Health, Leave},
    login::Verdict,
    transport::PeerSource,
};

/// Sources that something is known of at one time, per method: 100 KiB at most.
const MOST_SOURCES: usize = 1024;

/// Verdicts for clients of one source that make up for one fault that they led to.
const VERDICTS_FOR_A_FAULT: Forgives = Forgives::OneFor(10);

/// Whether a method of a realm is asked: every trap and every overrun costs as much as the limits let
/// it, so one that fails again and again is left alone, for longer and longer. There is one of these
/// for its `begin` and one for its `resume`: a challenge does not show that answers can be checked.
///
/// Many a fault can be had on purpose: whoever finds an input that a method traps on can send it as
/// often as they like. Were faults counted by themselves, or as a share of all calls, one client
/// could close a quiet realm to everybody for the price of a few connections. So there are two
/// circuits behind each other:
///
/// - one for each [`PeerSource`]. Five faults open it, and only that source is denied. Ten verdicts make up for one fault, so that it does
///   not help to send something good in between; and those who share an address with somebody
///   who does such things notice nothing while they are many;
/// - one for the method. It counts sources whose circuit has opened: five of them, with no verdict
///   for anybody in between, and everybody is denied. A verdict for whomever shows that the method
///   works, and closes it.
///
/// So a broken method is asked five times for each of five sources, then once a minute; and who
/// wants it closed to others needs five addresses and must see to it that nobody comes in meanwhile.
/// Behind a proxy that is not named in `[listener.proxy]` all clients are one source.
pub(super) struct Circuit {
    label: Arc<Label>,
    breakers: Mutex<Breakers>,
}

/// Whom a method is kept from, of its `begin` or of its `resume`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircuitState {
    /// From everybody.
    pub is_open: bool,
    /// From so many sources.
    pub sources: usize,
}

#[derive(Debug, Default)]
struct Breakers {
    method: Breaker,
    /// Those that have something to tell.
    sources: HashMap<PeerSource, Breaker>,
}

/// One call on its way. Dropped without a word, it has told nothing.
pub(super) struct Passage<'a> {
    circuit: &'a Circuit,
    source: PeerSource,
    of_the_source: Leave,
    of_the_method: Leave,
    is_settled: bool,
}

impl Circuit {
    pub(super) fn new(label: &Arc<Label>) -> Self {
        Self {
            label: Arc::clone(label),
            breakers: Mutex::default(),
        }
    }

    /// How it is now.
    pub(super) fn state(&self) -> CircuitState {
        let breakers = self.breakers.lock();
        let sources = breakers.sources.values();
        CircuitState {
            is_open: !breakers.method.is_closed(),
            sources: sources.filter(|breaker| !breaker.is_closed()).count(),
        }
    }

    pub(super) fn admit(&self, peer: &str) -> Result<Passage<'_>, Fault> {
        let source = PeerSource::of(peer);
        let now = Instant::now();
        let mut breakers = self.breakers.lock();
        let of_the_source = match breakers.sources.get_mut(&source) {
            Some(breaker) => breaker.admit(now).map_err(Fault::Stopped)?,
            None => Leave::Usual,
        };
        let of_the_method = match breakers.method.admit(now) {
            Ok(leave) => leave,
            Err(left) => {
                breakers.settle(&source, of_the_source, Health::Unknown, now);
                return Err(Fault::Stopped(left));
            }
        };
        drop(breakers);
        let Label {
            realm,
            step,
            revision,
        } = &*self.label;
        if of_the_method == Leave::Probe {
            tracing::info!(%realm, %step, %revision, "the method is tried again: one login goes to it");
        }
        if of_the_source == Leave::Probe {
            tracing::info!(
                %realm, %step, %revision, peer,
                "the method is tried again for these clients: one login goes to it"
            );
        }
        Ok(Passage {
            circuit: self,
            source,
            of_the_source,
            of_the_method,
            is_settled: false,
        })
    }
}

impl Breakers {
    fn settle(
        &mut self,
        source: &PeerSource,
        leave: Leave,
        health: Health,
        now: Instant,
    ) -> Option<Change> {
        if health != Health::Ill && !self.sources.contains_key(source) {
            return None;
        }
        if self.sources.len() >= MOST_SOURCES && !self.sources.contains_key(source) {
            self.sources.retain(|_, breaker| !breaker.is_closed());
            // What is forgotten may fail anew, each call within its limits.
            if self.sources.len() >= MOST_SOURCES {
                self.sources.clear();
            }
        }
        let breaker = self
            .sources
            .entry(source.clone())
            .or_insert_with(|| Breaker::forgiving(VERDICTS_FOR_A_FAULT));
        let change = breaker.settle(leave, health, now);
        if breaker.has_nothing_to_tell() {
            self.sources.remove(source);
        }
        change
    }
}

impl Passage<'_> {
    /// Takes note of what the call has shown, and tells the operator if that changes something.
    pub(super) fn settle(mut self, told: &Result<Verdict, Fault>) {
        self.is_settled = true;
        match told {
            Ok(_) => self.note(Health::Well, ""),
            Err(fault) if fault.is_of_the_method() => self.note(Health::Ill, &fault.to_string()),
            Err(_) => self.note(Health::Unknown, ""),
        }
    }

    fn note(&self, health: Health, why: &str) {
        let now = Instant::now();
        let mut breakers = self.circuit.breakers.lock();
        let was_closed = breakers
            .sources
            .get(&self.source)
            .is_none_or(Breaker::is_closed);
        let of_the_source = breakers.settle(&self.source, self.of_the_source, health, now);
        let has_opened = matches!(of_the_source, Some(Change::Opened { .. }));
        let health = match health {
            // One fault is a source's; many are the method's. But its probe was for all.
            Health::Ill if (was_closed && has_opened) || self.of_the_method == Leave::Probe => {
                Health::Ill
            }
            Health::Ill => Health::Unknown,
            other => other,
        };
        let of_the_method = breakers.method.settle(self.of_the_method, health, now);
        drop(breakers);
        self.tell_of_the_source(of_the_source, why);
        self.tell_of_the_method(of_the_method, why);
    }

    fn tell_of_the_source(&self, change: Option<Change>, why: &str) {
        let Label {
            realm,
            step,
            revision,
        } = &*self.circuit.label;
        let source = self.source.to_string();
        match change {
            None => {}
            Some(Change::Opened { pause }) => {
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    %realm, %step, %revision, source, pause_ms, why,
                    "the method keeps failing for these clients: their logins by it are denied"
                );
            }
            Some(Change::Closed) => tracing::info!(
                %realm, %step, %revision, source,
                "the method works again for these clients"
            ),
        }
    }

    fn tell_of_the_method(&self, change: Option<Change>, why: &str) {
        let Label {
            realm,
            step,
            revision,
        } = &*self.circuit.label;
        match change {
            None => {}
            Some(Change::Opened { pause }) => {
                let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::error!(
                    %realm, %step, %revision, pause_ms, why,
                    "the method keeps failing: all logins by it are denied"
                );
            }
            Some(Change::Closed) => {
                tracing::info!(%realm, %step, %revision, "the method works again");
            }
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.note(Health::Unknown, "");
        }
    }
}

#[cfg(test)]
mod tests;
