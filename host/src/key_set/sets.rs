use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use thiserror::Error;

use super::{KeySet, NotKeySet, Remotes, remote::Remote};
use crate::config::{self, ConfigError, KeySetName, KeySetPlace};

/// The key sets of one realm, as its file names them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct KeySets {
    by_name: Arc<HashMap<KeySetName, Source>>,
    at_hand_only: bool,
}

#[derive(Debug)]
enum Source {
    File(Arc<KeySet>),
    Remote(Arc<Remote>),
}

/// What became of a question for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The text of a key set.
    Keys(String),
    /// The realm names no such set.
    NotNamed,
    /// For the operator.
    Unavailable(String),
}

/// Why a realm cannot use one of its key sets.
#[derive(Debug, Error)]
#[error("the key set {} of {realm} cannot be used: {problem}", name.as_str())]
pub struct KeySetError {
    pub realm: Arc<str>,
    pub name: KeySetName,
    pub problem: KeySetProblem,
}

#[derive(Debug, Error)]
pub enum KeySetProblem {
    #[error(transparent)]
    File(#[from] ConfigError),
    #[error("{}: {problem}", file.display())]
    Wrong { file: PathBuf, problem: NotKeySet },
    #[error("{0}")]
    Refused(String),
}

impl KeySets {
    /// Reads those that are in files. Nothing waits for the others: their issuers may not answer,
    /// and the realm has other ways in.
    pub fn open(
        realm: &Arc<str>,
        places: &BTreeMap<KeySetName, KeySetPlace>,
        remotes: &Remotes,
    ) -> Result<Self, KeySetError> {
        let source = |place: &KeySetPlace| match place {
            KeySetPlace::File(file) => {
                let advice = "put the key set there, or name another file";
                let text = config::read_file(file, advice)?;
                let set = KeySet::parse(text.as_bytes()).map_err(|problem| {
                    let file = file.clone();
                    KeySetProblem::Wrong { file, problem }
                })?;
                Ok(Source::File(Arc::new(set)))
            }
            KeySetPlace::Remote(place) => remotes
                .open(realm, place)
                .map(Source::Remote)
                .map_err(KeySetProblem::Refused),
        };
        let by_name = places
            .iter()
            .map(|(name, place)| match source(place) {
                Ok(source) => Ok((name.clone(), source)),
                Err(problem) => Err(KeySetError {
                    realm: Arc::clone(realm),
                    name: name.clone(),
                    problem,
                }),
            })
            .collect::<Result<_, KeySetError>>()?;
        Ok(Self {
            by_name: Arc::new(by_name),
            at_hand_only: false,
        })
    }

    /// The same, but nothing at an address: for who only looks at settings. Whether these are good
    /// must not depend on what an issuer says at the moment.
    #[must_use]
    pub fn at_hand(&self) -> Self {
        Self {
            by_name: Arc::clone(&self.by_name),
            at_hand_only: true,
        }
    }

    /// Begins to fetch what is not there yet.
    pub fn warm_up(&self) {
        for source in self.by_name.values() {
            if let Source::Remote(remote) = source {
                remote.warm_up();
            }
        }
    }

    /// The keys of the set that has this name: those called `kid`, or all.
    pub async fn get(&self, name: &str, kid: Option<&str>) -> Found {
        match self.by_name.get(name) {
            None => Found::NotNamed,
            Some(Source::File(set)) => Found::Keys(set.text(kid)),
            Some(Source::Remote(_)) if self.at_hand_only => {
                Found::Unavailable("it is at an address, and nothing is fetched for this".into())
            }
            Some(Source::Remote(remote)) => match remote.get(kid).await {
                Ok(set) => Found::Keys(set.text(kid)),
                Err(why) => Found::Unavailable(why),
            },
        }
    }
}
