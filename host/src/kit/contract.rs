//! The contract's WIT, as this program has it and as a project has it.

use std::path::Path;

use wit_parser::{Resolve, WorldId};

use super::KitError;

/// The files of `wit/`, with their paths in it.
pub(super) const FILES: &[(&str, &str)] = &[
    ("cookies.wit", include_str!("../../../wit/cookies.wit")),
    (
        "countersign.wit",
        include_str!("../../../wit/countersign.wit"),
    ),
    (
        "enrolments.wit",
        include_str!("../../../wit/enrolments.wit"),
    ),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("key-sets.wit", include_str!("../../../wit/key-sets.wit")),
    (
        "procedures.wit",
        include_str!("../../../wit/procedures.wit"),
    ),
    (
        "scram-keys.wit",
        include_str!("../../../wit/scram-keys.wit"),
    ),
    (
        "deps/logging/logging.wit",
        include_str!("../../../wit/deps/logging/logging.wit"),
    ),
];

/// The world of a project's own: what its method imports. It is in `wit/world.wit`.
const WORLD: &str = "project";

/// A project's contract: its copy of the WIT, and its world.
pub(super) struct Contract {
    pub resolve: Resolve,
    pub world: WorldId,
}

impl Contract {
    /// Reads a project's directory `wit`.
    pub fn read(wit: &Path) -> Result<Self, KitError> {
        let mut resolve = Resolve::default();
        let unreadable = |error: String| KitError::Wit {
            path: wit.to_owned(),
            error,
        };
        let (package, _) = resolve
            .push_dir(wit)
            .map_err(|error| unreadable(format!("{error:#}")))?;
        let found = resolve
            .packages
            .get(package)
            .map(|package| package.name.to_string())
            .unwrap_or_default();
        let ours = ours();
        if found != ours {
            return Err(KitError::Contract {
                path: wit.to_owned(),
                found,
                ours: ours.to_owned(),
            });
        }
        let world = resolve
            .select_world(&[package], Some(WORLD))
            .map_err(|error| {
                unreadable(format!("there must be a world `{WORLD}` in it: {error:#}"))
            })?;
        Ok(Self { resolve, world })
    }
}

/// The interfaces that every method exports.
pub(super) fn exports() -> impl Iterator<Item = String> {
    let (package, version) = ours().split_once('@').unwrap_or((ours(), ""));
    ["method", "about"]
        .into_iter()
        .map(move |interface| format!("{package}/{interface}@{version}"))
}

/// The contract of this program: its package, with the version.
fn ours() -> &'static str {
    FILES
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.strip_prefix("package ")?.strip_suffix(';'))
        .find(|package| package.starts_with("countersign:auth@"))
        .unwrap_or("countersign:auth")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use super::*;
    use crate::kit::tests::files_in;

    #[test]
    fn every_file_of_the_contract_is_here() {
        let wit = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let there = files_in(&wit);
        let here: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(here, there);
    }

    #[test]
    fn a_project_has_the_contract_of_this_program() {
        assert!(ours().starts_with("countersign:auth@0."), "{}", ours());
    }

    #[test]
    fn another_version_of_the_contract_is_told() {
        let project = tempfile::tempdir().unwrap();
        for (path, text) in FILES {
            let path = project.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace("auth@0.1.0", "auth@0.0.9")).unwrap();
        }
        let world =
            "package countersign:auth@0.0.9; world project { export method; export about; }";
        fs::write(project.path().join("world.wit"), world).unwrap();
        let Err(error) = Contract::read(project.path()) else {
            panic!("a contract of another version is taken");
        };
        let error = error.to_string();
        assert!(
            error.contains("is version countersign:auth@0.0.9 of the contract"),
            "{error}"
        );
        assert!(error.contains("countersign method bindings"), "{error}");
    }
}
