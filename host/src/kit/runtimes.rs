//! Tools that come from a language's own registry: what makes components of JavaScript and of Python.
//! They are large, so there is one of each for all projects of a person, in the directory for what is
//! downloaded.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{KitError, Tell, project::put, tool};

const NODE_IS_MISSING: &str = "Node.js is needed, version 20 or later, with npm, and PATH has no \
    `node` and `npm`: get it from https://nodejs.org, or by `apt-get install nodejs npm`";

const PYTHON_IS_MISSING: &str = "Python is needed, version 3.10 or later, and PATH has no `python3`: \
    get it from https://www.python.org, or by `apt-get install python3 python3-venv`";

/// The release that is known to work, and no other.
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";

/// The files that say what is installed for Node.js: npm's, and the program that uses it.
const PACKAGES: &[(&str, &str)] = &[
    ("package.json", include_str!("tools/node/package.json")),
    (
        "package-lock.json",
        include_str!("tools/node/package-lock.json"),
    ),
];
const COMPONENTIZE: (&str, &str) = (
    "componentize.mjs",
    include_str!("tools/node/componentize.mjs"),
);

/// What makes a component of a module in JavaScript or TypeScript.
pub(super) struct Node {
    program: PathBuf,
    directory: PathBuf,
}

pub(super) fn look_for_node() -> Result<(), KitError> {
    tool::require(&["node"], NODE_IS_MISSING)?;
    tool::require(&["npm"], NODE_IS_MISSING).map(drop)
}

pub(super) fn node(tell: Tell<'_>) -> Result<Node, KitError> {
    let program = tool::require(&["node"], NODE_IS_MISSING)?;
    let npm = tool::require(&["npm"], NODE_IS_MISSING)?;
    let directory = installed("javascript", &texts(PACKAGES), |directory| {
        tell(format_args!(
            "Installing ComponentizeJS, esbuild and TypeScript (400 MB, once for all projects)"
        ));
        for (path, text) in PACKAGES {
            put(&directory.join(path), text.as_bytes())?;
        }
        tool::run(
            Command::new(&npm)
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(directory),
        )
    })?;
    let (path, text) = COMPONENTIZE;
    put(&directory.join(path), text.as_bytes())?;
    Ok(Node { program, directory })
}

impl Node {
    /// Makes a component of what a module exports.
    pub(super) fn componentize(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.directory.join(COMPONENTIZE.0));
        command
    }

    /// TypeScript's compiler.
    pub(super) fn tsc(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.directory.join("node_modules/typescript/bin/tsc"));
        command
    }
}

pub(super) fn look_for_python() -> Result<(), KitError> {
    tool::require(&["python3", "python"], PYTHON_IS_MISSING).map(drop)
}

/// componentize-py, in an environment of its own.
pub(super) fn python(tell: Tell<'_>) -> Result<PathBuf, KitError> {
    let python = tool::require(&["python3", "python"], PYTHON_IS_MISSING)?;
    let directory = installed("python", COMPONENTIZE_PY, |directory| {
        tell(format_args!(
            "Installing {COMPONENTIZE_PY} (70 MB, once for all projects)"
        ));
        let made = tool::run(Command::new(&python).args(["-m", "venv"]).arg(directory));
        if let Err(KitError::Failed { .. }) = made {
            return Err(KitError::Missing(
                "Python made no environment (`python3 -m venv`); what it says of it is above. If it has no \
                 `venv`: `apt-get install python3-venv`, or as your system has it"
                    .into(),
            ));
        }
        made?;
        tool::run(
            Command::new(directory.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "--disable-pip-version-check",
                    "install",
                    "--quiet",
                ])
                .arg(COMPONENTIZE_PY),
        )
    })?;
    Ok(directory.join("bin/componentize-py"))
}

fn texts(files: &[(&str, &str)]) -> String {
    files.iter().map(|(_, text)| *text).collect()
}

/// The directory in which this is installed. If it is not, or if something else is, it is made so;
/// what an interrupted installation left is taken away.
fn installed(
    name: &str,
    wanted: &str,
    install: impl FnOnce(&Path) -> Result<(), KitError>,
) -> Result<PathBuf, KitError> {
    let cache = cache()?;
    fs::create_dir_all(&cache).map_err(KitError::file("it cannot be made", &cache))?;
    let lock = cache.join(format!("{name}.lock"));
    // Another build may be at it; until the file is closed it is our turn.
    let _turn = fs::File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(KitError::file("it cannot be locked", &lock))?;
    let directory = cache.join(name);
    let note = directory.join("installed");
    if fs::read_to_string(&note).is_ok_and(|note| note == wanted) {
        return Ok(directory);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory)
            .map_err(KitError::file("it cannot be removed", &directory))?;
    }
    install(&directory)?;
    put(&note, wanted.as_bytes())?;
    Ok(directory)
}

/// The directory for what this program downloads and makes for a person, and can have again.
pub fn cache() -> Result<PathBuf, KitError> {
    let chosen = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
    let base = chosen("XDG_CACHE_HOME")
        .map(PathBuf::from)
        // Others are to be ignored, as the XDG Base Directory Specification has it.
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(chosen("HOME")?).join(".cache")))
        .ok_or(KitError::NoCache)?;
    Ok(base.join("countersign"))
}
