use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{Digest, Fault, Outcomes};
use crate::{
    login::{StepName, Verdict},
    observe::Latency,
};

/// The time of one revision in one step of a realm, from its first login on: what came of its
/// calls. It goes on while the realm's generations change and the revision stays.
pub struct Tenure {
    pub realm: Arc<str>,
    pub step: StepName,
    pub digest: Digest,
    pub since: SystemTime,
    pub calls: Tally,
    /// Of the step, whichever revision it had.
    pub outcomes: Arc<Outcomes>,
    /// What the same calls came to that it was asked beside the live revision.
    pub beside: Comparison,
    withdrawn: AtomicBool,
    probation: Mutex<Option<Probation>>,
    alarm: Option<Alarm>,
    rang: AtomicBool,
}

/// Is told once of a tenure whose revision fails its probation.
pub type Alarm = Arc<dyn Fn(&Tenure) + Send + Sync>;

/// How many of a revision's first logins may be faults of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// So many are too many
    pub faults: u64,
    /// among so many logins.
    pub of: u64,
}

/// What came of calls.
#[derive(Debug, Default)]
pub struct Tally {
    /// Logins that passed the step.
    pub accepted: AtomicU64,
    /// Logins that the method denied.
    pub denied: AtomicU64,
    /// Logins in which it trapped, ran into a limit, or returned nonsense.
    pub faults: AtomicU64,
    /// Logins that it could not decide about, or that the router had no room for.
    pub undecided: AtomicU64,
    pub latency: Latency,
}

/// How many logins a shadow may follow at one time. Each may hold an instance.
const BESIDE: usize = 16;

/// What came of calls beside the live revision.
#[derive(Debug)]
pub struct Comparison {
    pub(super) room: Arc<Semaphore>,
    pub agreed: AtomicU64,
    pub disagreed: AtomicU64,
    /// There was no room, or the method wanted what it must not do there.
    pub skipped: AtomicU64,
}

impl Tenure {
    pub fn new(
        realm: Arc<str>,
        step: StepName,
        digest: Digest,
        probation: Option<Probation>,
        alarm: Option<Alarm>,
    ) -> Self {
        Self {
            realm,
            step,
            digest,
            since: SystemTime::now(),
            calls: Tally::default(),
            outcomes: Arc::default(),
            beside: Comparison::default(),
            withdrawn: AtomicBool::new(false),
            probation: Mutex::new(probation),
            alarm,
            rang: AtomicBool::new(false),
        }
    }

    /// The same, whose calls are counted among those of the step.
    #[must_use]
    pub fn counted_in(mut self, outcomes: Arc<Outcomes>) -> Self {
        self.outcomes = outcomes;
        self
    }

    /// The realm's file says something else now.
    pub fn set_probation(&self, probation: Option<Probation>) {
        *self.probation.lock() = probation;
    }

    /// From now on the revision decides about nobody in this step.
    pub fn withdraw(&self) {
        self.withdrawn.store(true, SeqCst);
    }

    /// It may again.
    pub fn readmit(&self) {
        self.withdrawn.store(false, SeqCst);
    }

    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(SeqCst)
    }

    /// Takes note of what came of a call.
    pub(super) fn note(&self, verdict: &Result<Verdict, Fault>, took: Duration) {
        self.calls.note(verdict, took);
        self.outcomes.note(verdict, took);
        let is_fault = verdict.as_ref().is_err_and(Fault::is_the_methods);
        if is_fault
            && self.fails_probation()
            && !self.rang.swap(true, SeqCst)
            && let Some(alarm) = &self.alarm
        {
            alarm(self);
        }
    }

    fn fails_probation(&self) -> bool {
        self.probation.lock().is_some_and(|probation| {
            self.calls.judged() <= probation.of && self.calls.faults() >= probation.faults
        })
    }
}

impl Default for Comparison {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(BESIDE)),
            agreed: AtomicU64::default(),
            disagreed: AtomicU64::default(),
            skipped: AtomicU64::default(),
        }
    }
}

impl Fault {
    /// Whether it was the method's own doing.
    pub const fn is_the_methods(&self) -> bool {
        self.may_be_guess()
    }
}

impl Tally {
    fn note(&self, verdict: &Result<Verdict, Fault>, took: Duration) {
        self.latency.note(took);
        let count = match verdict {
            Ok(Verdict::Accept(_)) => &self.accepted,
            Ok(Verdict::Deny(_)) => &self.denied,
            Err(fault) if fault.is_the_methods() => &self.faults,
            Err(_) => &self.undecided,
            Ok(Verdict::Challenge(_) | Verdict::NotMine) => return,
        };
        count.fetch_add(1, Relaxed);
    }

    /// Logins that tell something of the method.
    pub fn judged(&self) -> u64 {
        let counts = [&self.accepted, &self.denied, &self.faults];
        counts.into_iter().map(|count| count.load(Relaxed)).sum()
    }

    pub fn faults(&self) -> u64 {
        self.faults.load(Relaxed)
    }
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenure")
            .field("realm", &self.realm)
            .field("step", &self.step)
            .field("digest", &self.digest)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenure(probation: Option<Probation>) -> (Tenure, Arc<AtomicU64>) {
        let rung = Arc::new(AtomicU64::default());
        let count = Arc::clone(&rung);
        let alarm: Alarm = Arc::new(move |_| _ = count.fetch_add(1, SeqCst));
        let tenure = Tenure::new(
            "realm1".into(),
            StepName::new("ticket"),
            Digest::of(b""),
            probation,
            Some(alarm),
        );
        (tenure, rung)
    }

    fn note(tenure: &Tenure, verdicts: &[Result<Verdict, Fault>]) {
        for verdict in verdicts {
            tenure.note(verdict, Duration::from_micros(10));
        }
    }

    fn trap() -> Result<Verdict, Fault> {
        Err(Fault::Trapped("on purpose".into()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a call returns it")]
    fn denial() -> Result<Verdict, Fault> {
        Ok(Verdict::Deny("no".into()))
    }

    const PROBATION: Probation = Probation { faults: 2, of: 5 };

    #[test]
    fn the_alarm_is_rung_once_for_too_many_faults_among_the_first_logins() {
        let (tenure, rung) = tenure(Some(PROBATION));
        note(&tenure, &[denial(), trap(), denial()]);
        assert_eq!(rung.load(SeqCst), 0);
        note(&tenure, &[trap(), trap(), trap()]);
        assert_eq!(rung.load(SeqCst), 1);
    }

    #[test]
    fn who_has_stood_the_test_is_not_judged_any_more() {
        let (tenure, rung) = tenure(Some(PROBATION));
        note(&tenure, &[denial(), denial(), denial(), denial(), trap()]);
        note(&tenure, &[trap(), trap(), trap()]);
        assert_eq!(rung.load(SeqCst), 0);
    }

    #[test]
    fn what_is_no_fault_of_the_methods_does_not_count_as_one() {
        let (tenure, rung) = tenure(Some(PROBATION));
        let overload = || Err(Fault::Overload("busy".into()));
        let undecided = || Err(Fault::Undecided("no answer".into()));
        note(&tenure, &[overload(), undecided(), overload(), undecided()]);
        assert_eq!(rung.load(SeqCst), 0);
        assert_eq!(tenure.calls.judged(), 0);
        let (free, rung) = self::tenure(None);
        note(&free, &[trap(), trap(), trap()]);
        assert_eq!(rung.load(SeqCst), 0);
        assert_eq!(free.calls.faults(), 3);
    }
}
