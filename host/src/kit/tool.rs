//! Running the tools of others.

use std::{
    env, io,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::KitError;

/// Whether a program is in PATH.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// Finds one of some programs, or says what is missing.
pub(super) fn require(programs: &[&str], missing: &str) -> Result<PathBuf, KitError> {
    programs
        .iter()
        .find_map(|program| find(program))
        .ok_or_else(|| KitError::Missing(missing.to_owned()))
}

/// Runs a tool to its end. Whatever it writes goes to standard error: standard output is for results.
pub(super) fn run(command: &mut Command) -> Result<(), KitError> {
    let tool = name(command);
    let status = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(KitError::file(
            "it could not be started",
            command.get_program(),
        ))?;
    if status.success() {
        Ok(())
    } else {
        Err(KitError::Failed { tool, status })
    }
}

/// Runs a tool to its end, and returns what it writes to standard output.
pub(super) fn output(command: &mut Command) -> Result<String, KitError> {
    let tool = name(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(KitError::file(
            "it could not be started",
            command.get_program(),
        ))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(KitError::Failed {
            tool,
            status: output.status,
        })
    }
}

/// Whether a tool can be run so, without a word.
pub(super) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn name(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    name.to_string_lossy().into_owned()
}
