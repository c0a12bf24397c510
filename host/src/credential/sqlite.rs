mod changes;
mod cookies;
mod enrolled;
mod file;
mod guesses;
mod row;
mod standing;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, Transaction, params};

use super::store::{DecoyKey, Entry, Existing, Present, Stamp, Store, StoreError};
use super::{
    Authid, Authrole, Bounds, CodeHash, CookieHash, CredentialVersion, EnrolledKey, Enrolment,
    FamilyId, Guesser, Invitation, Kind, Material, NewCookie, NotEnrolled, Note, Realm, Record,
    StoredCookie, Tally, Validity,
};
use changes::Changes;
use row::{Columns, KeyColumns, StoredMaterial};

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

const FIND: &str = "
    SELECT authid, authrole, parameters, material_type, material, version, disabled, expires, id
    FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

const HAS: &str = "
    SELECT 1 FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

const FIND_BY_KEY: &str = "
    SELECT authid, authrole, parameters, material_type, material, version, disabled, expires,
        credential.id
    FROM public_key JOIN credential ON credential.id = public_key.credential
    WHERE key = ?3 AND realm = ?1 AND kind = ?2
    UNION ALL
    SELECT authid, authrole, parameters, material_type, material, version, disabled, expires,
        credential.id
    FROM enrolled_key JOIN credential ON credential.id = enrolled_key.credential
    WHERE enrolled_key.id = ?3 AND enrolled_key.realm = ?1 AND enrolled_key.kind = ?2 LIMIT 2";

const OLDEST: &str = "
    SELECT authid, authrole, parameters, material_type, material, version, disabled, expires, id
    FROM credential INDEXED BY credential_by_age
    WHERE realm = ?1 AND kind = ?2 ORDER BY id LIMIT 1";

const NEXT_VERSION: &str = "
    UPDATE meta SET last_version = last_version + 1 RETURNING last_version";

const PUT: &str = "
    INSERT INTO credential (realm, kind, authid, authrole, parameters, material_type, material,
        version, created, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT last_version FROM meta), ?8, ?8)
    ON CONFLICT (realm, kind, authid) DO UPDATE SET
        authrole = excluded.authrole, parameters = excluded.parameters,
        material_type = excluded.material_type, material = excluded.material,
        version = excluded.version, changed = excluded.changed, counter = NULL,
        disabled = 0, expires = NULL
    RETURNING id";

const ADVANCE: &str = "
    UPDATE credential SET counter = ?5
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND version = ?4
        AND (counter IS NULL OR counter < ?5)";

const HAS_CODE: &str = "
    SELECT 1 FROM recovery_code JOIN credential ON credential.id = recovery_code.credential
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND version = ?4 AND hash = ?5";

const REDEEM: &str = "
    DELETE FROM recovery_code WHERE hash = ?5 AND credential = (
        SELECT id FROM credential
        WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND version = ?4)";

const SET_VALIDITY: &str = "
    UPDATE credential SET disabled = ?4, expires = ?5,
        version = (SELECT last_version FROM meta)
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

const REMOVE: &str = "
    DELETE FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3 RETURNING id";

const LIST: &str = "
    SELECT kind, authid, authrole, created, changed, disabled, expires, NULL AS open_until,
        (SELECT count(*) FROM enrolled_key WHERE enrolled_key.credential = credential.id),
        (SELECT count(*) FROM cookie_credential JOIN cookie ON cookie.hash = cookie
            WHERE credential = credential.id AND replaced IS NULL AND cookie.expires > ?2)
    FROM credential WHERE realm = ?1
    UNION ALL
    SELECT kind, authid, authrole, created, created, 0, NULL, expires, 0, 0
    FROM invitation WHERE realm = ?1 ORDER BY authid, kind, open_until";

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

    /// At most two records, as they are written.
    fn query(&self, sql: &str, params: impl Params) -> Result<Vec<Columns>, StoreError> {
        let reader = self.reader.lock();
        let with_keys = |columns: Columns| match columns.lacks_keys() {
            Some(id) => {
                let mut query = reader.prepare_cached(enrolled::KEYS)?;
                let keys = query.query_map([id], KeyColumns::read)?;
                Ok(columns.with_keys(keys.collect::<Result<_, _>>()?))
            }
            None => Ok(columns),
        };
        reader
            .prepare_cached(sql)
            .and_then(|mut query| {
                let found = query.query_map(params, Columns::read)?;
                found.map(|columns| with_keys(columns?)).collect()
            })
            .map_err(|error| self.failed("read a credential", error))
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
        let found = self.query(FIND, (realm.as_str(), kind.as_str(), authid.as_str()))?;
        found
            .into_iter()
            .next()
            .map(|columns| columns.record(realm, kind))
            .transpose()
    }

    fn has(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError> {
        let now = unix_ms(SystemTime::now());
        let whose = (realm.as_str(), kind.as_str(), authid.as_str(), now);
        let reader = self.reader.lock();
        reader
            .prepare_cached(enrolled::HAS_OR_MAY)
            .and_then(|mut query| query.exists(whose))
            .map_err(|error| self.failed("look for a credential", error))
    }

    fn find_by_key(
        &self,
        realm: &Realm,
        kind: &Kind,
        key: &[u8],
    ) -> Result<Option<Record>, StoreError> {
        let found = self.query(FIND_BY_KEY, (realm.as_str(), kind.as_str(), key))?;
        let Ok([columns]) = <[Columns; 1]>::try_from(found) else {
            return Ok(None);
        };
        columns.with_key_only(key).record(realm, kind).map(Some)
    }

    fn oldest(&self, realm: &Realm, kind: &Kind) -> Result<Option<Record>, StoreError> {
        let found = self.query(OLDEST, (realm.as_str(), kind.as_str()))?;
        found
            .into_iter()
            .next()
            .map(|columns| columns.record(realm, kind))
            .transpose()
    }

    fn advance(&self, realm: &Realm, record: &Record, counter: u64) -> Result<bool, StoreError> {
        // More than a column holds: nothing could be advanced beyond it.
        let Ok(counter) = i64::try_from(counter) else {
            return Ok(false);
        };
        if let Material::EnrolledKeys(keys) = &record.material {
            let [key] = &keys[..] else { return Ok(false) };
            return self.advance_key(realm, record, key, counter);
        }
        self.once(
            "advance a counter",
            ADVANCE,
            params![
                realm.as_str(),
                record.kind.as_str(),
                record.authid.as_str(),
                record.version,
                counter,
            ],
        )
    }

    fn redeem(&self, realm: &Realm, record: &Record, code: &CodeHash) -> Result<bool, StoreError> {
        let params = params![
            realm.as_str(),
            record.kind.as_str(),
            record.authid.as_str(),
            record.version,
            code.octets(),
        ];
        // Whoever guesses does not keep the writer busy.
        let known = {
            let reader = self.reader.lock();
            let query = reader.prepare_cached(HAS_CODE);
            query.and_then(|mut query| query.exists(params))
        };
        if !known.map_err(|error| self.failed("look for a recovery code", error))? {
            return Ok(false);
        }
        self.once("redeem a recovery code", REDEEM, params)
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
        let Enrolment {
            kind,
            parameters,
            material,
            recovery,
        } = enrolment;
        let StoredMaterial { name, octets } = StoredMaterial::from(material);
        let now = unix_ms(SystemTime::now());
        self.change("add a credential", |tx| {
            let mut has = tx.prepare(HAS)?;
            let exists = has.exists((realm.as_str(), kind.as_str(), authid.as_str()))?;
            if exists && existing == Existing::Refuse {
                return Err(Refusal::Store(StoreError::Exists {
                    realm: realm.clone(),
                    kind: kind.clone(),
                    authid: authid.clone(),
                }));
            }
            let version = tx.query_row(NEXT_VERSION, [], |row| row::version(row, 0))?;
            let put = params![
                realm.as_str(),
                kind.as_str(),
                authid.as_str(),
                authrole.as_str(),
                parameters.as_str(),
                name,
                *octets,
                now,
            ];
            let id: i64 = tx.query_row(PUT, put, |row| row.get(0))?;
            tx.execute("DELETE FROM enrolled_key WHERE credential = ?1", [id])?;
            if let Material::EnrolledKeys(keys) = material {
                for key in keys {
                    enrolled::insert(tx, realm, kind, id, key, now)?;
                }
            }
            tx.execute("DELETE FROM public_key WHERE credential = ?1", [id])?;
            if let Material::PublicKeys(keys) = material {
                let mut insert = tx.prepare("INSERT OR IGNORE INTO public_key VALUES (?1, ?2)")?;
                for key in keys {
                    insert.execute(params![key.octets(), id])?;
                }
            }
            tx.execute("DELETE FROM recovery_code WHERE credential = ?1", [id])?;
            let mut insert = tx.prepare("INSERT INTO recovery_code VALUES (?1, ?2)")?;
            for code in recovery {
                insert.execute(params![id, code.octets()])?;
            }
            guesses::begin_anew(tx, realm, kind, authid)?;
            Ok(version)
        })
    }

    fn set_validity(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        Validity { disabled, expires }: Validity,
    ) -> Result<bool, StoreError> {
        self.change("say whether a credential may be used", |tx| {
            tx.query_row(NEXT_VERSION, [], |_| Ok(()))?;
            let params = params![
                realm.as_str(),
                kind.as_str(),
                authid.as_str(),
                disabled,
                expires.map(unix_ms),
            ];
            Ok(tx.execute(SET_VALIDITY, params)? == 1)
        })
    }

    fn remove(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError> {
        self.change("remove a credential", |tx| {
            let whose = (realm.as_str(), kind.as_str(), authid.as_str());
            let removed: Option<i64> = tx.query_row(REMOVE, whose, |row| row.get(0)).optional()?;
            if removed.is_some() {
                // Nothing has this version: it is there to be noticed.
                tx.query_row(NEXT_VERSION, [], |_| Ok(()))?;
            }
            let ended = tx.execute(enrolled::END_INVITATION, whose)?;
            guesses::begin_anew(tx, realm, kind, authid)?;
            Ok(removed.is_some() || ended > 0)
        })
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
        let now = unix_ms(SystemTime::now());
        let reader = self.reader.lock();
        reader
            .prepare_cached(LIST)
            .and_then(|mut query| {
                query
                    .query_map(params![realm.as_str(), now], entry)?
                    .collect()
            })
            .map_err(|error| self.failed("list the credentials", error))
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

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let note = match (row.get(7)?, row.get(8)?) {
        (Some(end), _) => Some(Note::OpenUntil(from_unix_ms(end))),
        (None, 0) => None,
        (None, keys) => Some(Note::Keys(keys)),
    };
    Ok(Entry {
        kind: Kind::from(row.get::<_, String>(0)?),
        authid: Authid::from(row.get::<_, String>(1)?),
        authrole: Authrole::from(row.get::<_, String>(2)?),
        created: from_unix_ms(row.get(3)?),
        changed: from_unix_ms(row.get(4)?),
        validity: row::validity(row, 5)?,
        note,
        cookies: row.get(9)?,
    })
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
