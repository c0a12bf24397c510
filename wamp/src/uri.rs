use std::{borrow::Borrow, fmt, sync::Arc};

use thiserror::Error;

/// A URI by the specification's loose rule: components separated by dots, none of them empty, no
/// white space and no `#` (`basic/building_blocks.md`, "URIs").
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a WAMP URI")]
pub struct InvalidUri;

impl Uri {
    pub fn parse(text: &str) -> Result<Self, InvalidUri> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// Whether `parse` would accept it, without making a copy.
    pub fn check(text: &str) -> Result<(), InvalidUri> {
        let valid = if text.is_ascii() {
            is_ascii_uri(text.as_bytes())
        } else {
            is_uri(text)
        };
        if valid { Ok(()) } else { Err(InvalidUri) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lies in the space that the specification keeps for the protocol itself.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }
}

impl Borrow<str> for Uri {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How the URI of a subscription, a registration or a permission is compared with the URI of a
/// message (`advanced/pattern_based_subscription.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchPolicy {
    #[default]
    Exact,
    /// Every URI that begins with this text.
    Prefix,
    /// Every URI with as many components, where an empty component stands for any.
    Wildcard,
}

impl MatchPolicy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Wildcard => "wildcard",
        }
    }
}

/// A URI with its way of matching.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    policy: MatchPolicy,
    text: Arc<str>,
}

impl Pattern {
    /// A prefix may end anywhere in a component, and a dot at its end is allowed; the empty one
    /// matches everything. A wildcard may have empty components.
    pub fn parse(text: &str, policy: MatchPolicy) -> Result<Self, InvalidUri> {
        let valid = match policy {
            MatchPolicy::Exact => Uri::check(text).is_ok(),
            MatchPolicy::Prefix => {
                text.is_empty() || Uri::check(text.strip_suffix('.').unwrap_or(text)).is_ok()
            }
            MatchPolicy::Wildcard => !text.is_empty() && text.split('.').all(is_component),
        };
        if !valid {
            return Err(InvalidUri);
        }
        Ok(Self {
            policy,
            text: text.into(),
        })
    }

    pub const fn policy(&self) -> MatchPolicy {
        self.policy
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.text)
    }

    pub fn matches(&self, uri: &str) -> bool {
        match self.policy {
            MatchPolicy::Exact => *self.text == *uri,
            MatchPolicy::Prefix => uri.starts_with(&*self.text),
            MatchPolicy::Wildcard => {
                let (mut pattern, mut uri) = (self.text.split('.'), uri.split('.'));
                loop {
                    match (pattern.next(), uri.next()) {
                        (None, None) => return true,
                        (Some(""), Some(_)) => {}
                        (Some(part), Some(other)) if part == other => {}
                        _ => return false,
                    }
                }
            }
        }
    }

    /// Orders patterns that match the same URI: the greatest is the most specific. Exact before
    /// prefix before wildcard, the longer prefix first, and of two wildcards the one whose first
    /// difference is a component that must be equal (`advanced/pattern_based_registration.md`).
    pub fn specificity(&self) -> impl Ord + use<> {
        let rank = match self.policy {
            MatchPolicy::Exact => 2_u8,
            MatchPolicy::Prefix => 1,
            MatchPolicy::Wildcard => 0,
        };
        let fixed: Vec<bool> = match self.policy {
            MatchPolicy::Wildcard => self.text.split('.').map(|part| !part.is_empty()).collect(),
            MatchPolicy::Exact | MatchPolicy::Prefix => Vec::new(),
        };
        (rank, fixed, self.text.len())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

fn is_uri(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && is_component(part))
}

/// [`is_uri`] for what nearly all URIs are; every message with a URI comes by here.
fn is_ascii_uri(text: &[u8]) -> bool {
    let mut in_component = false;
    for octet in text {
        match octet {
            b'.' if in_component => in_component = false,
            b'.' | b'#' | 0..=b' ' | 0x7f => return false,
            _ => in_component = true,
        }
    }
    in_component
}

fn is_component(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c == '#' || c.is_control())
}

/// Whether a URI or pattern lies in the space that the specification keeps for the protocol itself.
pub fn is_reserved(text: &str) -> bool {
    text == "wamp" || text.starts_with("wamp.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_is_judged_as_everything_else(text in r"[\x00-\x7f]{0,3}|[a-z.#\x7f ]{0,8}") {
            prop_assert_eq!(is_ascii_uri(text.as_bytes()), is_uri(&text));
        }
    }

    #[test]
    fn loose_uris() {
        for good in [
            "a",
            "com.example.add2",
            "com.Example-1.übung",
            "wamp.error.x",
        ] {
            assert!(Uri::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a#b", "a\n", "a.\u{7f}"] {
            assert!(Uri::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn patterns_match_as_the_specification_says() {
        let matches = |text, policy, uri| Pattern::parse(text, policy).unwrap().matches(uri);
        assert!(matches("com.a", MatchPolicy::Exact, "com.a"));
        assert!(!matches("com.a", MatchPolicy::Exact, "com.a.b"));
        assert!(matches("com.exa", MatchPolicy::Prefix, "com.example.x"));
        assert!(matches(
            "com.example.",
            MatchPolicy::Prefix,
            "com.example.x"
        ));
        assert!(!matches("com.example.", MatchPolicy::Prefix, "com.example"));
        assert!(matches(
            "com..create",
            MatchPolicy::Wildcard,
            "com.user.create"
        ));
        assert!(!matches(
            "com..create",
            MatchPolicy::Wildcard,
            "com.user.create.now"
        ));
        assert!(!matches("com..create", MatchPolicy::Wildcard, "com.create"));
        assert!(Pattern::parse("com..", MatchPolicy::Prefix).is_err());
        assert!(matches("", MatchPolicy::Prefix, "com.example.x"));
    }

    #[test]
    fn the_most_specific_pattern_is_the_greatest() {
        let pattern = |text, policy| Pattern::parse(text, policy).unwrap();
        let descending = [
            pattern("a1.b2.c3.d4.e55", MatchPolicy::Exact),
            pattern("a1.b2.c3.d4.", MatchPolicy::Prefix),
            pattern("a1.b2.c3", MatchPolicy::Prefix),
            pattern("a1.b2..d4.e5", MatchPolicy::Wildcard),
            pattern("a1...d4.e5", MatchPolicy::Wildcard),
        ];
        assert!(descending.is_sorted_by(|a, b| a.specificity() > b.specificity()));
    }
}
