//! The files of a new project, and the libraries that come with some languages. `{{name}}` in them is
//! the name of the method.

use super::{Language, Name};

type Files = &'static [(&'static str, &'static str)];

const SHARED: Files = &[
    ("realm.toml", include_str!("templates/shared/realm.toml")),
    (
        "{{name}}.table.toml",
        include_str!("templates/shared/table.toml"),
    ),
    (".gitignore", include_str!("templates/shared/gitignore")),
];

const WORLD: (&str, &str) = ("wit/world.wit", include_str!("templates/shared/world.wit"));

const RUST: Files = &[
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml")),
    ("src/lib.rs", include_str!("templates/rust/lib.rs")),
    ("README.md", include_str!("templates/rust/README.md")),
];

const JAVASCRIPT: Files = &[
    ("method.js", include_str!("templates/javascript/method.js")),
    (
        "package.json",
        include_str!("templates/javascript/package.json"),
    ),
    ("README.md", include_str!("templates/javascript/README.md")),
    WORLD,
];

const TYPESCRIPT: Files = &[
    ("method.ts", include_str!("templates/typescript/method.ts")),
    (
        "tsconfig.json",
        include_str!("templates/typescript/tsconfig.json"),
    ),
    (
        "package.json",
        include_str!("templates/javascript/package.json"),
    ),
    ("README.md", include_str!("templates/typescript/README.md")),
    WORLD,
];

const PYTHON: Files = &[
    ("method.py", include_str!("templates/python/method.py")),
    ("README.md", include_str!("templates/python/README.md")),
    WORLD,
];

const GO: Files = &[
    ("method.go", include_str!("templates/go/method.go.txt")),
    ("go.mod", include_str!("templates/go/go.mod.txt")),
    ("README.md", include_str!("templates/go/README.md")),
    WORLD,
];

const C: Files = &[
    ("method.c", include_str!("templates/c/method.c")),
    ("README.md", include_str!("templates/c/README.md")),
    WORLD,
];

/// `countersign-guest`, as it is in this repository.
pub(super) const RUST_LIBRARY: Files = &[
    (
        "guest/Cargo.toml",
        include_str!("templates/rust/guest.toml"),
    ),
    (
        "guest/src/bindings.rs",
        include_str!("../../../plugins/guest/src/bindings.rs"),
    ),
    (
        "guest/src/cryptosign.rs",
        include_str!("../../../plugins/guest/src/cryptosign.rs"),
    ),
    (
        "guest/src/cryptosign/binding.rs",
        include_str!("../../../plugins/guest/src/cryptosign/binding.rs"),
    ),
    (
        "guest/src/cryptosign/ed25519.rs",
        include_str!("../../../plugins/guest/src/cryptosign/ed25519.rs"),
    ),
    (
        "guest/src/lib.rs",
        include_str!("../../../plugins/guest/src/lib.rs"),
    ),
    (
        "guest/src/login.rs",
        include_str!("../../../plugins/guest/src/login.rs"),
    ),
    (
        "guest/src/method.rs",
        include_str!("../../../plugins/guest/src/method.rs"),
    ),
    (
        "guest/src/settings.rs",
        include_str!("../../../plugins/guest/src/settings.rs"),
    ),
    (
        "guest/src/wampcra.rs",
        include_str!("../../../plugins/guest/src/wampcra.rs"),
    ),
    (
        "guest/src/wampcra/timestamp.rs",
        include_str!("../../../plugins/guest/src/wampcra/timestamp.rs"),
    ),
];

/// Beside the bindings for C: reading a JSON object, and verdicts in one line.
pub(super) const C_LIBRARY: Files = &[
    ("json.h", include_str!("templates/c/json.h")),
    ("json.c", include_str!("templates/c/json.c")),
    ("verdict.h", include_str!("templates/c/verdict.h")),
    ("verdict.c", include_str!("templates/c/verdict.c")),
];

/// Beside the bindings for Go: what they are built on, and words that read like Go. `{{module}}` is
/// the project's module.
pub(super) const GO_LIBRARY: Files = &[
    (
        "countersign.go",
        include_str!("templates/go/countersign.go.txt"),
    ),
    (
        "wit/runtime/runtime.go",
        include_str!("templates/go/runtime.go.txt"),
    ),
    (
        "wit/types/types.go",
        include_str!("templates/go/types.go.txt"),
    ),
    (
        "exports/export_countersign_auth_about/about.go",
        include_str!("templates/go/about.go.txt"),
    ),
    (
        "exports/export_countersign_auth_method/method.go",
        include_str!("templates/go/exported.go.txt"),
    ),
];

/// The files of a project in a language: path and text.
pub(super) fn files(language: Language, name: &Name) -> impl Iterator<Item = (String, String)> {
    let own = match language {
        Language::Rust => RUST,
        Language::JavaScript => JAVASCRIPT,
        Language::TypeScript => TYPESCRIPT,
        Language::Python => PYTHON,
        Language::Go => GO,
        Language::C => C,
    };
    SHARED.iter().chain(own).map(move |(path, text)| {
        let fill = |text: &str| text.replace("{{name}}", name.as_ref());
        (fill(path), fill(text))
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;
    use crate::kit::tests::files_in;

    /// What is promised to authors, comments and empty lines not counted.
    const MOST_LINES: usize = 40;

    #[test]
    fn the_method_itself_is_short_in_every_language() {
        let name: Name = "knock".parse().unwrap();
        for language in Language::ALL {
            let source = files(language, &name).find(|(path, _)| path == language.source());
            let (_, text) = source.unwrap();
            let is_code = |line: &&str| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with("//") && !line.starts_with("\"\"\"")
            };
            let lines = text.lines().filter(is_code).count();
            assert!(lines <= MOST_LINES, "{language}: {lines} lines");
        }
    }

    #[test]
    fn every_file_of_the_library_for_rust_comes_with_a_project() {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/guest/src");
        let there: BTreeSet<String> = files_in(&library)
            .into_iter()
            .map(|path| format!("guest/src/{path}"))
            .collect();
        let here: BTreeSet<String> = RUST_LIBRARY
            .iter()
            .map(|(path, _)| (*path).to_owned())
            .filter(|path| path.starts_with("guest/src/"))
            .collect();
        assert_eq!(here, there);
    }
}
