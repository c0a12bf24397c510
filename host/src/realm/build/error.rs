use std::{fmt, path::PathBuf, sync::Arc};

use thiserror::Error;

use crate::{
    config::ConfigError,
    key_set::KeySetError,
    login::StepName,
    realm::{ComponentError, ConsentError},
};

/// Why a realm's files give no generation. Each line of it names a file and says what to do.
#[derive(Debug, Error)]
pub enum RealmError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    #[error("{}", lines(.0))]
    Methods(Vec<MethodError>),
    #[error(transparent)]
    Consent(#[from] ConsentError),
}

impl RealmError {
    /// Its lines, and the stage that a component has not passed where it is about one.
    pub fn complaints(&self) -> Vec<(Option<&'static str>, String)> {
        if let Self::Methods(errors) = self {
            let complaint = |error: &MethodError| {
                let stage = error.problem.stage().name();
                (Some(stage), error.to_string())
            };
            return errors.iter().map(complaint).collect();
        }
        let lines = self.to_string();
        lines.lines().map(|line| (None, line.to_owned())).collect()
    }
}

/// One method of a realm that cannot be used.
#[derive(Debug)]
pub struct MethodError {
    pub realm: Arc<str>,
    pub step: StepName,
    pub path: PathBuf,
    pub problem: ComponentError,
}

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            realm,
            step,
            path,
            problem,
        } = self;
        write!(
            f,
            "{}: the method {step} of {realm} cannot be used: {problem}",
            path.display()
        )
    }
}

fn lines(errors: &[MethodError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
