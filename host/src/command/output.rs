//! What commands tell the person or the script that runs them: plain text, without colours.

use std::{
    fmt::{self, Write as _},
    io::{self, Write},
};

/// The most characters of one foreign text that are shown.
const LONGEST: usize = 4096;

/// Prints the result of a command. A reader that has left (`… | head`) wants no more, which is no
/// error.
///
/// # Errors
/// If standard output cannot be written for another reason, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Prints a line that is not a result: a question, a warning, an error. Where nobody can read it,
/// there is nobody to tell.
pub fn tell(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Text from elsewhere, made harmless for a terminal and for readers of lines: control characters
/// and those that turn the direction of text are escaped, and what is too long is cut.
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

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Sets rows one below the other, each column as wide as its longest cell. The cells are foreign
/// text.
#[must_use]
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| Printable(cell).to_string()))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            let padding = width - cell.chars().count() + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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

    #[test]
    fn columns_are_aligned() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(
            columns(&[row("realm", "x"), row("ü", "y\n"), row("authid", "")]),
            "realm   x\nü       y\\n\nauthid\n"
        );
    }
}
