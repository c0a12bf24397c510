use std::{fmt, sync::Arc};

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Who a client claims to be, in canonical form: Unicode NFC, so that two ways to write the same
/// name are one name for every method, store and counter behind this point.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authid(Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidAuthid {
    #[error("an authid cannot be empty")]
    Empty,
    #[error("an authid cannot be longer than {max} octets", max = Authid::MAX_OCTETS)]
    TooLong,
    #[error("an authid cannot contain control characters")]
    Control,
}

impl Authid {
    pub const MAX_OCTETS: usize = 256;

    pub fn parse(text: &str) -> Result<Self, InvalidAuthid> {
        if text.is_empty() {
            return Err(InvalidAuthid::Empty);
        }
        // Before normalising as well, so that nobody makes us normalise a megabyte.
        if text.len() > Self::MAX_OCTETS {
            return Err(InvalidAuthid::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(InvalidAuthid::Control);
        }
        let canonical: String = text.nfc().collect();
        if canonical.len() > Self::MAX_OCTETS {
            return Err(InvalidAuthid::TooLong);
        }
        Ok(Self(canonical.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Control characters, and those that turn the direction of the text around them: an authid ends
/// up in logs and on screens.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Display for Authid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Authid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_write_a_name_are_one_authid() {
        assert_eq!(Authid::parse("caf\u{e9}"), Authid::parse("cafe\u{301}"));
    }

    #[test]
    fn what_could_forge_a_log_line_is_no_authid() {
        for text in ["a\nb", "\u{1b}[31m", "a\u{202e}b", "a\0", "a\u{200b}"] {
            assert_eq!(Authid::parse(text), Err(InvalidAuthid::Control), "{text:?}");
        }
        assert_eq!(Authid::parse(""), Err(InvalidAuthid::Empty));
        assert_eq!(Authid::parse(&"a".repeat(257)), Err(InvalidAuthid::TooLong));
    }
}
