//! The revisions of a realm's steps: those that are asked, those that were before them, and those
//! that wait to be.

mod operate;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use thiserror::Error;

use super::{Generation, Ledger};
use crate::{
    login::StepName,
    method::{Alarm, Digest, LoadError, Method, Outcomes, Probation, Revision, Tenure},
};

pub(super) use operate::aside;
pub use operate::{RolledBack, Withdrawal, Withdrawn};
pub use report::{Comparison, RevisionState, RevisionStatus};

/// How many earlier revisions of a step are kept ready. Each holds its machine code: 1 MB for a
/// method in Rust, up to 40 MB for one in Python.
const EARLIER: usize = 2;

/// What is known of the revisions of a realm.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// Boxed: a map's first node has room for eleven.
    steps: BTreeMap<StepName, Box<History>>,
    /// Where it is written down what operators decide.
    ledger: Arc<Ledger>,
    /// Counts what operators have changed, so that whoever makes a generation meanwhile notices.
    pub(super) changes: u64,
}

/// The revisions of one step.
#[derive(Debug)]
struct History {
    live: Held,
    /// What the component's file holds, where something else is asked: the step was rolled back.
    instead_of: Option<Held>,
    /// The last first.
    earlier: VecDeque<Held>,
    staged: Option<Staged>,
}

/// A revision that is ready, with what is known of its time in this step.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) revision: Arc<Revision>,
    pub(super) tenure: Arc<Tenure>,
}

#[derive(Clone, Debug)]
struct Staged {
    held: Held,
    part: Part,
}

/// What a staged revision does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// It waits.
    #[default]
    Idle,
    /// It decides about a share of the logins.
    Canary(Share),
    /// It is asked beside the live one, and decides nothing.
    Shadow,
}

/// A share of the logins, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u16);

/// A staged revision that logins meet.
#[derive(Clone, Debug)]
pub struct Aside {
    pub method: Arc<Method>,
    pub part: Part,
}

/// Why an operator's command about revisions was not carried out.
#[derive(Debug, Error)]
pub enum RevisionError {
    #[error("no [[login]] of the realm {realm} has the step {step}; its steps are: {steps}")]
    NoStep {
        realm: Arc<str>,
        step: String,
        steps: String,
    },
    #[error(
        "the step {0} has had no other revision since the router started, so there is none to go \
         back to; put the earlier component into the directory of the methods"
    )]
    NoEarlier(StepName),
    #[error("nothing is staged for the step {0}; see: countersign method stage --help")]
    NotStaged(StepName),
    #[error(
        "no revision of the realm {realm} that is asked, staged or kept has a digest that begins \
         with {digest}; see: countersign method list {realm}"
    )]
    NoSuchDigest { realm: Arc<str>, digest: String },
    #[error(
        "no revision of the realm {realm} is withdrawn whose step is {which}, or whose digest begins so; \
         see: countersign method list {realm}"
    )]
    NotWithdrawn { realm: Arc<str>, which: String },
    #[error(
        "the clients of one of the two revisions send their secret as it is, and those of the other do \
         not, so the realm's logins depend on which it is; put the component in its place instead"
    )]
    OtherClients,
    #[error(
        "the revision {0} was withdrawn from this step; put another component in its place, or take \
         that back: countersign method readmit"
    )]
    WasWithdrawn(String),
    #[error("the revision cannot be used with the realm's present settings: {0}")]
    Load(#[from] LoadError),
    #[error("the realm's files keep changing; try again")]
    Restless,
}

impl Share {
    pub const ALL: u16 = 1000;

    /// None for more than all.
    pub const fn new(thousandths: u16) -> Option<Self> {
        if thousandths <= Self::ALL {
            Some(Self(thousandths))
        } else {
            None
        }
    }

    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// Whether a login with this random number is among them.
    pub fn has(self, random: u64) -> bool {
        random % u64::from(Self::ALL) < u64::from(self.0)
    }
}

impl Held {
    fn digest(&self) -> Digest {
        self.revision.digest
    }
}

/// What a step's file holds, on its way into a generation.
pub(super) struct Terms {
    pub(super) realm: Arc<str>,
    pub(super) step: StepName,
    pub(super) probation: Option<Probation>,
    pub(super) alarm: Alarm,
    /// What came of the step's calls so far.
    pub(super) outcomes: Arc<Outcomes>,
    /// These decide about nobody, should they come back.
    pub(super) withdrawn: BTreeSet<Digest>,
}

impl Terms {
    fn tenure(&self, digest: Digest) -> Tenure {
        Tenure::new(
            Arc::clone(&self.realm),
            self.step.clone(),
            digest,
            self.probation,
            Some(Arc::clone(&self.alarm)),
        )
        .counted_in(Arc::clone(&self.outcomes))
    }

    /// The first time of a revision in this step.
    pub(super) fn fresh(&self, revision: Arc<Revision>) -> Held {
        let tenure = Arc::new(self.tenure(revision.digest));
        if self.withdrawn.contains(&revision.digest) {
            tenure.withdraw();
        }
        Held { revision, tenure }
    }
}

/// What a step is to be asked by.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) held: Held,
    /// What the component's file holds, where that is another.
    pub(super) instead_of: Option<Held>,
}

impl From<Held> for Chosen {
    fn from(held: Held) -> Self {
        Self {
            held,
            instead_of: None,
        }
    }
}

impl Revisions {
    pub(super) fn heeding(ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            ..Self::default()
        }
    }

    /// What is to be asked where the component's file holds this revision: another one where the
    /// step was rolled back and the file is as it was then. None where nothing is known of the step.
    pub(super) fn choose(&self, terms: &Terms, found: &Arc<Revision>) -> Option<Chosen> {
        let history = self.steps.get(&terms.step)?;
        let digest = found.digest;
        history.live.tenure.set_probation(terms.probation);
        if history.instead_of.as_ref().map(Held::digest) == Some(digest) {
            return Some(Chosen {
                held: history.live.clone(),
                instead_of: history.instead_of.clone(),
            });
        }
        let known = [
            Some(&history.live),
            history.staged.as_ref().map(|it| &it.held),
        ];
        let mut known = known.into_iter().flatten();
        let held = match known.find(|held| held.digest() == digest) {
            Some(known) => Held {
                revision: Arc::clone(found),
                tenure: Arc::clone(&known.tenure),
            },
            None => terms.fresh(Arc::clone(found)),
        };
        Some(held.into())
    }

    /// What is staged, and is to be met by logins.
    pub(super) fn aside(&self) -> Vec<(StepName, Held, Part)> {
        let histories = self.steps.iter();
        histories
            .filter_map(|(step, history)| {
                let Staged { held, part, .. } = history.staged.as_ref()?;
                (*part != Part::Idle).then(|| (step.clone(), held.clone(), *part))
            })
            .collect()
    }

    /// Takes note of a generation that was made from the files. `instead_of` is what they hold where
    /// the generation has something else.
    pub(super) fn settle(
        &mut self,
        generation: &Generation,
        mut instead_of: HashMap<StepName, Held>,
    ) {
        self.steps
            .retain(|step, _| generation.methods.contains_key(step));
        for (step, method) in &generation.methods {
            let live = Held {
                revision: Arc::clone(&method.revision),
                tenure: Arc::clone(&method.tenure),
            };
            let aside = generation.aside.get(step).map(|aside| aside.part);
            let instead_of = instead_of.remove(step);
            if let Some(history) = self.steps.get_mut(step) {
                history.go_on(live, instead_of, aside);
            } else {
                let history = History::of(live, instead_of);
                self.steps.insert(step.clone(), Box::new(history));
            }
            self.forget_rollback(&method.tenure.realm, step);
        }
    }

    /// A rollback is over when the component's file holds something else.
    fn forget_rollback(&self, realm: &str, step: &StepName) {
        let history = self.steps.get(step);
        if history.is_none_or(|history| history.instead_of.is_some()) {
            return;
        }
        if let Err(error) = self.ledger.forget_rollback(realm, step) {
            // It is of another file, so it does no harm.
            tracing::warn!(realm, %step, %error, "it stays written that the step was rolled back");
        }
    }

    fn history(&mut self, step: &StepName) -> Option<&mut History> {
        self.steps.get_mut(step).map(Box::as_mut)
    }
}

impl History {
    const fn of(live: Held, instead_of: Option<Held>) -> Self {
        Self {
            live,
            instead_of,
            earlier: VecDeque::new(),
            staged: None,
        }
    }

    fn go_on(&mut self, live: Held, instead_of: Option<Held>, aside: Option<Part>) {
        self.instead_of = instead_of;
        if let Some(staged) = &mut self.staged
            && aside.is_none()
        {
            // The new generation could not take it along.
            staged.part = Part::Idle;
        }
        if self.live.digest() == live.digest() {
            self.live = live;
            return;
        }
        if self.staged.as_ref().map(|staged| staged.held.digest()) == Some(live.digest()) {
            self.staged = None;
        }
        self.earlier.retain(|held| held.digest() != live.digest());
        let before = std::mem::replace(&mut self.live, live);
        self.earlier.push_front(before);
        self.earlier.truncate(EARLIER);
    }

    /// All that are held, by what becomes of each.
    fn all(&self) -> impl Iterator<Item = (&Held, RevisionState)> {
        let live = (&self.live, RevisionState::Live);
        let rolled_back = self.instead_of.iter();
        let rolled_back = rolled_back.map(|held| (held, RevisionState::RolledBack));
        let staged = self.staged.iter();
        let staged = staged.map(|staged| (&staged.held, RevisionState::Staged(staged.part)));
        let earlier = self.earlier.iter();
        let earlier = earlier.map(|held| (held, RevisionState::Earlier));
        [live]
            .into_iter()
            .chain(rolled_back)
            .chain(staged)
            .chain(earlier)
    }
}
