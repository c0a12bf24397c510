use std::{path::Path, sync::Arc};

use thiserror::Error;

use super::{
    ComponentError, Realm, RevisionError, Workshop,
    build::{Candidate, Frame},
    revisions::{Held, Terms},
};
use crate::{
    config::{self, ConfigError},
    login::StepName,
    method::{Digest, Trail},
    realm::Realms,
};

/// What came of trying a component.
#[derive(Debug)]
pub struct Staging {
    /// As far as it came.
    pub trail: Trail,
    pub outcome: Result<Digest, StageError>,
}

/// Why a component is not staged.
#[derive(Debug, Error)]
pub enum StageError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Component(#[from] ComponentError),
    #[error(transparent)]
    Revision(#[from] RevisionError),
    #[error("it is what the step is asked by already")]
    Live,
}

impl StageError {
    /// The stage that was not passed, where it was one.
    pub fn stage(&self) -> Option<&'static str> {
        match self {
            Self::Component(error) => Some(error.stage().name()),
            Self::Config(_) | Self::Revision(_) | Self::Live => None,
        }
    }
}

impl Workshop {
    /// Takes a component through all stages but the last, and keeps it ready for a step of a realm.
    /// `config` is the realm's file, and `table` the component's, where that is not beside it.
    pub async fn stage(
        &self,
        realms: &Arc<Realms>,
        realm: &Realm,
        config: &Path,
        step: &str,
        component: &Path,
        table: Option<&Path>,
    ) -> Staging {
        let mut trail = Trail::default();
        let candidate = Candidate {
            path: component,
            table,
        };
        let staging = self.try_out(realms, realm, config, step, candidate, &mut trail);
        let outcome = staging.await;
        Staging { trail, outcome }
    }

    async fn try_out(
        &self,
        realms: &Arc<Realms>,
        realm: &Realm,
        config: &Path,
        step: &str,
        candidate: Candidate<'_>,
        trail: &mut Trail,
    ) -> Result<Digest, StageError> {
        let generation = realm.generation();
        let config = config::Realm::read(config, &self.ceilings)?;
        let Some(method) = config.methods.get(step) else {
            let steps: Vec<_> = config
                .methods
                .keys()
                .map(config::StepName::as_str)
                .collect();
            let no_step = RevisionError::NoStep {
                realm: Arc::clone(&realm.name),
                step: step.to_owned(),
                steps: steps.join(", "),
            };
            return Err(no_step.into());
        };
        let step = StepName::new(step);
        let frame = Frame {
            config: &config,
            name: &realm.name,
            keyring: &generation.keyring,
            key_sets: &generation.key_sets,
            bulkhead: &self.bulkheads.of(&realm.name, config.limits),
            realms,
        };
        // The first time of a revision that is to be tried.
        let choose = |terms: &Terms, found: &_| Some(terms.fresh(Arc::clone(found)).into());
        let made = self.method(&frame, &step, method, candidate, choose, trail);
        let (made, _) = made.await?;
        let digest = made.revision.digest;
        let live = generation.methods.get(&step);
        if live.is_some_and(|live| live.revision.digest == digest) {
            return Err(StageError::Live);
        }
        if made.tenure.is_withdrawn() {
            return Err(RevisionError::WasWithdrawn(digest.short()).into());
        }
        let held = Held {
            revision: Arc::clone(&made.revision),
            tenure: Arc::clone(&made.tenure),
        };
        realm.keep_staged(&step, held);
        tracing::info!(realm = %realm.name, %step, revision = digest.short(), "a revision is staged");
        Ok(digest)
    }
}
