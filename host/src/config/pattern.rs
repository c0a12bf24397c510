//! Which URIs a permission is about.

use super::{
    name::{is_loose_component, is_loose_uri},
    scalar::Word,
};

/// How a pattern is compared with a URI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// The URI is the pattern.
    #[default]
    Exact,
    /// The URI begins with the pattern's characters: `com.example.` and `com.exa` are two
    /// different prefixes, and both match `com.example.add`.
    Prefix,
    /// The URI has as many components as the pattern, and each is the pattern's or the pattern's is
    /// empty: `com..add` matches `com.example.add`.
    Wildcard,
}

/// A pattern of URIs that follows WAMP's loose rule for its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    kind: Match,
    uri: Box<str>,
}

impl Pattern {
    /// None where the text is no pattern of this kind. In none may there be white space, a control
    /// character or `#`. No component may be empty, except in a wildcard, and for the end of a
    /// prefix: it may be a dot, and a prefix may be empty and then matches everything.
    #[must_use]
    pub fn new(kind: Match, uri: &str) -> Option<Self> {
        let is_valid = match kind {
            Match::Exact => is_loose_uri(uri),
            Match::Prefix => uri.is_empty() || is_loose_uri(uri.strip_suffix('.').unwrap_or(uri)),
            Match::Wildcard => uri.split('.').all(is_loose_component),
        };
        is_valid.then(|| Self {
            kind,
            uri: uri.into(),
        })
    }

    /// How it is compared.
    #[must_use]
    pub fn kind(&self) -> Match {
        self.kind
    }

    /// Its text.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

impl Word for Match {
    const FORM: &'static str = r#"one of "exact", "prefix", "wildcard""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("exact", Self::Exact),
        ("prefix", Self::Prefix),
        ("wildcard", Self::Wildcard),
    ];
}

#[cfg(test)]
mod tests {
    use super::{Match::*, *};

    #[test]
    fn each_kind_has_its_rule() {
        for (kind, good) in [
            (Exact, "com.example.add"),
            (Exact, "wamp.session.count"),
            (Prefix, "com.example."),
            (Prefix, "com.exa"),
            (Prefix, ""),
            (Wildcard, "com..add"),
            (Wildcard, ".example."),
        ] {
            assert!(Pattern::new(kind, good).is_some(), "{kind:?} {good:?}");
        }
        for (kind, bad) in [
            (Exact, ""),
            (Exact, "com.example."),
            (Exact, "com..add"),
            (Exact, "com.a b"),
            (Prefix, "."),
            (Prefix, "com.."),
            (Prefix, ".com"),
            (Prefix, "com.#"),
            (Wildcard, "com. .add"),
            (Wildcard, "com.\u{1}"),
        ] {
            assert_eq!(Pattern::new(kind, bad), None, "{kind:?} {bad:?}");
        }
    }
}
