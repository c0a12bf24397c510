use std::{fs, process::ExitCode, time::Instant};

use super::{component, project::BuildArgs};
use crate::{command::output, kit::Project};

pub(super) fn run(args: &BuildArgs) -> anyhow::Result<ExitCode> {
    let tell = |line: std::fmt::Arguments<'_>| output::tell(line);
    let project = Project::find(&args.project.directory)?;
    // What is wrong with it should not be found after half a minute of building.
    let table = component::table_beside(&project.component());
    if table.exists() {
        component::read_table(&table)?;
    }
    let since = Instant::now();
    let path = project.build(args.output.as_deref(), &tell)?;
    let seconds = since.elapsed().as_secs_f32();
    let octets = fs::metadata(&path)?.len();
    output::print(&format!(
        "{} ({}, made in {seconds:.1} s)\n",
        path.display(),
        size(octets)
    ))?;
    if project.language().is_interpreted() {
        output::tell(format_args!(
            "A router compiles a component of this size for some tens of seconds when it first loads it."
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn size(octets: u64) -> String {
    match octets {
        0..10_000_000 => format!("{} KB", octets.div_ceil(1000)),
        _ => format!("{} MB", octets.div_ceil(1_000_000)),
    }
}
