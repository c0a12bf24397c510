use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    files::{root, target, turn},
    process::{run, say},
};

const WASM: &str = "wasm32-wasip2";

/// The methods of the demo: the packages are `countersign-NAME`.
const METHODS: [&str; 4] = ["anonymous", "cryptosign", "ticket", "wampcra"];

/// Builds the methods' components. Returns the name of each with the file that it is in.
///
/// # Errors
///
/// The target for WebAssembly is missing and cannot be installed, or a build fails.
pub fn methods() -> Result<Vec<(&'static str, PathBuf)>> {
    let packages = METHODS.map(|name| format!("countersign-{name}"));
    let files = components(&packages.each_ref().map(String::as_str))?;
    Ok(METHODS.into_iter().zip(files).collect())
}

/// Builds one package of the workspace as a component. Returns the file that it is in.
///
/// # Errors
///
/// As for [`methods`].
pub fn component(package: &str) -> Result<PathBuf> {
    components(&[package])?
        .pop()
        .context("one package makes one component")
}

fn components(packages: &[&str]) -> Result<Vec<PathBuf>> {
    let _turn = turn()?;
    install_wasm_target()?;
    say(format_args!(
        "Building as components: {}",
        packages.join(", ")
    ));
    // A directory of their own: a cargo that waits for us may hold the lock of the other.
    let directory = target().join("methods");
    let mut build = cargo();
    build
        .args([
            "build",
            "--profile",
            "method",
            "--target",
            WASM,
            "--target-dir",
        ])
        .arg(&directory);
    for package in packages {
        build.args(["--package", package]);
    }
    run(&mut build)?;
    let built = directory.join(WASM).join("method");
    let file = |package: &&str| built.join(package.replace('-', "_")).with_extension("wasm");
    Ok(packages.iter().map(file).collect())
}

/// Builds the router. Returns the file of the program.
///
/// # Errors
///
/// The build fails.
pub fn router() -> Result<PathBuf> {
    let _turn = turn()?;
    say("Building the router (the first time takes some minutes)");
    let (profile, directory) = if cfg!(debug_assertions) {
        ("dev", "debug")
    } else {
        ("release", "release")
    };
    // `--workspace` for the same features of our dependencies as in a build of everything: with
    // others they would be compiled once more.
    run(cargo().args([
        "build",
        "--workspace",
        "--bin",
        "countersign",
        "--profile",
        profile,
    ]))?;
    Ok(target().join(directory).join("countersign"))
}

/// The cargo that runs us, in the workspace.
fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(root()).stdin(Stdio::null());
    // What the cargo that runs us says of the package that it runs. ring's build script watches
    // these, so with them it and all that stands on it would be compiled again, each time.
    for (name, _) in env::vars_os() {
        let of_a_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        let name = name.to_string_lossy();
        if of_a_package.iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&*name);
        }
    }
    cargo
}

/// `rust-toolchain.toml` names the target, but rustup may be told not to install by itself.
fn install_wasm_target() -> Result<()> {
    if has_wasm_target()? {
        return Ok(());
    }
    say(format_args!("Installing the target {WASM}"));
    run(Command::new("rustup").args(["target", "add", WASM]).current_dir(root())).with_context(
        || {
            format!("the standard library for {WASM} is needed; without rustup, install it as your system does")
        },
    )
}

fn has_wasm_target() -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("rustc could not be started; is it installed?")?;
    ensure!(
        output.status.success(),
        "rustc does not know the target {WASM}; it is too old"
    );
    let directory = String::from_utf8(output.stdout).context("a path that is not UTF-8")?;
    Ok(PathBuf::from(directory.trim_end()).is_dir())
}
