//! How many wrong answers a realm takes from one person.

use std::time::Duration;

use super::{document::Table, scalar::Word};

/// What wrong answers to a step lead to. They are counted for each authid; a right one makes the
/// count 0 again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessLimits {
    /// Wrong answers in a row that lock the step for the authid.
    pub most: u32,
    /// How long the first lock lasts; each further wrong answer makes the next one twice as long.
    pub lock: Duration,
    /// No lock lasts longer.
    pub longest: Duration,
    /// Wrong answers in a row after which the lock stays until an operator lifts it.
    pub total: u32,
    /// Where the step is a login's first one.
    pub first_step: FirstStep,
}

/// Whether wrong answers count in a first step, where anyone can give them in anyone's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstStep {
    /// They don't.
    #[default]
    Free,
    /// They do: anyone can lock anyone out.
    Counted,
}

impl GuessLimits {
    pub(super) fn take(mut table: Table<'_>) -> Self {
        let default = Self::default();
        let second = Duration::from_secs(1);
        let most = table.within_or("most", default.most, 1..=100);
        let lock = table.within_or("lock", default.lock, second..=86_400 * second);
        let longest = table.within_or("longest", default.longest, second..=30 * 86_400 * second);
        let total = table.within_or("total", default.total, 1..=10_000);
        let first_step = table.optional::<FirstStep>("first_step");
        Self {
            most,
            lock,
            // What is less than the first lock, or than what it takes to get there, means just that.
            longest: longest.max(lock),
            total: total.max(most),
            first_step: first_step
                .ok()
                .flatten()
                .map_or(default.first_step, |found| found.value),
        }
    }
}

impl Default for GuessLimits {
    /// For codes of six digits, of which three fit at a time: who guesses finds one with a
    /// probability of 0.03 % before the lock stays.
    fn default() -> Self {
        Self {
            most: 5,
            lock: Duration::from_mins(1),
            longest: Duration::from_hours(1),
            total: 100,
            first_step: FirstStep::default(),
        }
    }
}

impl Word for FirstStep {
    const FORM: &'static str = r#""free" or "counted""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("free", Self::Free), ("counted", Self::Counted)];
}
