use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

/// The most characters of one foreign text that are shown.
const LONGEST: usize = 1024;

/// Text from elsewhere, made harmless for a terminal and for readers of lines: control characters
/// and those that turn the direction of text are escaped, and what is too long is cut.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(LONGEST) {
            if is_harmful(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        if chars.next().is_some() {
            f.write_char('…')?;
        }
        Ok(())
    }
}

impl Serialize for Printable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_can_do_nothing_to_a_terminal() {
        let shown = |text| Printable(text).to_string();
        assert_eq!(shown("it can't: \u{fc}"), "it can't: \u{fc}");
        assert_eq!(shown("\u{1b}[2J\r\n"), r"\u{1b}[2J\r\n");
        assert_eq!(
            shown("a\u{202e}b\u{9b}c\u{2028}"),
            r"a\u{202e}b\u{9b}c\u{2028}"
        );
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }
}
