use std::{env, path::Path, process::ExitCode};

use anyhow::Context;

use super::project::NewArgs;
use crate::{
    command::output,
    kit::{Name, Project},
};

pub(super) fn run(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let NewArgs { language, name } = args;
    let name: Name = name
        .parse()
        .with_context(|| format!("{name:?} is no name"))?;
    let project = Project::create(Path::new("."), &name, *language)?;
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
