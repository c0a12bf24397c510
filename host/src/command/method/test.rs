use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Args;

use super::{compiler, component};
use crate::{
    command::output,
    method::{HostCall, Runtime},
    observe::Printable,
    trial::{Asked, Outcome, Tried, Turn},
};

/// The arguments of `countersign method test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The component.
    file: PathBuf,
    /// The table of attempts: docs/test-tables.md. Default: beside the component, NAME.table.toml
    table: Option<PathBuf>,
}

pub(super) async fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let TestArgs { file, table } = args;
    let source = component::read(file)?.at(file);
    let beside = || component::table_beside(file);
    let path = table.clone().unwrap_or_else(beside);
    let table = component::read_table(&path)?;
    let runtime = Arc::new(Runtime::metered_with(compiler::compiler()?)?);
    compiler::tell_if_large(file, &source, &runtime);
    let tried = Tried::table(&runtime, source, &table)
        .await
        .with_context(|| file.display().to_string())?;
    output::print(&report(&tried))?;
    Ok(if tried.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn report(tried: &Tried) -> String {
    let mut text = String::new();
    for (number, outcome) in (1..).zip(&tried.outcomes) {
        attempt(&mut text, number, outcome);
    }
    let failed = tried.outcomes.iter();
    let failed = failed.filter(|it| !it.differences.is_empty()).count();
    let manifest = &tried.revision.manifest;
    // Writing to a String does not fail.
    _ = writeln!(
        text,
        "{} {} ({}): {} of {} attempts passed",
        Printable(&manifest.name),
        Printable(&manifest.version),
        tried.revision.digest.short(),
        tried.outcomes.len() - failed,
        tried.outcomes.len(),
    );
    text
}

fn attempt(text: &mut String, number: usize, outcome: &Outcome) {
    let passed = outcome.differences.is_empty();
    let word = if passed { "pass" } else { "FAIL" };
    _ = writeln!(text, "{word} {number:>3}  {}", Printable(&outcome.name));
    for turn in &outcome.turns {
        _ = writeln!(text, "            {}", call(turn));
    }
    for difference in &outcome.differences {
        _ = writeln!(text, "          ! {}", Printable(difference));
    }
}

fn call(turn: &Turn) -> String {
    let asked = match turn.asked {
        Asked::Begin => "begin",
        Asked::Resume => "resume",
    };
    let mut line = format!("{asked:<7} {:<10}", turn.said.word());
    match turn.cost {
        Some(cost) => {
            let fuel = cost.fuel.map_or_else(String::new, grouped);
            let micros = cost.took.as_micros();
            _ = write!(line, "{fuel:>12} fuel {micros:>7} µs");
            for kind in HostCall::ALL {
                match cost.host_calls.of(kind) {
                    0 => {}
                    1 => _ = write!(line, "  {}", kind.label()),
                    many => _ = write!(line, "  {} ×{many}", kind.label()),
                }
            }
        }
        None => line.push_str("it did not come to an end"),
    }
    line
}

/// With a comma before each three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
