use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use super::Part;
use crate::{
    login::StepName,
    method::{Digest, Manifest, Revision, Tenure},
    realm::Realm,
};

/// What becomes of a revision in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionState {
    /// It is asked.
    Live,
    /// The component's file holds it, and an earlier one is asked.
    RolledBack,
    Staged(Part),
    /// The step can be rolled back to it.
    Earlier,
}

/// A revision of a step, and how it does.
#[derive(Debug)]
pub struct RevisionStatus {
    pub step: StepName,
    pub digest: Digest,
    pub manifest: Manifest,
    pub state: RevisionState,
    pub is_withdrawn: bool,
    pub since: SystemTime,
    /// Logins that passed the step.
    pub accepted: u64,
    /// Logins that it denied,
    pub denied: u64,
    /// in which it failed,
    pub faults: u64,
    /// and that were not decided.
    pub undecided: u64,
    /// Of one call; none where there was none.
    pub mean: Option<Duration>,
    pub p99: Option<Duration>,
    /// What came of asking it beside the live one.
    pub beside: Comparison,
}

/// How often two revisions said the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub agreed: u64,
    pub disagreed: u64,
    pub skipped: u64,
}

impl Realm {
    /// All revisions that this realm holds.
    pub fn revisions(&self) -> Vec<RevisionStatus> {
        let revisions = self.held.lock();
        let steps = revisions.steps.iter();
        steps
            .flat_map(|(step, history)| {
                let statuses = history.all();
                statuses.map(|(held, state)| status(step, &held.revision, &held.tenure, state))
            })
            .collect()
    }
}

fn status(
    step: &StepName,
    revision: &Arc<Revision>,
    tenure: &Arc<Tenure>,
    state: RevisionState,
) -> RevisionStatus {
    let Tenure { calls, beside, .. } = &**tenure;
    RevisionStatus {
        step: step.clone(),
        digest: revision.digest,
        manifest: revision.manifest.clone(),
        state,
        is_withdrawn: tenure.is_withdrawn(),
        since: tenure.since,
        accepted: calls.accepted.load(Relaxed),
        denied: calls.denied.load(Relaxed),
        faults: calls.faults.load(Relaxed),
        undecided: calls.undecided.load(Relaxed),
        mean: calls.latency.mean(),
        p99: calls.latency.percentile(99),
        beside: Comparison {
            agreed: beside.agreed.load(Relaxed),
            disagreed: beside.disagreed.load(Relaxed),
            skipped: beside.skipped.load(Relaxed),
        },
    }
}
