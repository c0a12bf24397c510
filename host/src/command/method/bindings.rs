use std::process::ExitCode;

use super::project::{ProjectArgs, refuse};
use crate::command::output;
use crate::kit::Project;

pub(super) fn run(args: &ProjectArgs) -> anyhow::Result<ExitCode> {
    let renewed = Project::find(&args.directory).and_then(|project| {
        project.renew_bindings()?;
        Ok(project)
    });
    match renewed {
        Ok(project) => {
            output::print(&format!(
                "{} has the contract of this program: wit/ and countersign/\n",
                project.directory().display()
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(refuse(&error)),
    }
}
