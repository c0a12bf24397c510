use std::{process::ExitCode, sync::Arc};

use anyhow::Context;

use super::{
    ConfigArgs, output,
    serve::{compiler, signers},
};
use crate::{
    config::{Conform, Operator},
    credential::{PasswordQueue, Sqlite, Vault},
    egress::Egress,
    login::StepName,
    method::{Manifest, Method, Revision, Runtime},
    observe::Audit,
    realm::{Inspection, Ledger, Reloader, UNSERVED, Workshop},
    transport::own_user,
};

pub(super) async fn run(args: ConfigArgs) -> anyhow::Result<ExitCode> {
    let operator = Operator::read(&args.config)?;
    // A look must leave no traces. Above all where this program is newer than the router that runs: it
    // would bring the store to a form that the router does not know.
    let passing = tempfile::tempdir().context("a temporary directory cannot be made")?;
    let file = passing.path().join("credentials.db");
    let store = if operator.credentials.exists() {
        Sqlite::open_copy(&operator.credentials, file)?
    } else {
        Sqlite::open(file)?
    };
    let vault = Vault::open(Arc::new(store), PasswordQueue::default())?;
    let runtime = Arc::new(Runtime::with(compiler(&operator, None)?)?);
    let ledger = Ledger::look(&operator.loading.revisions, own_user()?)?;
    let egress = Arc::new(Egress::new(&operator.egress)?);
    if let Some(audit) = &operator.audit {
        Audit::look(audit)?;
    }
    let workshop = Workshop::new(runtime, vault, egress, operator.methods.clone())
        .requiring(signers(&operator))
        .requiring_conformance(operator.loading.conform == Conform::Required)
        .under(operator.ceilings.clone())
        .heeding(Arc::new(ledger));
    let workshop = Arc::new(workshop);
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
                let mut methods: Vec<_> = generation.methods.iter().map(describe).collect();
                methods.sort();
                let file = path.display();
                output::print(&format!("{file}: good\n{}", methods.concat()))?;
                if generation.cookie.is_some() && !operator.may_serve_cookies() {
                    output::tell(format_args!("{file}: warning: {UNSERVED}"));
                }
            }
            Err(error) => {
                good = false;
                output::tell(format_args!("{error}"));
            }
        }
    }
    if inspections.is_empty() {
        let directory = operator.realms.display();
        output::print(&format!("{directory}: there is no realm\n"))?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn describe((step, method): (&StepName, &Arc<Method>)) -> String {
    let Revision {
        digest, manifest, ..
    } = &*method.revision;
    let Manifest {
        name,
        version,
        summary,
        ..
    } = manifest;
    format!(
        "  {step}: {name} {version}, {summary} ({})\n",
        digest.short()
    )
}
