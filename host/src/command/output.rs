//! What commands tell the person or the script that runs them: plain text, without colours.

use std::{
    fmt,
    io::{self, Write},
};

use crate::observe::Printable;

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
    fn columns_are_aligned() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(
            columns(&[row("realm", "x"), row("ü", "y\n"), row("authid", "")]),
            "realm   x\nü       y\\n\nauthid\n"
        );
    }
}
