//! Whether anybody has committed anything, told without a lock.
//!
//! SQLite keeps the head of the log's index at the start of the file `…-shm`, in two copies, and every
//! commit of every process changes it: it holds the length of the log, a checksum over it, and salts
//! that are drawn anew when the log starts over. SQLite itself compares these octets to learn whether
//! what it remembers still holds ("WAL-mode File Format", section 2). So while they are the same, so is
//! the store. To read them takes 0.5 µs; to ask for `data_version`, which locks the file and unlocks it,
//! up to 10 µs, and a login asks three times.

use std::{
    fs::{self, File},
    io,
    mem::ManuallyDrop,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::OnceLock,
};

use parking_lot::Mutex;

use crate::credential::store::Stamp;

/// Both copies: whoever reads while they are written sees something that was never there before.
type Head = [u8; 96];

/// What the store's stamp was when the head was last looked at.
#[derive(Default)]
pub(super) struct Changes {
    /// None: there is no such file here, or none that can be trusted.
    index: OnceLock<Option<Index>>,
    seen: Mutex<Option<(Head, Stamp)>>,
}

/// Never closed: a process that closes a file loses all its locks on it, and those of SQLite on this
/// one keep other processes from overwriting what we read. It is one descriptor for each store that
/// this process ever looks at.
struct Index(ManuallyDrop<File>);

impl Changes {
    /// The stamp, by `ask` where it may have changed.
    pub(super) fn stamp<E>(
        &self,
        store: &Path,
        ask: impl Fn() -> Result<Stamp, E>,
    ) -> Result<Stamp, E> {
        let Some(index) = self.index.get() else {
            // The file is there once a connection has read something.
            let stamp = ask()?;
            self.index.get_or_init(|| Index::of(store).ok());
            return Ok(stamp);
        };
        let Some(head) = index.as_ref().and_then(Index::head) else {
            return ask();
        };
        let seen = *self.seen.lock();
        if let Some((_, stamp)) = seen.filter(|(seen, _)| *seen == head) {
            return Ok(stamp);
        }
        // The head was read before: what is committed while we ask makes us ask again.
        let stamp = ask()?;
        *self.seen.lock() = Some((head, stamp));
        Ok(stamp)
    }
}

impl Index {
    fn of(store: &Path) -> io::Result<Self> {
        // Elsewhere a file that is read need not show what was written to it as memory.
        if !cfg!(target_os = "linux") {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut path = fs::canonicalize(store)?.into_os_string();
        path.push("-shm");
        Ok(Self(ManuallyDrop::new(File::open(path)?)))
    }

    /// None if there is none, as before the first commit.
    fn head(&self) -> Option<Head> {
        let mut head = [0; 96];
        self.0.read_exact_at(&mut head, 0).ok()?;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use super::*;
    use crate::credential::{
        Store as _,
        sqlite::tests::{Disk, find, put, realm, secret},
    };

    #[test]
    fn no_commit_is_missed_whoever_makes_it() {
        let disk = Disk::new();
        let (router, command) = (disk.open(), disk.open());
        router.stamp().unwrap();
        for round in 0..60 {
            let before = router.stamp().unwrap();
            assert_eq!(router.stamp().unwrap(), before);
            match round % 5 {
                0 => _ = put(&router, "alice", &secret("secret")),
                // Changes a counter and no version, and leaves the log as it is.
                1 => {
                    let alice = find(&command, "alice").unwrap();
                    assert!(command.advance(&realm(), &alice, round).unwrap());
                }
                2 => _ = put(&command, "bob", &secret("secret")),
                // One that comes and goes.
                3 => _ = put(&disk.open(), "alice", &secret("secret")),
                _ => std::thread::scope(|scope| {
                    for authid in ["carol", "dave"] {
                        scope.spawn(|| put(&command, authid, &secret("secret")));
                        scope.spawn(|| router.stamp().unwrap());
                    }
                }),
            }
            assert_ne!(router.stamp().unwrap(), before, "round {round}");
        }
    }

    #[test]
    fn while_nothing_changes_nobody_is_asked() {
        let disk = Disk::new();
        let store = disk.open();
        put(&store, "alice", &secret("secret"));
        let path = disk.path();
        let (changes, asked) = (Changes::default(), Cell::new(0));
        let ask = || {
            asked.set(asked.get() + 1);
            Ok::<_, Infallible>(Stamp(asked.get()))
        };
        for _ in 0..10 {
            changes.stamp(&path, ask).unwrap();
        }
        let expected = if cfg!(target_os = "linux") { 2 } else { 10 };
        assert_eq!(asked.get(), expected);
        put(&store, "bob", &secret("secret"));
        assert_eq!(changes.stamp(&path, ask).unwrap(), Stamp(expected + 1));
    }

    #[test]
    fn without_an_index_the_store_is_asked_each_time() {
        let disk = Disk::new();
        let changes = Changes::default();
        let asked = Cell::new(0);
        for round in 1..4 {
            let ask = || {
                asked.set(asked.get() + 1);
                Ok::<_, Infallible>(Stamp(asked.get()))
            };
            let path = disk.directory().join("nothing.db");
            assert_eq!(changes.stamp(&path, ask).unwrap(), Stamp(round));
        }
    }
}
