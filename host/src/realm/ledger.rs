//! What operators have decided about revisions, kept from one start of the router to the next: which
//! are withdrawn, and which steps are rolled back to which revision. Beside it the components are kept
//! that a step could be rolled back to.
//!
//! ```text
//! revisions/state.json      what was decided
//! revisions/DIGEST.wasm     a component that was loaded, and .sig where it was signed
//! ```
//!
//! Who can write there can bring back a revision that was withdrawn, so the directory must be the
//! router's own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use thiserror::Error;

use super::components::signature_path;
use crate::{
    login::StepName,
    method::{Detached, Digest, Source},
};

/// The file of what was decided.
const STATE: &str = "state.json";

/// The version of that file.
const VERSION: u32 = 1;

/// A component that was not loaded for so long is removed, unless a step is rolled back to it.
const KEPT_FOR: Duration = Duration::from_hours(24 * 30);

/// One for the router. Without a directory it forgets all when the router ends.
#[derive(Debug, Default)]
pub struct Ledger {
    directory: Option<PathBuf>,
    /// A look from outside changes nothing.
    is_ours: bool,
    deeds: Mutex<Deeds>,
    /// The file does not have it all, since it could not be written.
    is_behind: AtomicBool,
}

/// Why it cannot be known what operators have decided.
#[derive(Debug, Error)]
pub enum LedgerError {
    #[error(
        "{}: it cannot be read which revisions are withdrawn or rolled back: {why}; the router does \
         not start without knowing. Restore the file, or remove it if none is", .file.display()
    )]
    Unreadable { file: PathBuf, why: String },
    #[error(
        "{}: it must be a directory that belongs to the router's user (chown {user}) and that others \
         cannot write to (chmod 700), since it says which revisions are withdrawn; or name another \
         under [methods] revisions", .directory.display()
    )]
    NotOurs { directory: PathBuf, user: u32 },
}

/// By realm and step.
type Deeds = BTreeMap<String, BTreeMap<String, Deed>>;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deed {
    /// These decide about nobody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    withdrawn: BTreeSet<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rollback: Option<Rollback>,
}

/// Where the step's file holds `from`, `to` is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    pub(super) from: Digest,
    pub(super) to: Digest,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    realms: Deeds,
}

impl Ledger {
    /// The router's own. `user` is who this process runs as.
    ///
    /// # Errors
    /// If what was decided cannot be read: then nobody may be let in by what was withdrawn.
    pub fn open(directory: &Path, user: u32) -> Result<Self, LedgerError> {
        let ledger = Self {
            is_ours: true,
            ..Self::look(directory, user)?
        };
        // What cannot be removed is no reason not to serve.
        if let Err(error) = ledger.tidy(directory, SystemTime::now()) {
            tracing::warn!(directory = %directory.display(), %error, "old components stay");
        }
        Ok(ledger)
    }

    /// The same, of a router that may be running: nothing is written.
    ///
    /// # Errors
    /// As above.
    pub fn look(directory: &Path, user: u32) -> Result<Self, LedgerError> {
        let file = directory.join(STATE);
        let unreadable = |why: String| LedgerError::Unreadable {
            file: file.clone(),
            why,
        };
        // Not through a link: whoever owns that could point it elsewhere.
        match fs::symlink_metadata(directory) {
            Ok(found) => {
                let is_ours = found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0;
                if !is_ours {
                    let directory = directory.to_owned();
                    return Err(LedgerError::NotOurs { directory, user });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error.to_string())),
        }
        let deeds = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Deeds::default(),
            Err(error) => return Err(unreadable(error.to_string())),
            Ok(octets) => {
                let document: Document = serde_json::from_slice(&octets)
                    .map_err(|error| unreadable(error.to_string()))?;
                if document.version != VERSION {
                    let version = document.version;
                    return Err(unreadable(format!(
                        "it is of version {version}, not {VERSION}"
                    )));
                }
                document.realms
            }
        };
        Ok(Self {
            directory: Some(directory.to_owned()),
            is_ours: false,
            deeds: Mutex::new(deeds),
            is_behind: AtomicBool::new(false),
        })
    }

    pub(super) fn withdrawn(&self, realm: &str, step: &StepName) -> BTreeSet<Digest> {
        let deed = self.deed(realm, step);
        deed.map(|deed| deed.withdrawn).unwrap_or_default()
    }

    pub(super) fn rollback(&self, realm: &str, step: &StepName) -> Option<Rollback> {
        self.deed(realm, step)?.rollback
    }

    fn deed(&self, realm: &str, step: &StepName) -> Option<Deed> {
        let deeds = self.deeds.lock();
        deeds.get(realm)?.get(step.as_str()).cloned()
    }

    /// The error is that it is not written, and holds until the router ends. So it is below.
    pub(super) fn withdraw(&self, realm: &str, step: &StepName, digest: Digest) -> io::Result<()> {
        self.change(realm, step, |deed| deed.withdrawn.insert(digest))
    }

    pub(super) fn readmit(&self, realm: &str, step: &StepName, digest: Digest) -> io::Result<()> {
        self.change(realm, step, |deed| deed.withdrawn.remove(&digest))
    }

    pub(super) fn roll_back(
        &self,
        realm: &str,
        step: &StepName,
        rollback: Rollback,
    ) -> io::Result<()> {
        self.change(realm, step, |deed| {
            deed.rollback.replace(rollback) != Some(rollback)
        })
    }

    /// The step's file holds something else now.
    pub(super) fn forget_rollback(&self, realm: &str, step: &StepName) -> io::Result<()> {
        self.change(realm, step, |deed| deed.rollback.take().is_some())
    }

    /// Written under the lock, so that the last change is written last. Operators wait for it, and no
    /// login does.
    fn change(
        &self,
        realm: &str,
        step: &StepName,
        change: impl FnOnce(&mut Deed) -> bool,
    ) -> io::Result<()> {
        let mut deeds = self.deeds.lock();
        let steps = deeds.entry(realm.to_owned()).or_default();
        let deed = steps.entry(step.as_str().to_owned()).or_default();
        let has_changed = change(deed);
        if *deed == Deed::default() {
            steps.remove(step.as_str());
        }
        if steps.is_empty() {
            deeds.remove(realm);
        }
        let (Some(directory), true) = (&self.directory, self.is_ours) else {
            return Ok(());
        };
        if !has_changed && !self.is_behind.load(Relaxed) {
            return Ok(());
        }
        let written = write(directory, &deeds);
        self.is_behind.store(written.is_err(), Relaxed);
        written
    }

    /// Where a component is kept.
    pub(super) fn kept(&self, digest: Digest) -> Option<PathBuf> {
        let directory = self.directory.as_ref()?;
        Some(directory.join(format!("{digest}.wasm")))
    }

    /// Keeps a component that was loaded, with its signature if it was signed.
    pub(super) fn keep(&self, source: &Source, signature: Option<Detached>) -> io::Result<()> {
        let (true, Some(path)) = (self.is_ours, self.kept(source.digest())) else {
            return Ok(());
        };
        if let Some(signature) = signature {
            put(&signature_path(&path), signature.octets())?;
        }
        if let Ok(file) = File::open(&path) {
            // Its digest is looked at when it is loaded.
            return file.set_modified(SystemTime::now());
        }
        put(&path, source.octets())
    }

    fn tidy(&self, directory: &Path, now: SystemTime) -> io::Result<()> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let needed: BTreeSet<PathBuf> = {
            let deeds = self.deeds.lock();
            let deeds = deeds.values().flat_map(BTreeMap::values);
            let rollbacks = deeds.filter_map(|deed| deed.rollback);
            rollbacks
                .filter_map(|rollback| self.kept(rollback.to))
                .collect()
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != "wasm") || needed.contains(&path) {
                continue;
            }
            let used = entry.metadata()?.modified()?;
            if now.duration_since(used).is_ok_and(|age| age > KEPT_FOR) {
                fs::remove_file(&path)?;
                _ = fs::remove_file(signature_path(&path));
            }
        }
        Ok(())
    }
}

fn write(directory: &Path, deeds: &Deeds) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        realms: deeds.clone(),
    };
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    put(&directory.join(STATE), &text)
}

/// Writes beside the file, then renames: it is there whole or not at all, and when this returns it is on
/// the disk.
fn put(path: &Path, octets: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut file: NamedTempFile = tempfile::Builder::new()
        .prefix(".unfinished-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    file.write_all(octets)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
