use std::{
    fmt::Display,
    io::{self, Write},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Tells the person at the terminal. Not by `eprintln!`: a test would keep that to itself, and its
/// first run would seem to hang.
pub fn say(text: impl Display) {
    _ = writeln!(io::stderr(), "{text}");
}

/// Runs a program to its end. What it writes to standard error is seen as it comes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("{program} could not be started; is it installed?"))?;
    ensure!(
        status.success(),
        "{program} failed ({status}): {}",
        shown(command)
    );
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    words
        .map(|word| word.display().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}
