use wasmtime::{Engine, component::Component};

use super::LoadError;

/// The version of the contract in `wit/`.
pub const CONTRACT: &str = "0.1.0";

/// What every method exports.
const EXPORTS: [&str; 2] = ["countersign:auth/method", "countersign:auth/about"];

/// What a component imports and exports, by name.
pub(super) struct Shape {
    pub(super) imports: Vec<String>,
    exports: Vec<String>,
}

impl Shape {
    pub(super) fn of(component: &Component, engine: &Engine) -> Self {
        let shape = component.component_type();
        let names = |(name, _): (&str, _)| name.to_owned();
        Self {
            imports: shape.imports(engine).map(names).collect(),
            exports: shape.exports(engine).map(names).collect(),
        }
    }

    /// Whether it was made for this version of the contract. The linker would find out too, and say it
    /// in words of its own.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        if let Some(found) = self.versions().find(|version| !is_compatible(version)) {
            return Err(LoadError::OtherContract {
                found: found.to_owned(),
                ours: CONTRACT,
            });
        }
        let is_there = |wanted: &str| {
            let name = |export: &String| {
                let (name, _) = export.split_once('@').unwrap_or((export, ""));
                name == wanted
            };
            self.exports.iter().any(name)
        };
        match EXPORTS.into_iter().find(|wanted| !is_there(wanted)) {
            Some(missing) => Err(LoadError::MissingExport {
                export: format!("{missing}@{CONTRACT}"),
            }),
            None => Ok(()),
        }
    }

    /// Those of the contract that its interfaces are of.
    fn versions(&self) -> impl Iterator<Item = &str> {
        self.exports
            .iter()
            .chain(&self.imports)
            .filter(|name| name.starts_with("countersign:auth/"))
            .filter_map(|name| name.split_once('@'))
            .map(|(_, version)| version)
    }
}

/// Before 1.0.0 another minor version is another contract, as cargo and the component model have it.
fn is_compatible(version: &str) -> bool {
    let line = |version: &str| {
        let mut parts = version.split('.').map(str::to_owned);
        (parts.next(), parts.next())
    };
    line(version) == line(CONTRACT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(imports: &[&str], exports: &[&str]) -> Shape {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Shape {
            imports: owned(imports),
            exports: owned(exports),
        }
    }

    const WHOLE: [&str; 2] = [
        "countersign:auth/method@0.1.0",
        "countersign:auth/about@0.1.3",
    ];

    #[test]
    fn a_method_of_this_contract_is_good() {
        assert_eq!(shape(&["wasi:io/error@0.2.9"], &WHOLE).check(), Ok(()));
    }

    #[test]
    fn another_version_is_told_wherever_it_shows() {
        let told = |found: &str| {
            Err(LoadError::OtherContract {
                found: found.into(),
                ours: CONTRACT,
            })
        };
        let newer = [
            "countersign:auth/method@0.2.0",
            "countersign:auth/about@0.2.0",
        ];
        assert_eq!(shape(&[], &newer).check(), told("0.2.0"));
        let imports = ["countersign:auth/types@1.0.0"];
        assert_eq!(shape(&imports, &WHOLE).check(), told("1.0.0"));
    }

    #[test]
    fn a_missing_export_is_named() {
        let missing = |export: &str| {
            let export = export.into();
            Err(LoadError::MissingExport { export })
        };
        assert_eq!(
            shape(&[], &["countersign:auth/method@0.1.0"]).check(),
            missing("countersign:auth/about@0.1.0")
        );
        assert_eq!(
            shape(&[], &["wasi:cli/run@0.2.0"]).check(),
            missing("countersign:auth/method@0.1.0")
        );
    }
}
