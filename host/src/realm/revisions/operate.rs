//! What operators do with revisions. Each makes a generation out of the present one: nothing is read
//! and nothing compiled, so it takes effect at once, whatever the files are like.

use std::{io, sync::Arc};

use super::{Aside, Held, History, Part, RevisionError, RevisionState, Staged};
use crate::{
    login::StepName,
    method::{Digest, Method},
    realm::{Generation, Realm, ledger::Rollback},
};

/// How often a change is tried anew because the realm's files have changed meanwhile.
const TRIES: usize = 8;

/// A step that asks an earlier revision again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    pub from: Digest,
    pub to: Digest,
    /// Why the next start will not know of it.
    pub unrecorded: Option<String>,
}

/// What was withdrawn by one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub withdrawn: Vec<Withdrawn>,
    /// Why the next start will not know of it.
    pub unrecorded: Option<String>,
}

/// A revision that decides about nobody any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    pub step: StepName,
    pub digest: Digest,
    /// Nobody can log in by the step, until another revision is there.
    pub was_live: bool,
}

impl Realm {
    /// Asks the revision again that a step had before. It stays so until the component's file
    /// changes, over starts of the router too.
    pub async fn roll_back(&self, step: &str) -> Result<RolledBack, RevisionError> {
        for _ in 0..TRIES {
            let (step, present) = self.step(step)?;
            let (changes, earlier) = {
                let mut held = self.held.lock();
                let changes = held.changes;
                let history = held.history(&step);
                let earlier = history.and_then(|history| history.usable().cloned());
                (changes, earlier)
            };
            let earlier = earlier.ok_or_else(|| RevisionError::NoEarlier(step.clone()))?;
            same_clients(&present, &earlier)?;
            let method = present
                .with_revision(Arc::clone(&earlier.revision), Arc::clone(&earlier.tenure))
                .await?;
            let method = Arc::new(method);
            let to = earlier.revision.digest;
            let rolled_back = self.change(changes, &present, |generation, history| {
                generation.methods.insert(step.clone(), method);
                generation.aside.remove(&step);
                history.go_back_to(earlier)
            });
            if let Some((from, file)) = rolled_back {
                let [was, is] = [from.short(), to.short()];
                tracing::warn!(realm = %self.name, %step, was, is, "rolled back");
                let ledger = Arc::clone(&self.held.lock().ledger);
                let rollback = Rollback { from: file, to };
                let recorded = ledger.roll_back(&self.name, &step, rollback);
                let unrecorded = self.unrecorded(&step, recorded);
                return Ok(RolledBack {
                    from,
                    to,
                    unrecorded,
                });
            }
        }
        Err(RevisionError::Restless)
    }

    /// Lets a revision decide about nobody any more: that of a step, or those whose digest begins
    /// with a text. Logins that are under way are told the same.
    pub fn withdraw(&self, which: &str) -> Result<Withdrawal, RevisionError> {
        let mut held = self.held.lock();
        let ledger = Arc::clone(&held.ledger);
        let mut withdrawn = Vec::new();
        let mut unrecorded = None;
        let mut unstaged = Vec::new();
        let is_step = held.steps.contains_key(&StepName::new(which));
        for (step, history) in &mut held.steps {
            let is_meant = |held: &Held, state: RevisionState| {
                if is_step {
                    step.as_str() == which && state == RevisionState::Live
                } else {
                    which.len() >= 8 && held.digest().to_string().starts_with(which)
                }
            };
            let all = history.all();
            let meant: Vec<(Held, RevisionState)> = all
                .filter(|(held, state)| is_meant(held, *state))
                .map(|(held, state)| (held.clone(), state))
                .collect();
            for (held, state) in meant {
                held.tenure.withdraw();
                let digest = held.digest();
                let recorded = ledger.withdraw(&self.name, step, digest);
                unrecorded = self.unrecorded(step, recorded).or(unrecorded);
                if matches!(state, RevisionState::Staged(_)) {
                    history.staged = None;
                    unstaged.push(step.clone());
                }
                let (was_live, revision) = (state == RevisionState::Live, digest.short());
                tracing::warn!(
                    realm = %self.name, %step, revision, was_live,
                    "a revision is withdrawn: it decides about nobody any more"
                );
                withdrawn.push(Withdrawn {
                    step: step.clone(),
                    digest,
                    was_live,
                });
            }
        }
        if withdrawn.is_empty() {
            return Err(RevisionError::NoSuchDigest {
                realm: Arc::clone(&self.name),
                digest: which.to_owned(),
            });
        }
        let generation = self.generation();
        for Withdrawn { digest, .. } in &withdrawn {
            let mut methods = generation.methods.values();
            let is_of_it = |method: &Arc<Method>| method.revision.digest == *digest;
            // Another step may go on with it.
            if !methods.any(|method| is_of_it(method) && !method.tenure.is_withdrawn()) {
                // A login that it has passed already does not become a session.
                self.bar(*digest);
            }
        }
        held.changes += 1;
        if !unstaged.is_empty() {
            self.replace(&mut held, |generation, _| {
                generation.aside.retain(|step, _| !unstaged.contains(step));
            });
        }
        Ok(Withdrawal {
            withdrawn,
            unrecorded,
        })
    }

    /// Takes a withdrawal back: that of a step's live revision, or those of digests that begin with a
    /// text.
    pub fn readmit(&self, which: &str) -> Result<Withdrawal, RevisionError> {
        let mut held = self.held.lock();
        let ledger = Arc::clone(&held.ledger);
        let mut readmitted = Vec::new();
        let mut unrecorded = None;
        for (step, history) in &held.steps {
            let live = history.live.digest();
            for digest in ledger.withdrawn(&self.name, step) {
                let is_live = digest == live;
                let is_named = which.len() >= 8 && digest.to_string().starts_with(which);
                if !(is_named || (step.as_str() == which && is_live)) {
                    continue;
                }
                let recorded = ledger.readmit(&self.name, step, digest);
                unrecorded = self.unrecorded(step, recorded).or(unrecorded);
                let of_it = history.all().filter(|(held, _)| held.digest() == digest);
                of_it.for_each(|(held, _)| held.tenure.readmit());
                let revision = digest.short();
                tracing::warn!(realm = %self.name, %step, revision, "a revision is not withdrawn any more");
                readmitted.push(Withdrawn {
                    step: step.clone(),
                    digest,
                    was_live: is_live,
                });
            }
        }
        if readmitted.is_empty() {
            return Err(RevisionError::NotWithdrawn {
                realm: Arc::clone(&self.name),
                which: which.to_owned(),
            });
        }
        held.changes += 1;
        // A new generation, so that those may get in who come by it.
        self.replace(&mut held, |_, _| {});
        Ok(Withdrawal {
            withdrawn: readmitted,
            unrecorded,
        })
    }

    /// What was decided holds, and the next start does not know of it.
    fn unrecorded(&self, step: &StepName, recorded: io::Result<()>) -> Option<String> {
        let error = recorded.err()?;
        tracing::error!(
            realm = %self.name, %step, %error,
            "what was decided about a revision cannot be written down: it holds until the router ends"
        );
        Some(error.to_string())
    }

    /// Keeps a revision ready for a step, in place of one that was.
    pub(in crate::realm) fn keep_staged(&self, step: &StepName, staged: Held) {
        let mut held = self.held.lock();
        // While it was tried, perhaps.
        let withdrawn = held.ledger.withdrawn(&self.name, step);
        if withdrawn.contains(&staged.digest()) {
            staged.tenure.withdraw();
        }
        if let Some(history) = held.history(step) {
            history.staged = Some(Staged {
                held: staged,
                part: Part::Idle,
            });
            held.changes += 1;
            self.replace(&mut held, |generation, _| {
                generation.aside.remove(step);
            });
        }
    }

    /// Says what the staged revision of a step does.
    pub async fn set_part(&self, step: &str, part: Part) -> Result<Digest, RevisionError> {
        for _ in 0..TRIES {
            let (step, present) = self.step(step)?;
            let (changes, staged) = {
                let mut held = self.held.lock();
                let changes = held.changes;
                let history = held.history(&step);
                let staged = history.and_then(|history| history.staged.clone());
                (changes, staged)
            };
            let Some(Staged { held: staged, .. }) = staged else {
                return Err(RevisionError::NotStaged(step));
            };
            let digest = staged.digest();
            if staged.tenure.is_withdrawn() {
                return Err(RevisionError::WasWithdrawn(digest.short()));
            }
            let aside = aside(&present, &staged, part).await?;
            let done = self.change(changes, &present, |generation, history| {
                match aside {
                    Some(aside) => _ = generation.aside.insert(step.clone(), aside),
                    None => _ = generation.aside.remove(&step),
                }
                if let Some(staged) = &mut history.staged {
                    staged.part = part;
                }
            });
            if done.is_some() {
                let revision = digest.short();
                tracing::info!(realm = %self.name, %step, revision, ?part, "a staged revision");
                return Ok(digest);
            }
        }
        Err(RevisionError::Restless)
    }

    /// Lets go of what is staged for a step.
    pub fn unstage(&self, step: &str) -> Result<Digest, RevisionError> {
        let (step, _) = self.step(step)?;
        let mut held = self.held.lock();
        let history = held.history(&step);
        let staged = history.and_then(|history| history.staged.take());
        let staged = staged.ok_or_else(|| RevisionError::NotStaged(step.clone()))?;
        held.changes += 1;
        self.replace(&mut held, |generation, _| {
            generation.aside.remove(&step);
        });
        Ok(staged.held.digest())
    }

    /// A revision has not stood its first logins.
    pub(in crate::realm) async fn fail_probation(&self, step: &StepName, digest: Digest) {
        let (revision, realm) = (digest.short(), &self.name);
        let is_live = {
            let mut held = self.held.lock();
            let history = held.history(step);
            history.is_some_and(|history| history.live.digest() == digest)
        };
        if !is_live {
            let idle = self.set_part(step.as_str(), Part::Idle).await;
            tracing::error!(
                %realm, %step, revision, stopped = idle.is_ok(),
                "too many of the first logins of a staged revision were faults of its own: it is \
                 asked no more"
            );
            return;
        }
        match self.roll_back(step.as_str()).await {
            Ok(RolledBack { to, .. }) => tracing::error!(
                %realm, %step, revision, is = to.short(),
                "too many of the first logins of a new revision were faults of its own: the one \
                 before is asked again"
            ),
            Err(error) => tracing::error!(
                %realm, %step, revision, %error,
                "too many of the first logins of a revision were faults of its own, and it goes on"
            ),
        }
    }

    fn step(&self, step: &str) -> Result<(StepName, Arc<Method>), RevisionError> {
        let generation = self.generation();
        let name = StepName::new(step);
        if let Some(method) = generation.methods.get(&name) {
            return Ok((name, Arc::clone(method)));
        }
        let mut steps: Vec<_> = generation.methods.keys().map(StepName::as_str).collect();
        steps.sort_unstable();
        Err(RevisionError::NoStep {
            realm: Arc::clone(&self.name),
            step: step.to_owned(),
            steps: steps.join(", "),
        })
    }

    /// Puts a changed copy of the present generation in place. None: nothing was done, since
    /// something has changed meanwhile.
    fn change<T>(
        &self,
        changes: u64,
        present: &Arc<Method>,
        change: impl FnOnce(&mut Generation, &mut History) -> T,
    ) -> Option<T> {
        let mut held = self.held.lock();
        let step = present.step().clone();
        let generation = self.generation();
        let is_present = generation.methods.get(&step);
        let is_present = is_present.is_some_and(|method| Arc::ptr_eq(method, present));
        if held.changes != changes || !is_present {
            return None;
        }
        held.changes += 1;
        let mut done = None;
        self.replace(&mut held, |generation, held| {
            done = held
                .history(&step)
                .map(|history| change(generation, history));
        });
        done
    }
}

impl History {
    /// The last that can still be asked.
    fn usable(&self) -> Option<&Held> {
        let mut earlier = self.earlier.iter();
        earlier.find(|held| !held.tenure.is_withdrawn())
    }

    /// Yields what is asked no more, and what the file holds.
    fn go_back_to(&mut self, earlier: Held) -> (Digest, Digest) {
        let at = self
            .earlier
            .iter()
            .position(|held| held.digest() == earlier.digest());
        // Those in between are passed over too.
        self.earlier.drain(..at.map_or(0, |at| at + 1));
        let before = std::mem::replace(&mut self.live, earlier);
        if let Some(staged) = &mut self.staged {
            staged.part = Part::Idle;
        }
        let digest = before.digest();
        // Rolled back twice, the file still holds the first.
        let file = self.instead_of.get_or_insert(before);
        (digest, file.digest())
    }
}

/// What logins meet of a staged revision.
pub(in crate::realm) async fn aside(
    present: &Arc<Method>,
    staged: &Held,
    part: Part,
) -> Result<Option<Aside>, RevisionError> {
    let (revision, tenure) = (Arc::clone(&staged.revision), Arc::clone(&staged.tenure));
    let method = match part {
        Part::Idle => return Ok(None),
        Part::Canary(_) => {
            same_clients(present, staged)?;
            present.with_revision(revision, tenure).await?
        }
        Part::Shadow => present.beside(revision, tenure).await?,
    };
    let method = Arc::new(method);
    Ok(Some(Aside { method, part }))
}

fn same_clients(present: &Method, other: &Held) -> Result<(), RevisionError> {
    if present.revision.manifest.clear_secret == other.revision.manifest.clear_secret {
        return Ok(());
    }
    Err(RevisionError::OtherClients)
}
