use std::process::ExitCode;

use super::project::ProjectArgs;
use crate::{command::output, kit::Project};

pub(super) fn run(args: &ProjectArgs) -> anyhow::Result<ExitCode> {
    let project = Project::find(&args.directory)?;
    project.renew_bindings()?;
    output::print(&format!(
        "{} has the contract of this program: wit/ and countersign/\n",
        project.directory().display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
