//! The release: the router as it is to be deployed, with all methods that come with it, in one directory.
//!
//! The router is built twice. The first build counts which code runs how often while the benchmark puts
//! load on it; the second is laid out by these counts. Hardly a function that a login needs runs for long,
//! so what a login costs is a matter of what lies beside what, and of what need not be called.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{
    cargo,
    files::{copy, root, target},
    process::{run, say},
};

/// How long each kind of load is on the router that counts.
const SECONDS: &str = "4";

/// Builds the release, and says where it is.
///
/// # Errors
///
/// A tool is missing and cannot be installed, or a build fails.
pub fn release() -> Result<()> {
    say("[1/5] The methods");
    let methods = cargo::standard_methods()?;
    let merge = profdata()?;
    // The second build must be by the same profile: cargo makes the names of functions from it too, and
    // what was counted under another name is nobody's.
    say("[2/5] A router that counts (the first time takes half an hour on two cores)");
    let counts = target().join("release-counts");
    forget(&counts)?;
    let counting = cargo::deployed_router(
        &[format!("-Cprofile-generate={}", counts.display())],
        &target().join("release-counting"),
    )?;

    say("[3/5] Load on it");
    let mut load = cargo::cargo();
    load.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "countersign-bench",
    ])
    .args([
        "--",
        "--without-crossbar",
        "--rounds",
        "1",
        "--seconds",
        SECONDS,
    ])
    .arg("--router")
    .arg(&counting)
    // What a router takes that counts is of no interest.
    .stdout(Stdio::null());
    run(&mut load)?;
    let merged = counts.join("merged.profdata");
    let mut merging = Command::new(merge);
    merging
        .arg("merge")
        .arg("--output")
        .arg(&merged)
        .arg(&counts);
    run(&mut merging)?;

    say("[4/5] A router laid out by the counts (takes half an hour each time)");
    // Cargo does not see that the counts are others now.
    let laid_out = target().join("release-laid-out");
    forget(&laid_out)?;
    let flags = [
        format!("-Cprofile-use={}", merged.display()),
        // The load does not reach all of it.
        "-Cllvm-args=-pgo-warn-missing-function=false".into(),
    ];
    let router = cargo::deployed_router(&flags, &laid_out)?;

    let (version, host) = (env!("CARGO_PKG_VERSION"), cargo::host()?);
    let name = format!("countersign-{version}-{host}");
    let directory = target().join("dist").join(name);
    say(format_args!("[5/5] {}", directory.display()));
    forget(&directory)?;
    lay_out(&directory, &router, &methods)
}

fn lay_out(directory: &Path, router: &Path, methods: &[(String, PathBuf)]) -> Result<()> {
    let program = directory.join("countersign");
    fs::create_dir_all(directory)
        .and_then(|()| fs::copy(router, &program))
        .with_context(|| format!("{} could not be written", program.display()))?;
    for (name, component) in methods {
        copy(
            component,
            &directory.join("methods").join(name).with_extension("wasm"),
        )?;
    }
    let systemd = root().join("examples/systemd");
    for file in ["countersign.service", "countersign.toml"] {
        copy(&systemd.join(file), &directory.join(file))?;
    }
    Ok(())
}

/// The program that merges counts, which must be of the compiler's own LLVM.
fn profdata() -> Result<PathBuf> {
    let library = cargo::rustc(&["--print", "target-libdir"])?;
    let program = Path::new(&library)
        .with_file_name("bin")
        .join("llvm-profdata");
    if !program.exists() {
        say("Installing llvm-tools");
        let mut install = Command::new("rustup");
        install
            .args(["component", "add", "llvm-tools"])
            .current_dir(root());
        run(&mut install).context("without rustup, install llvm-tools as your system does")?;
    }
    Ok(program)
}

/// Removes a directory that may be there.
fn forget(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", directory.display()))
        }
        _ => Ok(()),
    }
}
