mod changes;
mod cookies;
mod edits;
mod enrolled;
mod file;
mod guesses;
mod records;
mod row;
mod spending;
mod standing;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rusqlite::{Connection, Params, Transaction};

use super::store::{DecoyKey, Entry, Existing, Present, Stamp, Store, StoreError};
use super::{
    Authid, Authrole, Bounds, CodeHash, CookieHash, CredentialVersion, EnrolledKey, Enrolment,
    FamilyId, GuessSource, Guesser, Invitation, Kind, NewCookie, NotEnrolled, Realm, Record,
    StoredCookie, Tally, Validity,
};
use changes::Changes;

/// A store in an SQLite file, which every process may open that may read and write it.
///
/// Write-ahead logging: readers never wait for a writer, and a process killed at any moment leaves
/// the last committed state. `synchronous = FULL`: a commit is on the disk before it is reported,
/// so that not even a power cut brings back a credential that an operator has removed, or a code
/// that was used. It costs 0.8 ms for a counter and a few milliseconds for any other change, and
/// reads pay nothing. What is removed or replaced is overwritten (`secure_delete`), in the log too.
pub struct Sqlite {
    path: PathBuf,
    /// Apart from the writer, so that logins don't wait while something is written, and so that
    /// `data_version` counts our own writes like those of others.
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
    changes: Changes,
}

impl Sqlite {
    /// Opens the store in a file, which is made if it does not exist, readable by its owner only.
    ///
    /// # Errors
    /// If the file cannot be made or opened, is something else, or is of a later version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let (writer, reader) = file::open(&path)?;
        Ok(Self {
            path,
            reader: Mutex::new(reader),
            writer: Mutex::new(writer),
            changes: Changes::default(),
        })
    }

    /// Opens a copy of a store, which is made at another place: whatever this program makes of it, the
    /// store is as it was.
    ///
    /// # Errors
    /// As for [`Sqlite::open`].
    pub fn open_copy(of: &Path, at: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let at = at.into();
        file::copy(of, &at)?;
        Self::open(at)
    }

    /// Runs a change as one transaction.
    fn change<T>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock();
        let outcome = self.transaction(&mut writer, doing, change)?;
        // Empties the log, where replaced secrets would else stay until later changes overwrite it.
        // The change stands whether this works or not.
        if let Err(error) = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::debug!(path = %self.path.display(), %error, "the log could not be emptied");
        }
        Ok(outcome)
    }

    /// Runs a change that leaves nothing secret behind: one statement, which changes one row or none.
    fn once(
        &self,
        doing: &'static str,
        sql: &'static str,
        params: impl Params,
    ) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock();
        let rows = self.transaction(&mut writer, doing, |tx| {
            Ok(tx.prepare_cached(sql)?.execute(params)?)
        })?;
        Ok(rows == 1)
    }

    fn transaction<T>(
        &self,
        writer: &mut Connection,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, StoreError> {
        file::transaction(writer, change).map_err(|refusal| match refusal {
            Refusal::Store(error) => error,
            Refusal::Sqlite(error) => self.failed(doing, error),
        })
    }

    fn failed(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        failed(&self.path, doing, error)
    }
}

impl Store for Sqlite {
    fn decoy_key(&self) -> Result<DecoyKey, StoreError> {
        let reader = self.reader.lock();
        reader
            .query_row("SELECT decoy_key FROM meta", [], |row| row.get(0))
            .map(DecoyKey::new)
            .map_err(|error| self.failed("read the decoy key", error))
    }

    fn stamp(&self) -> Result<Stamp, StoreError> {
        self.changes.stamp(&self.path, || {
            let reader = self.reader.lock();
            reader
                .prepare_cached("PRAGMA data_version")
                .and_then(|mut query| query.query_row([], |row| row.get(0)))
                .map(|version: u32| Stamp(version.into()))
                .map_err(|error| self.failed("ask for changes", error))
        })
    }

    fn last_change(&self) -> Result<u64, StoreError> {
        self.read_last_change()
    }

    fn present(
        &self,
        realm: &Realm,
        credentials: &[CredentialVersion],
    ) -> Result<Vec<Option<Present>>, StoreError> {
        self.read_present(realm, credentials)
    }

    fn find(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<Option<Record>, StoreError> {
        self.read_record(realm, kind, authid)
    }

    fn has(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError> {
        self.has_or_may(realm, kind, authid)
    }

    fn find_by_key(
        &self,
        realm: &Realm,
        kind: &Kind,
        key: &[u8],
    ) -> Result<Option<Record>, StoreError> {
        self.read_record_by_key(realm, kind, key)
    }

    fn oldest(&self, realm: &Realm, kind: &Kind) -> Result<Option<Record>, StoreError> {
        self.read_oldest(realm, kind)
    }

    fn advance(&self, realm: &Realm, record: &Record, counter: u64) -> Result<bool, StoreError> {
        self.raise_counter(realm, record, counter)
    }

    fn redeem(&self, realm: &Realm, record: &Record, code: &CodeHash) -> Result<bool, StoreError> {
        self.use_code(realm, record, code)
    }

    fn invite(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        invitation: &Invitation,
    ) -> Result<(), StoreError> {
        self.keep_invitation(realm, kind, authid, invitation)
    }

    fn is_open(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        self.has_invitation(realm, kind, authid, code, now)
    }

    fn enrol(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        key: &EnrolledKey,
        now: SystemTime,
    ) -> Result<Result<(), NotEnrolled>, StoreError> {
        // Whoever guesses does not keep the writer busy.
        if !self.has_invitation(realm, kind, authid, code, now)? {
            return Ok(Err(NotEnrolled::NotOpen));
        }
        self.keep_key(realm, kind, authid, code, key, now)
    }

    fn last_right(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
    ) -> Result<Option<SystemTime>, StoreError> {
        self.read_last_right(guesser, source)
    }

    fn note_right(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.keep_source(guesser, source, now)
    }

    fn tally(&self, guesser: &Guesser) -> Result<Tally, StoreError> {
        self.read_tally(guesser)
    }

    fn count_wrong(
        &self,
        guesser: &Guesser,
        bounds: &Bounds,
        now: SystemTime,
    ) -> Result<Tally, StoreError> {
        self.add_wrong(guesser, bounds, now)
    }

    fn count_refused(&self, guesser: &Guesser) -> Result<(), StoreError> {
        self.add_refused(guesser)
    }

    fn forget_wrong(&self, guesser: &Guesser) -> Result<bool, StoreError> {
        self.clear_wrong(guesser)
    }

    fn tallies(&self, realm: &Realm) -> Result<Vec<(Guesser, Tally)>, StoreError> {
        self.read_tallies(realm)
    }

    fn add(
        &self,
        realm: &Realm,
        authid: &Authid,
        authrole: &Authrole,
        enrolment: &Enrolment,
        existing: Existing,
    ) -> Result<u64, StoreError> {
        self.put_credential(realm, authid, authrole, enrolment, existing)
    }

    fn set_validity(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        validity: Validity,
    ) -> Result<bool, StoreError> {
        self.put_validity(realm, kind, authid, validity)
    }

    fn remove(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError> {
        self.remove_credential(realm, kind, authid)
    }

    fn find_cookie(
        &self,
        realm: &Realm,
        hash: &CookieHash,
    ) -> Result<Option<StoredCookie>, StoreError> {
        self.read_cookie(realm, hash)
    }

    fn keep_cookie(
        &self,
        realm: &Realm,
        new: &NewCookie,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        self.put_cookie(realm, new, now)
    }

    fn end_family(&self, realm: &Realm, family: &FamilyId) -> Result<usize, StoreError> {
        self.remove_family(realm, family)
    }

    fn end_cookies(&self, realm: &Realm, authid: &Authid) -> Result<usize, StoreError> {
        self.remove_cookies(realm, authid, SystemTime::now())
    }

    fn list(&self, realm: &Realm) -> Result<Vec<Entry>, StoreError> {
        self.read_entries(realm)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Why a change was not made.
enum Refusal {
    Store(StoreError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn failed(
    path: &Path,
    doing: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::Failed {
        place: path.display().to_string(),
        doing,
        source: Box::new(error),
    }
}

/// A clock before 1970 or after the year 292 million counts as 1970.
fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(0)
}

fn from_unix_ms(ms: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
