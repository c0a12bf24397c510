use std::{
    path::{self, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;

use crate::{
    admin::{Request, Response, StagingReport},
    command::{
        output::{columns, print, tell},
        realm_name,
        router::{Router, unexpected},
    },
    config::RealmName,
};

#[derive(Debug, Args)]
#[command(
    about = "Take a component through all stages in the running router, and keep it ready for a step",
    after_help = "Nobody logs in by it: see canary and shadow. It takes the step over when its file is \
                  put into the directory of the methods, without being compiled again. Status 1 if a \
                  stage was not passed."
)]
pub(super) struct StageArgs {
    /// The component. The router must be able to read it
    file: PathBuf,

    /// The realm
    #[arg(long, value_parser = realm_name)]
    realm: RealmName,

    /// The step of its logins
    #[arg(long)]
    step: String,

    /// Its table of attempts. Default: beside the component, NAME.table.toml, if there is one
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,

    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) async fn stage(args: &StageArgs, router: &Router) -> anyhow::Result<ExitCode> {
    let absolute = |file: &PathBuf| {
        path::absolute(file).with_context(|| format!("{}: where is that?", file.display()))
    };
    let file = absolute(&args.file)?;
    let attempts = args.table.as_ref().map(absolute).transpose()?;
    let request = Request::Stage {
        realm: args.realm.as_str().to_owned(),
        step: args.step.clone(),
        file,
        table: attempts,
    };
    let report = match router.ask(request).await? {
        Response::Staged(report) => report,
        other => return unexpected(&other),
    };
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    } else {
        print(&table(&report))?;
    }
    match (&report.digest, &report.why) {
        (Some(digest), _) => {
            let (step, realm) = (&args.step, &args.realm);
            tell(format_args!(
                "sha256:{digest} is staged for {step} of {realm}"
            ));
            Ok(ExitCode::SUCCESS)
        }
        (None, why) => {
            let why = why.as_deref().unwrap_or("the router does not say why");
            tell(format_args!("not staged: {}: {why}", args.file.display()));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn table(report: &StagingReport) -> String {
    let passed = report.stages.iter().map(|stage| {
        let took = super::list::time(stage.took_us);
        [stage.stage.clone(), took, stage.how.clone()]
    });
    let failed = report.failed.iter();
    let failed = failed.map(|stage| [stage.clone(), "-".into(), "not passed".into()]);
    columns(&passed.chain(failed).collect::<Vec<_>>())
}
