//! Components on trial before they go live: by the table beside them, and, where somebody requires it,
//! by what every method must stand.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use thiserror::Error;

use crate::{
    config::{ConfigError, TestTable},
    method::{Digest, Revision, Runtime, RuntimeError, Source},
    trial::{self, Conformance, Severity, TrialError, Tried},
};

/// Why a component does not go live.
#[derive(Debug, Error)]
pub enum TrialFailure {
    #[error("its table is wrong: {0}")]
    Table(#[from] ConfigError),
    #[error("it cannot be tried: {0}")]
    Trial(#[from] TrialError),
    #[error(
        "it does not say what its table expects: {attempt:?}: {difference}; `countersign method test` \
         tells all"
    )]
    Differs { attempt: String, difference: String },
    #[error(
        "it does not conform, which is required: {rule}: {what}; `countersign method conform` tells \
         all"
    )]
    Fails { rule: &'static str, what: String },
    #[error("there is no runtime for a trial: {0}")]
    Runtime(#[from] RuntimeError),
    #[error("its file cannot be read once more: {0}")]
    Unreadable(#[from] io::Error),
    #[error("its file has changed while it was loaded")]
    Changed,
}

/// What has passed its trial need not stand it again, however many realms use it.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// The operator requires it of all.
    pub(super) conform: bool,
    passed: Mutex<HashSet<Passed>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Passed {
    component: Digest,
    table: Option<Digest>,
    conforms: bool,
}

/// What a component has stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stood {
    /// There was no table, and nothing was required.
    Nothing,
    Table,
    All,
}

impl Stood {
    /// For a person.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "there is no table",
            Self::Table => "by its table",
            Self::All => "it conforms",
        }
    }
}

impl Trials {
    /// `conform`: the realm requires it.
    pub(super) async fn stand(
        &self,
        runtime: &Arc<Runtime>,
        revision: &Arc<Revision>,
        component: &Path,
        table: Table,
        conform: bool,
    ) -> Result<Stood, TrialFailure> {
        let Table { path, is_required } = table;
        let is_there = is_required || path.exists();
        let table = is_there.then(|| TestTable::read(&path)).transpose()?;
        let conforms = conform || self.conform;
        let stood = match (&table, conforms) {
            (None, false) => return Ok(Stood::Nothing),
            (Some(_), false) => Stood::Table,
            (_, true) => Stood::All,
        };
        let passed = Passed {
            component: revision.digest,
            table: fs::read(&path).ok().map(|octets| Digest::of(&octets)),
            conforms,
        };
        if self.passed.lock().contains(&passed) {
            return Ok(stood);
        }
        if let Some(table) = &table {
            check(&trial::probe(runtime, revision, table).await?)?;
        }
        if conforms {
            let source = Source::from(fs::read(component)?).at(component);
            if source.digest() != revision.digest {
                return Err(TrialFailure::Changed);
            }
            // Another engine, which counts: for as long as this takes. Its code is another too, and is
            // compiled within the same bounds.
            let metered = Arc::new(runtime.metered_beside()?);
            judge(&trial::conform(&metered, source, table.as_ref()).await?)?;
        }
        self.passed.lock().insert(passed);
        Ok(stood)
    }
}

/// Where a component's table is to be found.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    /// Somebody has named it.
    is_required: bool,
}

impl Table {
    pub(super) fn of(component: &Path, named: Option<&Path>) -> Self {
        Self {
            path: named.map_or_else(|| table_of(component), Path::to_owned),
            is_required: named.is_some(),
        }
    }
}

/// Where a component's table is, if it has one.
pub(super) fn table_of(component: &Path) -> PathBuf {
    component.with_extension("table.toml")
}

fn check(tried: &Tried) -> Result<(), TrialFailure> {
    let differing = tried.outcomes.iter().find_map(|outcome| {
        let difference = outcome.differences.first()?;
        Some(TrialFailure::Differs {
            attempt: outcome.name.clone(),
            difference: difference.clone(),
        })
    });
    differing.map_or(Ok(()), Err)
}

fn judge(conformance: &Conformance) -> Result<(), TrialFailure> {
    let mut findings = conformance.findings.iter();
    match findings.find(|finding| finding.severity == Severity::Failure) {
        Some(finding) => Err(TrialFailure::Fails {
            rule: finding.check.rule(),
            what: finding.what.clone(),
        }),
        None => Ok(()),
    }
}
