//! Where compiled components are kept from one start of the router to the next.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tempfile::NamedTempFile;
use thiserror::Error;
use tokio::task::spawn_blocking;
use wasmtime::{Engine, component::Component};

use super::compiler::digest_of;

/// What a compiled component's file ends with.
const ENDING: &str = ".cwasm";

/// What the file ends with of the functions of a component that may be replaced.
const FUNCTIONS: &str = ".functions";

/// What was not used for so long is removed: it is of a component, or of a router, that is gone.
const KEPT_FOR: Duration = Duration::from_hours(24 * 30);

/// What an interrupted compiler has left behind is removed after this time.
const UNFINISHED_FOR: Duration = Duration::from_hours(1);

/// More than this is not kept, in octets: what was used longest ago is removed first. A large
/// component in JavaScript or Python compiles to some 40 MB, and whoever writes one makes many.
const MOST: u64 = 2 << 30;

/// The beginning of the name of a file that is being written.
const UNFINISHED: &str = ".unfinished-";

/// A directory of compiled components that nobody but us can write to: a router's, or that of a person
/// who writes methods.
///
/// A file's name says what it is: the digest of the component, the name of the engine that it was
/// compiled for, and the digest of the file itself. None is written in place: it is made under
/// another name, and renamed when it is whole.
#[derive(Clone, Debug)]
pub struct Shelf {
    directory: Arc<Path>,
}

/// Why a directory cannot be used for machine code.
#[derive(Debug, Error)]
pub enum ShelfError {
    #[error(
        "{}: the directory of compiled components cannot be used: {error}", .directory.display()
    )]
    Unusable {
        directory: PathBuf,
        error: io::Error,
    },
    #[error("{}: it is not a directory", .0.display())]
    NotADirectory(PathBuf),
    #[error(
        "{}: it belongs to the user {owner}, and this is {user}; what is in it is run as machine code, \
         so it must be the user's own",
        .directory.display()
    )]
    NotOurs {
        directory: PathBuf,
        owner: u32,
        user: u32,
    },
    #[error(
        "{}: others may write there (its mode is {mode:o}), and what is in it is run as machine code; \
         run: chmod 700 {}", .directory.display(), .directory.display()
    )]
    Open { directory: PathBuf, mode: u32 },
}

impl Shelf {
    /// Makes the directory if there is none. `user` is who this process runs as.
    pub fn open(directory: &Path, user: u32) -> Result<Self, ShelfError> {
        let unusable = |error| ShelfError::Unusable {
            directory: directory.to_owned(),
            error,
        };
        let made = DirBuilder::new().mode(0o700).create(directory);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(unusable(error));
            }
            _ => {}
        }
        // Not through a link: whoever owns that could point it elsewhere.
        let metadata = fs::symlink_metadata(directory).map_err(unusable)?;
        if !metadata.is_dir() {
            return Err(ShelfError::NotADirectory(directory.to_owned()));
        }
        if metadata.uid() != user {
            return Err(ShelfError::NotOurs {
                directory: directory.to_owned(),
                owner: metadata.uid(),
                user,
            });
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            let directory = directory.to_owned();
            return Err(ShelfError::Open { directory, mode });
        }
        let shelf = Self {
            directory: directory.into(),
        };
        shelf.tidied(MOST);
        Ok(shelf)
    }

    /// Whether there is something of this key, be it whole or not.
    pub(super) fn has(&self, key: &str) -> bool {
        let Ok(mut entries) = fs::read_dir(&self.directory) else {
            return false;
        };
        let beginning = format!("{key}-");
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(&*beginning))
        })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The compiled component of this key, if it is there and whole.
    pub(super) async fn find(&self, key: &str, engine: &Engine) -> Option<Component> {
        let (shelf, key, engine) = (self.clone(), key.to_owned(), engine.clone());
        let found = spawn_blocking(move || shelf.look(&key, &engine)).await;
        found.ok().flatten()
    }

    fn look(&self, key: &str, engine: &Engine) -> Option<Component> {
        let entries = fs::read_dir(&self.directory).ok()?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let beginning = format!("{key}-");
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str());
            let rest = name.and_then(|name| name.strip_prefix(&*beginning));
            let Some(digest) = rest.and_then(|rest| rest.strip_suffix(ENDING)) else {
                continue;
            };
            match taken(&path, digest, engine) {
                Ok(component) => return Some(component),
                Err(error) => {
                    tracing::warn!(
                        file = %path.display(), %error,
                        "a compiled component is damaged: it is compiled anew"
                    );
                    _ = fs::remove_file(&path);
                }
            }
        }
        None
    }

    /// Where the functions are kept of what comes one after another.
    pub(super) fn functions(&self, series: &str) -> PathBuf {
        self.directory.join(format!("{series}{FUNCTIONS}"))
    }

    pub(super) fn new_file(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(&self.directory)
    }

    /// Keeps what was compiled under its key, and loads it.
    pub(super) fn keep(
        &self,
        key: &str,
        file: NamedTempFile,
        engine: &Engine,
    ) -> io::Result<Component> {
        // On the disk before it has its name: a name must not outlive what it stands for.
        file.as_file().sync_all()?;
        let digest = digest_of(&mut file.reopen()?)?;
        let path = self.directory.join(format!("{key}-{digest}{ENDING}"));
        match file.persist(&path) {
            Ok(_) => {
                self.tidied(MOST);
                load(&path, engine)
            }
            Err(error) => {
                tracing::warn!(
                    file = %path.display(), error = %error.error,
                    "a compiled component cannot be kept: the next start compiles it again"
                );
                load(error.file.path(), engine)
            }
        }
    }

    /// What cannot be removed is no reason not to serve.
    fn tidied(&self, most: u64) {
        if let Err(error) = self.tidy(SystemTime::now(), most) {
            tracing::warn!(
                directory = %self.directory.display(), %error, "old compiled components stay"
            );
        }
    }

    /// Removes what nobody has used for long, and more if there is too much.
    fn tidy(&self, now: SystemTime, most: u64) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another process may have removed it meanwhile.
            let Ok(about) = entry.metadata() else {
                continue;
            };
            let Ok(used) = about.modified() else { continue };
            let age = now.duration_since(used).unwrap_or_default();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_ours = name.ends_with(ENDING) || name.ends_with(FUNCTIONS);
            if is_ours && age <= KEPT_FOR {
                kept.push((used, about.len(), entry.path()));
            } else if is_ours || (name.starts_with(UNFINISHED) && age > UNFINISHED_FOR) {
                removed(&entry.path())?;
            }
        }
        kept.sort_unstable_by(|one, other| other.cmp(one));
        let mut total = 0_u64;
        for (_, length, path) in kept {
            total = total.saturating_add(length);
            if total > most {
                removed(&path)?;
            }
        }
        Ok(())
    }
}

/// Removes a file, if nobody else has.
fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Loads a file whose octets must have this digest.
fn taken(path: &Path, digest: &str, engine: &Engine) -> io::Result<Component> {
    let mut file = File::open(path)?;
    if digest_of(&mut file)? != digest {
        return Err(io::Error::other(
            "its octets are not those that were written",
        ));
    }
    // It has been of use. Should the time not be noted, it is compiled once more some day.
    _ = file.set_modified(SystemTime::now());
    load(path, engine)
}

/// Loads a compiled component.
#[expect(
    unsafe_code,
    reason = "wasmtime runs what is in the file as machine code, and cannot check it"
)]
pub(super) fn load(path: &Path, engine: &Engine) -> io::Result<Component> {
    // SAFETY: the file must be what `Engine::precompile_component` has made, and must not change
    // while it is mapped.
    //
    // It was made by a process that we started from our own program, either just now, or earlier
    // and then with octets whose digest is still the one that its name was given when it was whole
    // (`taken`). Only our own user and root can write to its directory, which is ours and has the
    // mode 700 (`Shelf::open`), or is that of a temporary file of ours with the mode 600; whoever is
    // one of these can write to our memory too. Nobody of us writes to a file that has its name:
    // `Shelf::keep` renames, `Shelf::look` and `Shelf::tidy` remove, and what is removed stays
    // mapped. That it was made for this engine wasmtime checks itself, and the key says so too.
    let loaded = unsafe { Component::deserialize_file(engine, path) };
    loaded.map_err(|error| io::Error::other(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{
        compiler::engine_name,
        runtime::{code, metered_code},
    };

    const USER_NOBODY: u32 = 65534;

    fn engine() -> Engine {
        Engine::new(&code()).unwrap()
    }

    /// The smallest component.
    const EMPTY: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

    fn kept(shelf: &Shelf, engine: &Engine) -> PathBuf {
        let file = shelf.new_file().unwrap();
        fs::write(file.path(), engine.precompile_component(&EMPTY).unwrap()).unwrap();
        shelf.keep("key", file, engine).unwrap();
        let mut entries = fs::read_dir(&shelf.directory).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    fn owner(path: &Path) -> u32 {
        fs::metadata(path).unwrap().uid()
    }

    #[tokio::test]
    async fn what_is_kept_is_found_by_its_key_only() {
        let directory = tempfile::tempdir().unwrap();
        let user = owner(directory.path());
        let shelf = Shelf::open(&directory.path().join("cache"), user).unwrap();
        let engine = engine();
        assert!(shelf.find("key", &engine).await.is_none());
        kept(&shelf, &engine);
        assert!(shelf.find("key", &engine).await.is_some());
        assert!(shelf.find("ke", &engine).await.is_none());
        assert!(shelf.find("other", &engine).await.is_none());
    }

    #[tokio::test]
    async fn a_damaged_one_is_as_good_as_none_and_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let user = owner(directory.path());
        let shelf = Shelf::open(&directory.path().join("cache"), user).unwrap();
        let engine = engine();
        let path = kept(&shelf, &engine);
        let mut octets = fs::read(&path).unwrap();
        let middle = octets.len() / 2;
        octets[middle] ^= 1;
        fs::write(&path, octets).unwrap();
        assert!(shelf.find("key", &engine).await.is_none());
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let user = owner(directory.path());
        let cache = directory.path().join("cache");
        Shelf::open(&cache, user).unwrap();
        assert_eq!(
            fs::metadata(&cache).unwrap().permissions().mode() & 0o777,
            0o700
        );
        fs::set_permissions(&cache, Permissions::from_mode(0o770)).unwrap();
        let error = Shelf::open(&cache, user).unwrap_err();
        assert!(
            matches!(error, ShelfError::Open { mode: 0o770, .. }),
            "{error}"
        );
        fs::set_permissions(&cache, Permissions::from_mode(0o700)).unwrap();
        let error = Shelf::open(&cache, USER_NOBODY).unwrap_err();
        assert!(matches!(error, ShelfError::NotOurs { .. }), "{error}");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&cache, &link).unwrap();
        let error = Shelf::open(&link, user).unwrap_err();
        assert!(matches!(error, ShelfError::NotADirectory(_)), "{error}");
    }

    #[test]
    fn what_was_not_used_for_long_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let user = owner(directory.path());
        let shelf = Shelf::open(&directory.path().join("cache"), user).unwrap();
        let engine = engine();
        let path = kept(&shelf, &engine);
        let unfinished = shelf.new_file().unwrap();
        let foreign = shelf.directory.join("README");
        fs::write(&foreign, "not ours").unwrap();
        let now = SystemTime::now();
        shelf.tidy(now + Duration::from_mins(30), MOST).unwrap();
        assert!(path.exists() && unfinished.path().exists());
        shelf.tidy(now + Duration::from_hours(2), MOST).unwrap();
        assert!(path.exists() && !unfinished.path().exists());
        shelf.tidy(now + KEPT_FOR * 2, MOST).unwrap();
        assert!(!path.exists() && foreign.exists());
    }

    #[test]
    fn of_too_much_what_was_used_longest_ago_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let user = owner(directory.path());
        let shelf = Shelf::open(&directory.path().join("cache"), user).unwrap();
        let now = SystemTime::now();
        let paths = [3, 1, 2].map(|hours| {
            let path = shelf.directory.join(format!("{hours}{ENDING}"));
            fs::write(&path, [0; 100]).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(now - Duration::from_hours(hours))
                .unwrap();
            path
        });
        shelf.tidy(now, 300).unwrap();
        assert_eq!(paths.each_ref().map(|path| path.exists()), [true; 3]);
        shelf.tidy(now, 299).unwrap();
        assert_eq!(
            paths.each_ref().map(|path| path.exists()),
            [false, true, true]
        );
    }

    #[test]
    fn the_engine_has_the_same_name_each_time() {
        assert_eq!(engine_name(&engine()), engine_name(&engine()));
    }

    #[test]
    fn what_counts_is_not_taken_for_what_does_not() {
        let counts = Engine::new(&metered_code()).unwrap();
        assert_ne!(engine_name(&engine()), engine_name(&counts));
        // Nor does wasmtime, whatever the name of a file says.
        let compiled = counts.precompile_component(&EMPTY).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), compiled).unwrap();
        assert!(load(file.path(), &engine()).is_err());
        assert!(load(file.path(), &counts).is_ok());
    }
}
