use std::{fmt::Write as _, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};

use super::{compiler, component, test::grouped};
use crate::{
    command::output,
    config::{CallLimits, Capability},
    credential::{PasswordQueue, Sqlite, Vault},
    method::{CONTRACT, Inspection, Limits, Need, Runtime},
    observe::Printable,
};

/// The arguments of `countersign method inspect`.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The component.
    file: PathBuf,
    /// Compile it again if that was done earlier, and tell what it takes.
    #[arg(long)]
    anew: bool,
}

pub(super) async fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let InspectArgs { file, anew } = args;
    // Not said to be at its place: what an earlier one there had in common with it would be compiled
    // already, and what compiling takes is asked here.
    let source = component::read(file)?;
    let compiler = if *anew {
        compiler::forgetful()?
    } else {
        compiler::compiler()?
    };
    // As a router has it: without fuel, which would make everything dearer.
    let runtime = Arc::new(Runtime::with(compiler)?);
    let is_kept = runtime.has_compiled(&source);
    compiler::tell_if_large(file, &source, &runtime);
    let passing = tempfile::tempdir().context("a temporary directory cannot be made")?;
    let store = Sqlite::open(passing.path().join("credentials.db"))?;
    let vault = Vault::open(Arc::new(store), PasswordQueue::default())?;
    let keyring = vault.keyring("".into(), "".into());
    let limits = Limits::from(&CallLimits::default());
    let inspection = Inspection::of(&runtime, &keyring, source, &limits)
        .await
        .with_context(|| file.display().to_string())?;
    let compiling = if is_kept {
        format!(
            "it was compiled earlier, and is loaded in {}; --anew tells what compiling takes",
            time(inspection.compiling)
        )
    } else {
        let memory = compilers_memory()?;
        format!(
            "{}, {} MiB meanwhile",
            time(inspection.compiling),
            memory >> 20
        )
    };
    let file = file.display().to_string();
    output::print(&report(&file, &compiling, &inspection))?;
    Ok(ExitCode::SUCCESS)
}

/// The most that the process had in memory which compiled, in octets: the only one that we have started.
fn compilers_memory() -> anyhow::Result<u64> {
    let most = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    // Linux counts in KiB.
    let unit = if cfg!(target_vendor = "apple") {
        1
    } else {
        1024
    };
    Ok(u64::try_from(most).unwrap_or_default() * unit)
}

fn report(file: &str, compiling: &str, inspection: &Inspection) -> String {
    let Inspection {
        digest,
        size,
        needs,
        manifest,
        compiling: _,
        instance,
        memory,
    } = inspection;
    let mut text = String::new();
    let mut row = |what: &str, value: &str| {
        // Writing to a String does not fail.
        _ = writeln!(text, "{what:<12}{value}");
    };
    let name = [&manifest.name, &manifest.version].map(|it| Printable(it).to_string());
    row("method", &name.join(" "));
    row("", &Printable(&manifest.summary).to_string());
    row("file", &format!("{file}, {} octets", grouped(*size as u64)));
    row("sha256", &digest.to_string());
    row("contract", &format!("countersign:auth@{CONTRACT}"));
    let kinds = manifest.credential_kinds.join(", ");
    let kinds = Printable(if kinds.is_empty() { "none" } else { &kinds }).to_string();
    row("credentials", &kinds);
    row(
        "secret",
        if manifest.clear_secret {
            "clients send it in clear: not asked where others could read along"
        } else {
            "clients do not send it"
        },
    );
    row("compiling", compiling);
    row("instance", &format!("{} for a fresh one", time(*instance)));
    row(
        "memory",
        &format!(
            "{} KiB at the beginning",
            grouped((*memory as u64).div_ceil(1024))
        ),
    );
    for (index, line) in grants(needs).iter().enumerate() {
        row(if index == 0 { "grants" } else { "" }, line);
    }
    text
}

/// A line for each capability that the component needs, and below it what it imports of it.
fn grants(needs: &[Need]) -> Vec<String> {
    let mut lines = Vec::new();
    for capability in Capability::ALL {
        let of_it = |need: &&Need| need.capability == Some(capability);
        let imports: Vec<&str> = needs.iter().filter(of_it).map(|it| &*it.import).collect();
        if imports.is_empty() {
            continue;
        }
        let granted = if capability.reaches_outside() {
            "a realm must name it in its file"
        } else {
            "granted unless a realm says otherwise"
        };
        let (name, words) = (capability.name(), words(capability));
        lines.push(format!("{name}: {words}; {granted}"));
        lines.extend(imports.iter().map(|import| format!("    {import}")));
    }
    if lines.is_empty() {
        lines.push("none".to_owned());
    }
    lines
}

/// What a method can do that has it.
const fn words(capability: Capability) -> &'static str {
    match capability {
        Capability::Credentials => "use the realm's credentials, without seeing a secret",
        Capability::Counters => "make an answer good once",
        Capability::RecoveryCodes => "take a recovery code",
        Capability::ScramKeys => "check a SCRAM proof, and sign in return",
        Capability::Enrolments => "have a client's key kept for the operator's code",
        Capability::Cookies => "learn whom a browser's cookie was made for",
        Capability::Transport => "learn of the client's connection",
        Capability::Logging => "write into the router's log",
        Capability::Wasi => "look at clocks and randomness; no files, no network",
        Capability::Procedures => "ask WAMP procedures of this router",
        Capability::Http => "send requests to the origins that the realm lists",
        Capability::KeySets => "read the key sets that the realm names",
    }
}

fn time(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..10_000 => format!("{micros} µs"),
        micros => format!("{} ms", micros / 1000),
    }
}
