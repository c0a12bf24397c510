use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::Args;

use super::{compiler, component};
use crate::{
    command::output,
    method::Runtime,
    observe::Printable,
    trial::{Check, Conformance, Severity, conform},
};

/// The arguments of `countersign method conform`.
#[derive(Debug, Args)]
pub(super) struct ConformArgs {
    /// The component.
    file: PathBuf,
    /// A table with its settings, credentials and right answers. Default: beside the component,
    /// NAME.table.toml, if there is one
    table: Option<PathBuf>,
}

pub(super) async fn run(args: &ConformArgs) -> anyhow::Result<ExitCode> {
    let ConformArgs { file, table } = args;
    let source = component::read(file)?.at(file);
    let beside = component::table_beside(file);
    let path = table.clone().or_else(|| beside.exists().then_some(beside));
    let table = path.as_deref().map(component::read_table).transpose()?;
    let runtime = Arc::new(Runtime::metered_with(compiler::compiler()?)?);
    compiler::tell_if_large(file, &source, &runtime);
    let conformance = conform(&runtime, source, table.as_ref())
        .await
        .with_context(|| file.display().to_string())?;
    output::print(&report(&conformance))?;
    if table.is_none() {
        output::tell(format_args!(
            "countersign: there is no table, so what needs a right answer was not looked at; write \
             one: docs/test-tables.md"
        ));
    }
    Ok(if conformance.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Of one check: the others mostly say the same.
const MOST_FINDINGS: usize = 5;

/// A line for each check, and below it what it found.
fn report(conformance: &Conformance) -> String {
    let mut text = String::new();
    for check in Check::ALL {
        let findings: Vec<_> = conformance.of(check).collect();
        let worst = findings.iter().map(|finding| finding.severity).max();
        let word = match worst {
            Some(Severity::Failure) => "FAIL",
            Some(Severity::Warning) => "warn",
            None if conformance.looks(check) == 0 => "-",
            None => "pass",
        };
        // Writing to a String does not fail.
        _ = writeln!(text, "{word:<5}{:<12} {}", check.name(), check.rule());
        for finding in findings.iter().take(MOST_FINDINGS) {
            let mark = match finding.severity {
                Severity::Failure => '!',
                Severity::Warning => '?',
            };
            _ = writeln!(text, "       {mark} {}", Printable(&finding.what));
        }
        if let Some(more) = findings.len().checked_sub(MOST_FINDINGS + 1) {
            _ = writeln!(text, "         … and {} more", more + 1);
        }
        if !findings.is_empty() {
            _ = writeln!(text, "         why: {}", check.why());
        }
    }
    let manifest = &conformance.revision.manifest;
    let [name, version] = [&manifest.name, &manifest.version].map(|it| Printable(it).to_string());
    let digest = conformance.revision.digest.short();
    let end = if conformance.passed() {
        "it conforms"
    } else {
        "it does not conform"
    };
    _ = writeln!(text, "{name} {version} ({digest}): {end}");
    text
}
