use std::{
    fmt::Display,
    io::{self, Write},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// Tells the person at the terminal. Not by `eprintln!`: a test would keep that to itself, and its
/// first run would seem to hang.
pub fn say(text: impl Display) {
    _ = writeln!(io::stderr(), "{text}");
}

/// Runs a program to its end. What it writes to standard error is seen as it comes.
///
/// # Errors
///
/// It cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<()> {
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

/// What a program writes to standard output. What it writes to standard error is seen as it comes.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{program} could not be started; is it installed?"))?;
    ensure!(
        output.status.success(),
        "{program} failed ({}): {}",
        output.status,
        shown(command)
    );
    String::from_utf8(output.stdout)
        .with_context(|| format!("{program} wrote what is not UTF-8: {}", shown(command)))
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
