use std::{env, path::Path, process::ExitCode};

use super::project::{NewArgs, name, refuse};
use crate::command::output;
use crate::kit::Project;

pub(super) fn run(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let name = match name(&args.name) {
        Ok(name) => name,
        Err(error) => {
            output::tell(format_args!("countersign: {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let project = match Project::create(Path::new("."), &name, args.language) {
        Ok(project) => project,
        Err(error) => return Ok(refuse(&error)),
    };
    let program = env::args().next().unwrap_or_else(|| "countersign".into());
    let source = project.language().source();
    output::print(&format!(
        "{name} is a method in {language} that lets in whoever knows a word. Edit {name}/{source}.\n\
         {program} method build {name}   makes {name}/{name}.wasm\n\
         {program} method dev {name}     serves a realm with it, and builds again at each change\n",
        language = project.language()
    ))?;
    if let Err(error) = project.look_for_tools() {
        output::tell(format_args!("To build it, something is missing: {error}"));
    }
    Ok(ExitCode::SUCCESS)
}
