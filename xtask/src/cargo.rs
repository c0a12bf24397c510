use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use wit_component::ComponentEncoder;

use crate::{
    files::{put, root, target, turn},
    process::{run, say},
};

/// For components that may want something of a system: they get it by WASI's interfaces.
const WASI: &str = "wasm32-wasip2";

/// For our methods, which want nothing. Without the imports that Rust's standard library would have of
/// WASI, a fresh instance costs a quarter less, and there are two in a login.
const BARE: &str = "wasm32-unknown-unknown";

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
    say(format_args!(
        "Building as components: {}",
        packages.join(", ")
    ));
    let ours = |package: &&&str| package.starts_with("countersign-");
    let (bare, others): (Vec<&str>, Vec<&str>) = packages.iter().partition(ours);
    compile(&bare, BARE)?;
    compile(&others, WASI)?;
    let file = |package: &&str| {
        let name = package.replace('-', "_");
        if !ours(&package) {
            return Ok(built(WASI).join(name).with_extension("wasm"));
        }
        let module = built(BARE).join(&name).with_extension("wasm");
        componentize(&module, &made().join("component").join(name))
    };
    packages.iter().map(file).collect()
}

fn compile(packages: &[&str], target: &str) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    install_target(target)?;
    let mut build = cargo();
    build
        .args(["build", "--profile", "method", "--target", target])
        .arg("--target-dir")
        .arg(made());
    for package in packages {
        build.args(["--package", package]);
    }
    run(&mut build)
}

/// A directory of their own: a cargo that waits for us may hold the lock of the other.
fn made() -> PathBuf {
    target().join("methods")
}

fn built(target: &str) -> PathBuf {
    made().join(target).join("method")
}

/// Does what the linker does for `wasm32-wasip2`. Returns the component's file.
fn componentize(module: &Path, component: &Path) -> Result<PathBuf> {
    let component = component.with_extension("wasm");
    let encoded = fs::read(module)
        .map_err(anyhow::Error::from)
        .and_then(|module| ComponentEncoder::default().module(&module)?.encode())
        .with_context(|| format!("{} cannot be made a component", module.display()))?;
    put(&component, &encoded)?;
    Ok(component)
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

/// `rust-toolchain.toml` names the targets, but rustup may be told not to install by itself.
fn install_target(target: &str) -> Result<()> {
    if has_target(target)? {
        return Ok(());
    }
    say(format_args!("Installing the target {target}"));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", target]).current_dir(root());
    run(&mut rustup).with_context(|| {
        format!(
            "the standard library for {target} is needed; without rustup, install it as your system \
             does"
        )
    })
}

fn has_target(target: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("rustc could not be started; is it installed?")?;
    ensure!(
        output.status.success(),
        "rustc does not know the target {target}; it is too old"
    );
    let directory = String::from_utf8(output.stdout).context("a path that is not UTF-8")?;
    Ok(PathBuf::from(directory.trim_end()).is_dir())
}
