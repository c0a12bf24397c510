//! What came of the calls of a step, for as long as the realm has it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::Fault;
use crate::{
    login::{StepName, Verdict},
    observe::{Latency, Spread},
};

/// All that can come of a call: four verdicts, and the labels of faults.
const LABELS: [&str; 22] = [
    "accept",
    "deny",
    "challenge",
    "not-mine",
    "time",
    "wall",
    "memory",
    "input",
    "output",
    "log",
    "state",
    "handles",
    "host_calls",
    "passwords",
    "requests",
    "trap",
    "malformed",
    "undecided",
    "store",
    "overload",
    "withdrawn",
    "stopped",
];

/// Counts of one step's calls, over all its revisions. A call costs it three additions.
#[derive(Debug, Default)]
pub struct Outcomes {
    counts: [AtomicU64; LABELS.len()],
    took: Latency,
}

impl Outcomes {
    pub(super) fn note(&self, verdict: &Result<Verdict, Fault>, took: Duration) {
        self.count(label(verdict));
        self.took.note(took);
    }

    /// A call that was not made.
    pub(super) fn refuse(&self, fault: &Fault) {
        self.count(fault.label());
    }

    fn count(&self, label: &str) {
        let mut counts = LABELS.iter().zip(&self.counts);
        if let Some((_, count)) = counts.find(|(known, _)| **known == label) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Those that there were.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = LABELS.iter().zip(&self.counts);
        let counts = counts.map(|(label, count)| (*label, count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0)
    }

    /// How long one call took, also one that came to nothing.
    pub fn took(&self) -> Spread {
        self.took.spread()
    }
}

const fn label(verdict: &Result<Verdict, Fault>) -> &'static str {
    match verdict {
        Ok(Verdict::Accept(_)) => "accept",
        Ok(Verdict::Deny(_)) => "deny",
        Ok(Verdict::Challenge(_)) => "challenge",
        Ok(Verdict::NotMine) => "not-mine",
        Err(fault) => fault.label(),
    }
}

/// The counts of each step that some revision holds.
#[derive(Debug, Default)]
pub struct OutcomesOfSteps(Mutex<HashMap<StepOfRealm, Weak<Outcomes>>>);

type StepOfRealm = (Arc<str>, StepName);

impl OutcomesOfSteps {
    pub fn of(&self, realm: &Arc<str>, step: &StepName) -> Arc<Outcomes> {
        let mut all = self.0.lock();
        let key = (Arc::clone(realm), step.clone());
        if let Some(known) = all.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, outcomes| outcomes.strong_count() > 0);
        let outcomes = Arc::default();
        all.insert(key, Arc::downgrade(&outcomes));
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Limit;

    fn faults() -> Vec<Fault> {
        let limits = [
            Limit::Time,
            Limit::Wall,
            Limit::Memory,
            Limit::Input,
            Limit::Output,
            Limit::Log,
            Limit::State,
            Limit::Handles,
            Limit::HostCalls,
            Limit::Passwords,
            Limit::Requests,
        ];
        let others = [
            Fault::Trapped(String::new()),
            Fault::Malformed(String::new()),
            Fault::Undecided(String::new()),
            Fault::Store(String::new()),
            Fault::Overload(String::new()),
            Fault::Withdrawn,
            Fault::Stopped(Duration::ZERO),
        ];
        limits
            .into_iter()
            .map(Fault::Overrun)
            .chain(others)
            .collect()
    }

    #[test]
    fn every_fault_is_counted_by_its_label() {
        let outcomes = Outcomes::default();
        let faults = faults();
        for fault in &faults {
            outcomes.note(&Err(fault.clone()), Duration::ZERO);
        }
        let counted: Vec<_> = outcomes.counts().collect();
        let expected: Vec<_> = faults.iter().map(|fault| (fault.label(), 1)).collect();
        assert_eq!(counted, expected);
        // Those, and the four verdicts.
        assert_eq!(faults.len() + 4, LABELS.len());
    }

    #[test]
    fn a_step_goes_on_counting_until_nobody_holds_it() {
        let steps = OutcomesOfSteps::default();
        let (realm, step) = ("realm1".into(), StepName::new("ticket"));
        let first = steps.of(&realm, &step);
        first.refuse(&Fault::Withdrawn);
        let second = steps.of(&realm, &step);
        assert_eq!(second.counts().next(), Some(("withdrawn", 1)));
        drop((first, second));
        assert_eq!(steps.of(&realm, &step).counts().next(), None);
    }
}
