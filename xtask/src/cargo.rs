use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{
    files::{root, target, turn},
    process::{output, run, say},
};

const WASM: &str = "wasm32-wasip2";

/// The methods of the demo: the packages are `countersign-NAME`.
const METHODS: [&str; 4] = ["anonymous", "cryptosign", "ticket", "wampcra"];

/// Builds the components of the demo's methods. Returns the name of each with the file that it is in.
///
/// # Errors
///
/// The target for WebAssembly is missing and cannot be installed, or a build fails.
pub fn methods() -> Result<Vec<(&'static str, PathBuf)>> {
    let packages = METHODS.map(|name| format!("countersign-{name}"));
    let files = components(&packages.each_ref().map(String::as_str))?;
    Ok(METHODS.into_iter().zip(files).collect())
}

/// The same for all that come with the router.
pub(crate) fn standard_methods() -> Result<Vec<(String, PathBuf)>> {
    let plugins = root().join("plugins");
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&plugins)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        // What methods are made with is none.
        names.retain(|name| name != "guest" && !name.starts_with('.'));
        names.sort();
        Ok(names)
    };
    let names = read().with_context(|| format!("{} could not be read", plugins.display()))?;
    let packages: Vec<String> = names
        .iter()
        .map(|name| format!("countersign-{name}"))
        .collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let files = components(&packages)?;
    Ok(names.into_iter().zip(files).collect())
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

/// Builds the router that is deployed with these flags for the compiler, in a directory of its own. Returns
/// the file of the program.
pub(crate) fn deployed_router(flags: &[String], directory: &Path) -> Result<PathBuf> {
    const PROFILE: &str = "deployed";
    let host = host()?;
    let before = env::var("RUSTFLAGS").unwrap_or_default();
    let flags = before
        .split_whitespace()
        .chain(flags.iter().map(String::as_str));
    let mut build = cargo();
    build
        .args([
            "build",
            "--workspace",
            "--bin",
            "countersign",
            "--profile",
            PROFILE,
        ])
        // Where a target is named, the flags are not for build scripts and macros.
        .args(["--target", &host, "--target-dir"])
        .arg(directory)
        // A path in a flag may have blanks, so what is between flags is none.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags.collect::<Vec<_>>().join("\u{1f}"),
        );
    run(&mut build)?;
    Ok(directory.join(host).join(PROFILE).join("countersign"))
}

/// The cargo that runs us, in the workspace.
pub(crate) fn cargo() -> Command {
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
    let directory = rustc(&["--print", "target-libdir", "--target", WASM])
        .with_context(|| format!("rustc is missing, or too old for the target {WASM}"))?;
    Ok(Path::new(&directory).is_dir())
}

/// What programs run on that are built here.
pub(crate) fn host() -> Result<String> {
    rustc(&["--print", "host-tuple"])
}

/// What the workspace's compiler says.
pub(crate) fn rustc(arguments: &[&str]) -> Result<String> {
    let said = output(Command::new("rustc").args(arguments).current_dir(root()))?;
    Ok(said.trim_end().to_owned())
}
