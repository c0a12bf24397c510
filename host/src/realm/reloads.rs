use std::collections::BTreeMap;

use parking_lot::Mutex;

/// What came of looking at realms' files that had changed.
#[derive(Debug, Default)]
pub struct Reloads(Mutex<BTreeMap<(ReloadOutcome, &'static str), u64>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReloadOutcome {
    /// A generation is in place.
    InPlace,
    /// What was there before goes on, if anything was.
    Refused,
}

impl ReloadOutcome {
    /// A word for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Refused => "refused",
        }
    }
}

/// The stage of what is refused before any component is looked at.
const FILE: &str = "file";

impl Reloads {
    pub(super) fn in_place(&self) {
        self.count(ReloadOutcome::InPlace, "");
    }

    /// The stage is that of a component's which was not passed, if it was one.
    pub(super) fn refused(&self, stage: Option<&'static str>) {
        self.count(ReloadOutcome::Refused, stage.unwrap_or(FILE));
    }

    fn count(&self, outcome: ReloadOutcome, stage: &'static str) {
        *self.0.lock().entry((outcome, stage)).or_default() += 1;
    }

    /// Each with its stage; it is empty where all stages were passed.
    pub fn counts(&self) -> Vec<(ReloadOutcome, &'static str, u64)> {
        let counts = self.0.lock();
        counts
            .iter()
            .map(|((outcome, stage), count)| (*outcome, *stage, *count))
            .collect()
    }
}
