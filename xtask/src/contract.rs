//! `docs/contract.md`, which is made of the comments in `wit/`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::files::root;

/// In the order in which one reads them.
const FILES: [&str; 8] = [
    "countersign.wit",
    "enrolments.wit",
    "cookies.wit",
    "scram-keys.wit",
    "key-sets.wit",
    "procedures.wit",
    "http.wit",
    "deps/logging/logging.wit",
];

const HEAD: &str = "\
# The contract

What a method exports, what it may import, and what each of it means: the comments of
[wit/](../wit/countersign.wit), which is what components are built with. This page is made of them by
`cargo xtask contract`; change them, and not this. [How login works](how-login-works.md) has a picture.
";

/// The text of the page.
///
/// # Errors
///
/// A file of the contract cannot be read.
pub fn contract() -> Result<String> {
    let mut page = HEAD.to_owned();
    for file in FILES {
        let path = root().join("wit").join(file);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} could not be read", path.display()))?;
        page.push_str(&section(&text));
    }
    Ok(page)
}

/// Writes the page.
///
/// # Errors
///
/// The contract cannot be read, or the page not be written.
pub fn write_contract() -> Result<()> {
    let path = root().join(Path::new("docs/contract.md"));
    crate::put(&path, contract()?.as_bytes()).map(drop)
}

/// One file. The first line that a comment belongs to says what it is.
fn section(text: &str) -> String {
    let mut page = String::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut depth: usize = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(said) = line.strip_prefix("///") {
            comment.push(said.strip_prefix(' ').unwrap_or(said));
            continue;
        }
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        // A signature on several lines.
        let mut whole = line.to_owned();
        while whole.matches('(').count() > whole.matches(')').count() {
            let Some(more) = lines.next() else { break };
            if !whole.ends_with('(') {
                whole.push(' ');
            }
            whole.push_str(more.trim());
        }
        let whole = whole.replace(", )", ")");
        if whole == "}" {
            depth = depth.saturating_sub(1);
            continue;
        }
        page.push_str(&item(&whole, &comment, depth));
        comment.clear();
        if whole.ends_with('{') {
            depth += 1;
        }
    }
    page
}

/// An interface or a world, what is in it, and what is in that.
fn item(line: &str, comment: &[&str], depth: usize) -> String {
    let name = line.trim_end_matches(['{', ';', ',']).trim_end();
    let text = comment.join("\n");
    let is_use = ["use ", "package "].iter().any(|it| line.starts_with(it));
    match depth {
        _ if is_use && text.is_empty() => String::new(),
        _ if is_use => format!("\n{text}\n"),
        0 => format!("\n## {name}\n\n{text}\n"),
        1 if text.is_empty() && !line.ends_with('{') => format!("\n`{name}`\n"),
        1 => format!("\n### `{name}`\n\n{text}\n").replace("\n\n\n", "\n"),
        _ => {
            let text = comment.join("\n  ").replace("\n  \n", "\n\n");
            let separator = if text.is_empty() { "" } else { ": " };
            format!("\n- `{name}`{separator}{text}\n")
        }
    }
}
