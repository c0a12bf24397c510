//! Whether the realms whose callees a realm would ask agree to that, by their files.
//!
//! This is so that a mistake is told when a file is loaded. What counts is the generation that the
//! other realm has at the moment of a call: [`super::callees`].

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::config::{self, Ceilings, ConfigError, Procedures, RealmName, StepName, nearest};

/// What another realm's file does not say, and must.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConsentError {
    #[error(
        "{}: the method {step} would ask procedures in the realm {callee}, which has no file {}; \
         {advice}", file.display(), expected.display()
    )]
    NoRealm {
        file: PathBuf,
        step: StepName,
        callee: RealmName,
        expected: PathBuf,
        advice: String,
    },
    #[error(
        "{}: the method {step} would ask {procedures} in the realm {callee}, and {} does not agree; \
         add there: [[authenticates]] realm = {realm:?}, procedures = [{procedures}]",
        file.display(), consenting.display()
    )]
    NotGiven {
        file: PathBuf,
        step: StepName,
        realm: String,
        callee: RealmName,
        /// As the file would have them.
        procedures: String,
        consenting: PathBuf,
    },
}

/// The files of the realms, other than this one, whose callees it would ask.
pub(super) fn files(realm: &config::Realm, path: &Path) -> BTreeSet<PathBuf> {
    asks_of_others(realm)
        .map(|(_, procedures)| file_of(&procedures.realm, path))
        .collect()
}

/// `path` is the realm's own file; those of others are beside it.
#[expect(
    clippy::result_large_err,
    reason = "it is made at most once for each look at a realm's file"
)]
pub(super) fn check(
    realm: &config::Realm,
    path: &Path,
    ceilings: &Ceilings,
) -> Result<(), ConsentError> {
    for (step, procedures) in asks_of_others(realm) {
        let consenting = file_of(&procedures.realm, path);
        let callee = match config::Realm::read(&consenting, ceilings) {
            Ok(callee) => callee,
            Err(ConfigError::Missing { .. }) => {
                return Err(ConsentError::NoRealm {
                    file: path.to_owned(),
                    step: step.clone(),
                    callee: procedures.realm.clone(),
                    advice: advice(&procedures.realm, path),
                    expected: consenting,
                });
            }
            // Its own trouble, which is told where that realm is loaded. Until it is mended, or
            // while its generation before goes on, each call is judged by itself.
            Err(_) => continue,
        };
        let refused: Vec<String> = procedures
            .allow
            .iter()
            .map(config::ProcedureName::as_str)
            .filter(|procedure| {
                let mut agreed = callee.authenticates.iter();
                !agreed.any(|agreed| agreed.allows(realm.name.as_str(), procedure))
            })
            .map(|procedure| format!("{procedure:?}"))
            .collect();
        if !refused.is_empty() {
            return Err(ConsentError::NotGiven {
                file: path.to_owned(),
                step: step.clone(),
                realm: realm.name.to_string(),
                callee: procedures.realm.clone(),
                procedures: refused.join(", "),
                consenting,
            });
        }
    }
    Ok(())
}

/// Names the one that may have been meant, and no others: they are other tenants'.
fn advice(missing: &RealmName, path: &Path) -> String {
    let siblings = path
        .parent()
        .and_then(|directory| directory.read_dir().ok());
    let siblings: Vec<String> = siblings
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    match nearest(missing.as_str(), siblings.iter().map(String::as_str)) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => "add it, or name another realm".to_owned(),
    }
}

fn asks_of_others(realm: &config::Realm) -> impl Iterator<Item = (&StepName, &Procedures)> {
    realm
        .methods
        .iter()
        .filter_map(|(step, method)| Some((step, method.procedures.as_ref()?)))
        .filter(|(_, procedures)| procedures.realm != realm.name)
}

fn file_of(realm: &RealmName, beside: &Path) -> PathBuf {
    beside.with_file_name(format!("{realm}.toml"))
}
