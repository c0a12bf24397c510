use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The workspace's directory.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("this crate lies in the workspace")
        .to_owned()
}

/// Where cargo puts what it makes, and so do we.
pub(crate) fn target() -> PathBuf {
    let chosen = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(chosen)
}

/// Where tools are put that `countersign method build` downloads: its `XDG_CACHE_HOME`.
pub fn cache() -> PathBuf {
    target().join("cache")
}

/// Makes a file have these contents, all at once: nobody ever reads half of it, and a program that
/// runs from the old file goes on with the old one. Returns false if it had them already.
///
/// # Errors
///
/// The file cannot be written.
pub fn put(path: &Path, contents: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|present| present == contents) {
        return Ok(false);
    }
    let write = || -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        fs::write(&unfinished, contents)?;
        fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("{} could not be written", path.display()))?;
    Ok(true)
}

/// Copies a file as [`put`] writes one.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<bool> {
    let contents =
        fs::read(from).with_context(|| format!("{} could not be read", from.display()))?;
    put(to, &contents)
}

/// Waits until no other process sets anything up. It is our turn until the file is dropped.
pub(crate) fn turn() -> Result<File> {
    let path = target().join("setup.lock");
    let take = || -> io::Result<File> {
        fs::create_dir_all(target())?;
        let file = File::create(&path)?;
        file.lock()?;
        Ok(file)
    };
    take().with_context(|| format!("{} could not be locked", path.display()))
}
