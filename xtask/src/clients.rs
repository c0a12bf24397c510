//! WAMP clients of other people, which the tests log in with. Their packages are pinned in
//! `tests/clients/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    files::{copy, put, root, target, turn},
    process::{run, say},
};

/// A Python that has autobahn and xconn.
#[derive(Clone, Debug)]
pub struct Python {
    interpreter: PathBuf,
}

/// A directory in which Node finds autobahn and wampy.
#[derive(Clone, Debug)]
pub struct Node {
    directory: PathBuf,
}

/// Installs the Python clients into a virtual environment under the target directory, if the list
/// of their packages has changed since the last time.
///
/// # Errors
///
/// Python 3 is missing, or the packages cannot be had.
pub fn python_clients() -> Result<Python> {
    let _turn = turn()?;
    let requirements = root().join("tests/clients/requirements.txt");
    let directory = target().join("clients/python");
    let interpreter = directory.join("bin/python");
    unless_installed(&directory, &[&requirements], || {
        say("Installing the Python clients into target/clients/python");
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&directory))?;
        run(Command::new(&interpreter)
            .args([
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
                "--quiet",
            ])
            .arg("--requirement")
            .arg(&requirements))
    })?;
    Ok(Python { interpreter })
}

/// Installs the JavaScript clients under the target directory, if the list of their packages has
/// changed since the last time.
///
/// # Errors
///
/// Node.js is missing, or the packages cannot be had.
pub fn node_clients() -> Result<Node> {
    let _turn = turn()?;
    let lists = ["package.json", "package-lock.json"];
    let sources = lists.map(|list| root().join("tests/clients").join(list));
    let directory = target().join("clients/node");
    unless_installed(
        &directory,
        &sources.each_ref().map(PathBuf::as_path),
        || {
            say("Installing the JavaScript clients into target/clients/node");
            for (list, source) in lists.iter().zip(&sources) {
                copy(source, &directory.join(list))?;
            }
            // Optional packages and scripts are for native code, which only makes the others faster.
            run(Command::new("npm")
                .args([
                    "install",
                    "--no-save",
                    "--omit=optional",
                    "--ignore-scripts",
                ])
                .args(["--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&directory))
        },
    )?;
    Ok(Node { directory })
}

/// Chromium, or a browser that is made of it. It is installed where the system's packages have it and
/// this process may install them.
///
/// # Errors
///
/// There is none, and it cannot be installed.
pub fn chromium() -> Result<PathBuf> {
    let _turn = turn()?;
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    say("Installing Chromium, by apt-get");
    let install = || {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "chromium"])
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install().context(
        "the tests need Chromium, and it could not be installed; install it as your system does, so \
         that PATH has `chromium`, `chromium-browser` or `google-chrome`",
    )?;
    find_chromium().context("Chromium was installed, and is not in PATH")
}

/// What compiles C for WebAssembly, where nothing does yet. It is installed where the system's packages
/// have it and this process may install them.
///
/// # Errors
///
/// It cannot be installed.
pub fn c_compiler() -> Result<()> {
    let _turn = turn()?;
    let is_there = env::var_os("WASI_SDK_PATH").is_some()
        || (find("wasm-ld").is_some() && Path::new("/usr/include/wasm32-wasi/stdlib.h").is_file());
    if is_there {
        return Ok(());
    }
    say("Installing a C compiler for WebAssembly, by apt-get");
    let install = || {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "clang", "lld", "wasi-libc"])
            .arg("libclang-rt-dev-wasm32")
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install().context(
        "the tests need a C compiler for WebAssembly, and it could not be installed; install clang, lld \
         and wasi-libc as your system does, or wasi-sdk, and say where it is in WASI_SDK_PATH",
    )
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

fn find_chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let directories: Vec<PathBuf> = env::split_paths(&path).collect();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| {
            directories
                .iter()
                .map(move |directory| directory.join(name))
        })
        .find(|program| program.is_file())
}

/// Installs, and leaves a note of what was installed.
fn unless_installed(
    directory: &Path,
    lists: &[&Path],
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let mut wanted = Vec::new();
    for list in lists {
        let list =
            fs::read(list).with_context(|| format!("{} could not be read", list.display()))?;
        wanted.extend(list);
    }
    let note = directory.join("installed");
    if fs::read(&note).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    put(&note, &wanted)?;
    Ok(())
}

impl Python {
    /// A command that runs a program.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.arg("-u").arg(program);
        command
    }
}

impl Node {
    /// A file of a package.
    pub fn file(&self, path: &str) -> PathBuf {
        self.directory.join("node_modules").join(path)
    }

    /// A command that runs a program. Node looks for packages where the program is, so the program
    /// is copied to where the packages are.
    ///
    /// # Errors
    ///
    /// The program cannot be copied.
    pub fn command(&self, program: &Path) -> Result<Command> {
        let name = program.file_name().context("the program has no name")?;
        let copied = self.directory.join(name);
        copy(program, &copied)?;
        let mut command = Command::new("node");
        command.arg(copied);
        Ok(command)
    }
}
