use std::{process::ExitCode, sync::Arc};

use anyhow::Context;

use super::ConfigArgs;
use crate::{
    config::Operator,
    credential::{PasswordQueue, Sqlite, Vault},
    method::Runtime,
    realm::{Inspection, Reloader, Workshop},
};

pub(super) async fn run(args: ConfigArgs) -> anyhow::Result<ExitCode> {
    let operator = Operator::read(&args.config)?;
    // A look must leave no traces: where there is no store yet, a passing one does.
    let passing = tempfile::tempdir().context("a temporary directory cannot be made")?;
    let file = if operator.credentials.exists() {
        operator.credentials.clone()
    } else {
        passing.path().join("credentials.db")
    };
    let vault = Vault::open(Arc::new(Sqlite::open(file)?), PasswordQueue::default())?;
    let workshop = Workshop::new(Arc::new(Runtime::new()?), vault, operator.methods.clone());
    let mut reloader = Reloader::new(workshop, operator.realms.clone(), Arc::default());
    let inspections = reloader.look().await.with_context(|| {
        format!(
            "{}: the directory of the realms' files cannot be read",
            operator.realms.display()
        )
    })?;
    let mut good = true;
    for Inspection { path, outcome } in &inspections {
        match outcome {
            Ok(realm) => {
                let generation = realm.generation();
                let mut lines: Vec<_> = generation
                    .methods
                    .iter()
                    .map(|(step, method)| {
                        let revision = &method.revision;
                        let manifest = &revision.manifest;
                        format!(
                            "  {step}: {} {} ({})",
                            manifest.name,
                            manifest.version,
                            revision.digest.short()
                        )
                    })
                    .collect();
                lines.sort();
                super::print(format_args!(
                    "{}: good\n{}",
                    path.display(),
                    lines.join("\n")
                ));
            }
            Err(error) => {
                good = false;
                super::print_error(format_args!("{error}"));
            }
        }
    }
    if inspections.is_empty() {
        super::print(format_args!(
            "{}: there is no realm",
            operator.realms.display()
        ));
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
