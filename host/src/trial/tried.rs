//! A component, and how it did by a table.

use std::sync::Arc;

use super::{
    difference::differences,
    play::Turn,
    scene::{Candidate, Scene, TrialError},
    script::Script,
};
use crate::{
    config::TestTable,
    method::{Revision, Runtime, Source},
};

/// How a component did by a table.
#[derive(Debug)]
pub struct Tried {
    pub revision: Arc<Revision>,
    pub outcomes: Vec<Outcome>,
}

/// How it did by one attempt.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The table's name for the attempt.
    pub name: String,
    pub turns: Vec<Turn>,
    /// None: it passed.
    pub differences: Vec<String>,
}

impl Tried {
    /// Compiles a component and tries it by a table.
    ///
    /// # Errors
    ///
    /// If it does not come so far that it can be asked.
    pub async fn table(
        runtime: &Arc<Runtime>,
        source: Source,
        table: &TestTable,
    ) -> Result<Self, TrialError> {
        let candidate = Candidate::load(runtime, source).await?;
        Self::by(&candidate, table).await
    }

    async fn by(candidate: &Candidate, table: &TestTable) -> Result<Self, TrialError> {
        Ok(Self {
            revision: Arc::clone(&candidate.revision),
            outcomes: outcomes(candidate, table, 0).await?,
        })
    }

    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcomes.iter().all(|it| it.differences.is_empty())
    }
}

/// Tries a revision by a table before it serves: with the table's settings and credentials, and on the
/// runtime that it was compiled for.
///
/// # Errors
///
/// If it does not come so far that it can be asked.
pub async fn probe(
    runtime: &Arc<Runtime>,
    revision: &Arc<Revision>,
    table: &TestTable,
) -> Result<Tried, TrialError> {
    Tried::by(&Candidate::of(runtime, revision)?, table).await
}

/// All attempts of a table, one after the other.
pub(super) async fn outcomes(
    candidate: &Candidate,
    table: &TestTable,
    seed: u8,
) -> Result<Vec<Outcome>, TrialError> {
    let scene = Scene::set(candidate, table, seed).await?;
    let mut outcomes = Vec::new();
    for attempt in &table.attempts {
        let name = attempt.name.clone();
        outcomes.push(match Script::of(attempt) {
            Ok(script) => {
                let played = scene.play(&script).await;
                Outcome {
                    name,
                    differences: differences(attempt, &played),
                    turns: played.turns,
                }
            }
            // The host does not let it come so far.
            Err(why) => Outcome {
                name,
                differences: vec![why],
                turns: Vec::new(),
            },
        });
    }
    Ok(outcomes)
}
