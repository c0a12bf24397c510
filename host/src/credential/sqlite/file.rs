//! Opening the file, and making it.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::{Refusal, failed};
use crate::credential::store::{DecoyKey, StoreError};

/// Marks the file as ours: "CSGN".
const APPLICATION_ID: i64 = 0x4353_474e;

/// The version of the schema that this program works with: a file of an earlier one is brought up
/// to it when it is opened, and one of a later one is left alone.
const SCHEMA: i64 = 6;

/// A login waits on a thread that others need, and readers hardly ever have to wait.
const READER_PATIENCE: Duration = Duration::from_secs(1);
const WRITER_PATIENCE: Duration = Duration::from_secs(5);

/// Each makes a version of the schema of the one before it, the first of an empty file, so there are
/// `SCHEMA` of them. One that was released never changes.
pub(super) const UPGRADES: [&str; 6] = [
    TABLES,
    COUNTERS_AND_CODES,
    VALIDITY_AND_GUESSES,
    ENROLLED_KEYS,
    COOKIES,
    SOURCES,
];

/// `id` tells which credential of a kind is the oldest in its realm. `public_key` is an index over
/// keys that `material` has too.
const TABLES: &str = "
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        decoy_key BLOB NOT NULL CHECK (length(decoy_key) = 32),
        last_version INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE credential (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        realm TEXT NOT NULL,
        kind TEXT NOT NULL,
        authid TEXT NOT NULL,
        authrole TEXT NOT NULL,
        parameters TEXT NOT NULL,
        material_type TEXT NOT NULL,
        material BLOB NOT NULL,
        version INTEGER NOT NULL CHECK (version > 0), -- 0 is for decoys
        created INTEGER NOT NULL, -- Unix ms
        changed INTEGER NOT NULL, -- Unix ms
        UNIQUE (realm, kind, authid)
    ) STRICT;
    CREATE INDEX credential_by_age ON credential (realm, kind, id);
    CREATE TABLE public_key (
        key BLOB NOT NULL,
        credential INTEGER NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
        PRIMARY KEY (key, credential)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX public_key_of ON public_key (credential);
";

/// `counter` is null before it is first advanced. `hash`: see `CodeHash`.
const COUNTERS_AND_CODES: &str = "
    ALTER TABLE credential ADD COLUMN counter INTEGER;
    CREATE TABLE recovery_code (
        credential INTEGER NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
        hash BLOB NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (credential, hash)
    ) STRICT, WITHOUT ROWID;
";

/// A `wrong_answer` need not belong to a credential: see `Guesser`.
const VALIDITY_AND_GUESSES: &str = "
    ALTER TABLE credential ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE credential ADD COLUMN expires INTEGER; -- Unix ms
    CREATE TABLE wrong_answer (
        realm TEXT NOT NULL,
        kind TEXT NOT NULL,
        authid TEXT NOT NULL,
        wrong INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        locked_until INTEGER, -- Unix ms; the largest number: until it is lifted
        PRIMARY KEY (realm, kind, authid)
    ) STRICT, WITHOUT ROWID;
";

/// `realm` and `kind` are those of the credential: a key's id is there once. `code`: see
/// `EnrolmentCode`.
const ENROLLED_KEYS: &str = "
    CREATE TABLE enrolled_key (
        realm TEXT NOT NULL,
        kind TEXT NOT NULL,
        id BLOB NOT NULL,
        credential INTEGER NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
        public_key BLOB NOT NULL,
        counter INTEGER NOT NULL,
        about TEXT NOT NULL,
        created INTEGER NOT NULL, -- Unix ms
        PRIMARY KEY (realm, kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX enrolled_key_of ON enrolled_key (credential, created);
    CREATE TABLE invitation (
        realm TEXT NOT NULL,
        kind TEXT NOT NULL,
        authid TEXT NOT NULL,
        authrole TEXT NOT NULL,
        code BLOB NOT NULL CHECK (length(code) = 32),
        created INTEGER NOT NULL, -- Unix ms
        expires INTEGER NOT NULL, -- Unix ms
        PRIMARY KEY (realm, kind, authid)
    ) STRICT, WITHOUT ROWID;
";

/// A `family` is all the cookies that go back to one login; `ends` is when that must be made anew. A
/// cookie that was `replaced` is kept until it `expires`, so that it is noticed if it comes back. A
/// cookie is gone with the next change of any credential that it goes back to, whoever makes it.
const COOKIES: &str = "
    CREATE TABLE cookie (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
        realm TEXT NOT NULL,
        family BLOB NOT NULL CHECK (length(family) = 16),
        authid TEXT NOT NULL,
        authrole TEXT NOT NULL,
        made INTEGER NOT NULL, -- Unix ms
        ends INTEGER NOT NULL, -- Unix ms
        expires INTEGER NOT NULL, -- Unix ms
        replaced INTEGER -- Unix ms
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX cookie_of_family ON cookie (realm, family);
    CREATE INDEX cookie_of_authid ON cookie (realm, authid);
    CREATE INDEX cookie_by_end ON cookie (expires);
    CREATE TABLE cookie_credential (
        cookie BLOB NOT NULL REFERENCES cookie (hash) ON DELETE CASCADE,
        credential INTEGER NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
        PRIMARY KEY (cookie, credential)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX cookie_of_credential ON cookie_credential (credential);
    CREATE TRIGGER cookie_of_changed AFTER UPDATE OF version ON credential
    BEGIN
        DELETE FROM cookie WHERE hash IN (
            SELECT cookie FROM cookie_credential WHERE credential = OLD.id);
    END;
    CREATE TRIGGER cookie_of_removed BEFORE DELETE ON credential
    BEGIN
        DELETE FROM cookie WHERE hash IN (
            SELECT cookie FROM cookie_credential WHERE credential = OLD.id);
    END;
";

/// A wrong answer has a `source` if that is known, and else none: see `Guesser`.
const SOURCES: &str = "
    CREATE TABLE wrong_answer_by_source (
        realm TEXT NOT NULL,
        kind TEXT NOT NULL,
        authid TEXT NOT NULL,
        source TEXT NOT NULL,
        wrong INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        locked_until INTEGER, -- Unix ms; the largest number: until it is lifted
        PRIMARY KEY (realm, kind, authid, source)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO wrong_answer_by_source
        SELECT realm, kind, authid, '', wrong, refused, locked_until FROM wrong_answer;
    DROP TABLE wrong_answer;
    ALTER TABLE wrong_answer_by_source RENAME TO wrong_answer;
    CREATE TABLE known_source (
        realm TEXT NOT NULL,
        kind TEXT NOT NULL,
        authid TEXT NOT NULL,
        source TEXT NOT NULL,
        last_right INTEGER NOT NULL, -- Unix ms
        PRIMARY KEY (realm, kind, authid, source)
    ) STRICT, WITHOUT ROWID;
";

/// A connection for writing and one for reading.
pub(super) fn open(path: &Path) -> Result<(Connection, Connection), StoreError> {
    create_private(path).map_err(|error| failed(path, "create the file", error))?;
    let mut writer = connect(path, WRITER_PATIENCE)?;
    prepare(path, &mut writer)?;
    let reader = connect(path, READER_PATIENCE)?;
    reader
        .pragma_update(None, "query_only", true)
        .map_err(|error| failed(path, "open it for reading", error))?;
    Ok((writer, reader))
}

/// Copies a store of any version that this program understands, and leaves it as it is: a router that is
/// of that version may be working with it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let connection = connect(from, WRITER_PATIENCE)?;
    check(from, &connection)?;
    create_private(to).map_err(|error| failed(to, "create the file", error))?;
    let text = to.to_string_lossy();
    connection
        .execute("VACUUM INTO ?1", [text])
        .map_err(|error| failed(from, "copy it", error))?;
    Ok(())
}

/// Runs a transaction that will write.
pub(super) fn transaction<T>(
    connection: &mut Connection,
    change: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcome = change(&tx)?;
    tx.commit()?;
    Ok(outcome)
}

/// Makes the file for its owner alone; SQLite gives the files beside it the same mode. A file that
/// exists is not touched, and above all not opened: closing it would release the locks that this
/// process has on it through SQLite.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            warn_if_shared(path);
            Ok(())
        }
        created => created.map(drop),
    }
}

#[cfg(unix)]
fn warn_if_shared(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Ok(metadata) = path.metadata()
        && metadata.permissions().mode() & 0o077 != 0
    {
        tracing::warn!(
            path = %path.display(),
            "others than its owner may open the credential store; chmod 600 would keep them out"
        );
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Path) {}

fn connect(path: &Path, patience: Duration) -> Result<Connection, StoreError> {
    // The mutexes are ours.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| failed(path, "open it", error))?;
    let settings = || {
        connection.busy_timeout(patience)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)
    };
    settings().map_err(|error| unreadable(path, error))?;
    Ok(connection)
}

/// Makes sure that the file is a store of ours: makes it one if it is empty, and brings it up to
/// our schema if it has an earlier one.
fn prepare(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    check(path, connection)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| failed(path, "switch it to write-ahead logging", error))?;
    if mode != "wal" {
        let error = io::Error::other("the file system does not let processes share memory");
        return Err(failed(path, "switch it to write-ahead logging", error));
    }
    let key = DecoyKey::generate().map_err(|error| failed(path, "make a decoy key", error))?;
    let tables = transaction(connection, |tx| {
        // Asked again: another process may have been faster.
        let found: usize = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let upgrades = UPGRADES.get(found..).unwrap_or_default();
        if upgrades.is_empty() {
            return Ok(());
        }
        for upgrade in upgrades {
            tx.execute_batch(upgrade)?;
        }
        if found == 0 {
            tx.execute("INSERT INTO meta VALUES (1, ?1, 0)", [key.octets()])?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        Ok(tx.pragma_update(None, "user_version", SCHEMA)?)
    });
    tables.map_err(|refusal| match refusal {
        Refusal::Store(error) => error,
        Refusal::Sqlite(error) => failed(path, "make its tables", error),
    })?;
    match check(path, connection)? {
        SCHEMA => Ok(()),
        found => {
            let error = io::Error::other(format!("its schema is {found} after that"));
            Err(failed(path, "bring it up to date", error))
        }
    }
}

/// Whether the file is empty, or a store that this program understands; then the version of its
/// schema.
fn check(path: &Path, connection: &Connection) -> Result<i64, StoreError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let read = || {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        Ok((number("application_id")?, number("user_version")?, tables))
    };
    match read().map_err(|error| unreadable(path, error))? {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found @ 1..=SCHEMA, _) => Ok(found),
        (APPLICATION_ID, found, _) if found > SCHEMA => Err(StoreError::Newer {
            place: path.display().to_string(),
            found,
            known: SCHEMA,
        }),
        _ => Err(StoreError::Foreign {
            place: path.display().to_string(),
        }),
    }
}

fn unreadable(path: &Path, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return StoreError::Foreign {
            place: path.display().to_string(),
        };
    }
    failed(path, "read it", error)
}

#[cfg(test)]
mod tests;
