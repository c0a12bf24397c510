use std::fmt;

use clap::ValueEnum;

/// A language that methods can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Rust,
    #[value(name = "javascript")]
    JavaScript,
    #[value(name = "typescript")]
    TypeScript,
    Python,
    Go,
    C,
}

impl Language {
    pub const ALL: [Self; 6] = [
        Self::Rust,
        Self::JavaScript,
        Self::TypeScript,
        Self::Python,
        Self::Go,
        Self::C,
    ];

    /// The file by which a project's language is known.
    pub const fn marker(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "method.js",
            Self::TypeScript => "method.ts",
            Self::Python => "method.py",
            Self::Go => "go.mod",
            Self::C => "method.c",
        }
    }

    /// The file that the author edits.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Rust => "src/lib.rs",
            Self::Go => "method.go",
            other => other.marker(),
        }
    }

    /// Whether a component in this language takes many seconds to compile when it is loaded.
    pub const fn is_interpreted(self) -> bool {
        matches!(self, Self::JavaScript | Self::TypeScript | Self::Python)
    }

    pub(super) fn markers() -> String {
        Self::ALL.map(Self::marker).join(", ")
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::C => "C",
        })
    }
}
