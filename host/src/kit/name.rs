use std::{fmt, str::FromStr};

use thiserror::Error;

/// What a method is called: the name of its project's directory, of its package and of its component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    #[error(
        "a method's name has lower-case letters, digits and hyphens, begins with a letter and ends \
         with none of the hyphens: {0}, for instance"
    )]
    Malformed(&'static str),
    #[error("a method's name has at most {LONGEST} characters")]
    Long,
    #[error("compilers take this word for one of their own: choose another, or lengthen it")]
    Reserved,
}

const LONGEST: usize = 40;

/// Words of Rust, Go and C that cannot name a package, as far as they could be names here.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "auto",
    "await",
    "become",
    "box",
    "break",
    "build",
    "case",
    "chan",
    "char",
    "const",
    "continue",
    "core",
    "countersign",
    "crate",
    "default",
    "defer",
    "deps",
    "do",
    "double",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "float",
    "fn",
    "for",
    "func",
    "gen",
    "go",
    "goto",
    "if",
    "impl",
    "import",
    "in",
    "incremental",
    "int",
    "interface",
    "internal",
    "let",
    "long",
    "loop",
    "macro",
    "main",
    "map",
    "match",
    "method",
    "mod",
    "move",
    "mut",
    "override",
    "package",
    "priv",
    "proc-macro",
    "pub",
    "range",
    "ref",
    "register",
    "return",
    "select",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "std",
    "struct",
    "super",
    "switch",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typedef",
    "typeof",
    "union",
    "unsafe",
    "unsigned",
    "unsized",
    "use",
    "var",
    "vendor",
    "virtual",
    "void",
    "volatile",
    "where",
    "while",
    "yield",
];

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_ours = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins_well || !text.chars().all(is_ours) || text.ends_with('-') {
            return Err(NameError::Malformed("secret-word"));
        }
        if text.len() > LONGEST {
            return Err(NameError::Long);
        }
        if RESERVED.contains(&text) {
            return Err(NameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_compiler_takes_is_a_name() {
        for name in ["knock", "secret-word", "a", "level2"] {
            assert_eq!(
                name.parse::<Name>().map(|it| it.to_string()),
                Ok(name.into())
            );
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(LONGEST + 1);
        for (text, error) in [
            ("", NameError::Malformed("secret-word")),
            ("../up", NameError::Malformed("secret-word")),
            ("Knock", NameError::Malformed("secret-word")),
            ("2fa", NameError::Malformed("secret-word")),
            ("knock-", NameError::Malformed("secret-word")),
            ("-knock", NameError::Malformed("secret-word")),
            ("knöck", NameError::Malformed("secret-word")),
            (long.as_str(), NameError::Long),
            ("match", NameError::Reserved),
        ] {
            assert_eq!(text.parse::<Name>(), Err(error), "{text:?}");
        }
    }
}
