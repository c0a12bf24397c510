//! Cookies in the file. That they end with the credentials that they go back to is the schema's work:
//! see `file::COOKIES`.

use std::time::SystemTime;

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Refusal, Sqlite, from_unix_ms, row, unix_ms};
use crate::credential::store::StoreError;
use crate::credential::{
    Authid, Authrole, CookieHash, CredentialVersion, FamilyId, Kind, NewCookie, Realm, Remembered,
    StoredCookie,
};

/// Cookies of one authid. A person has some browsers, each with a cookie that is good and some that
/// were replaced.
const MOST: u32 = 256;

const FIND: &str = "
    SELECT authid, authrole, family, ends, expires, replaced
    FROM cookie WHERE hash = ?1 AND realm = ?2";

const RESTS_ON: &str = "
    SELECT kind, authid, version
    FROM cookie_credential JOIN credential ON credential.id = cookie_credential.credential
    WHERE cookie = ?1";

const CREDENTIAL: &str = "
    SELECT id, expires FROM credential
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND version = ?4
        AND NOT disabled AND (expires IS NULL OR expires > ?5)";

const PUT: &str = "
    INSERT INTO cookie (hash, realm, family, authid, authrole, made, ends, expires)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const REPLACE: &str = "
    UPDATE cookie SET replaced = ?3 WHERE hash = ?1 AND realm = ?2 AND replaced IS NULL";

const TIDY: &str = "DELETE FROM cookie WHERE expires < ?1";

/// The oldest go first, of those that were replaced.
const BOUND: &str = "
    DELETE FROM cookie WHERE hash IN (
        SELECT hash FROM cookie WHERE realm = ?1 AND authid = ?2
        ORDER BY replaced IS NOT NULL, made DESC LIMIT -1 OFFSET ?3)";

impl Sqlite {
    /// See [`crate::credential::Store::find_cookie`].
    pub(super) fn read_cookie(
        &self,
        realm: &Realm,
        hash: &CookieHash,
    ) -> Result<Option<StoredCookie>, StoreError> {
        let reader = self.reader.lock();
        let read = || {
            // One moment for both questions.
            let tx = reader.unchecked_transaction()?;
            let key = params![hash.octets(), realm.as_str()];
            let found = tx.prepare_cached(FIND)?.query_row(key, stored).optional()?;
            let Some(mut cookie) = found else {
                return Ok(None);
            };
            let mut query = tx.prepare_cached(RESTS_ON)?;
            let rests_on = query.query_map([hash.octets()], credential)?;
            cookie.remembered.rests_on = rests_on.collect::<Result<_, _>>()?;
            Ok(Some(cookie))
        };
        read().map_err(|error| self.failed("look for a cookie", error))
    }

    /// See [`crate::credential::Store::keep_cookie`].
    pub(super) fn put_cookie(
        &self,
        realm: &Realm,
        new: &NewCookie,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let NewCookie {
            hash,
            remembered,
            continues,
            expires,
            replaces,
        } = new;
        let now = unix_ms(now);
        self.change("keep a cookie", |tx| {
            let mut family = tx.prepare("SELECT 1 FROM cookie WHERE realm = ?1 AND family = ?2")?;
            let goes_on = family.exists(params![realm.as_str(), remembered.family.octets()])?;
            if *continues && !goes_on {
                return Ok(false);
            }
            let mut credentials = Vec::new();
            // A credential's end is fixed: whoever sets another makes another version of it, and with
            // that its cookies are gone.
            let mut end = unix_ms(remembered.ends);
            for CredentialVersion {
                kind,
                authid,
                version,
            } in &remembered.rests_on
            {
                let key = params![realm.as_str(), kind.as_str(), authid.as_str(), version, now];
                let found = tx.query_row(CREDENTIAL, key, |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
                });
                let Some((id, expires)) = found.optional()? else {
                    return Ok(false);
                };
                end = expires.map_or(end, |expires| end.min(expires));
                credentials.push(id);
            }
            tx.execute(TIDY, [now])?;
            let put = params![
                hash.octets(),
                realm.as_str(),
                remembered.family.octets(),
                remembered.authid.as_str(),
                remembered.authrole.as_str(),
                now,
                end,
                unix_ms(*expires).min(end),
            ];
            tx.execute(PUT, put)?;
            let mut tie = tx.prepare("INSERT OR IGNORE INTO cookie_credential VALUES (?1, ?2)")?;
            for id in credentials {
                tie.execute(params![hash.octets(), id])?;
            }
            let mut replace = tx.prepare(REPLACE)?;
            for old in replaces {
                replace.execute(params![old.octets(), realm.as_str(), now])?;
            }
            tx.execute(
                BOUND,
                params![realm.as_str(), remembered.authid.as_str(), MOST],
            )?;
            Ok(true)
        })
    }

    /// Ends the cookies of a family.
    pub(super) fn remove_family(
        &self,
        realm: &Realm,
        family: &FamilyId,
    ) -> Result<usize, StoreError> {
        self.change("end a browser's cookies", |tx| {
            let key = params![realm.as_str(), family.octets()];
            Ok(tx.execute("DELETE FROM cookie WHERE realm = ?1 AND family = ?2", key)?)
        })
    }

    /// Ends the cookies of an authid. Returns how many were good.
    pub(super) fn remove_cookies(
        &self,
        realm: &Realm,
        authid: &Authid,
        now: SystemTime,
    ) -> Result<usize, StoreError> {
        const DELETE: &str = "
            DELETE FROM cookie WHERE realm = ?1 AND authid = ?2
            RETURNING replaced IS NULL AND expires > ?3";
        self.change("end somebody's cookies", |tx| {
            let key = params![realm.as_str(), authid.as_str(), unix_ms(now)];
            let mut delete = tx.prepare(DELETE)?;
            let good = delete.query_map(key, |row| row.get::<_, bool>(0))?;
            let good: Vec<bool> = good.collect::<Result<_, _>>().map_err(Refusal::Sqlite)?;
            Ok(good.into_iter().filter(|good| *good).count())
        })
    }
}

/// Without what it rests on.
fn stored(row: &Row<'_>) -> rusqlite::Result<StoredCookie> {
    let replaced: Option<i64> = row.get(5)?;
    Ok(StoredCookie {
        remembered: Remembered {
            authid: Authid::from(row.get::<_, String>(0)?),
            authrole: Authrole::from(row.get::<_, String>(1)?),
            family: FamilyId::new(row.get(2)?),
            ends: from_unix_ms(row.get(3)?),
            rests_on: Vec::new(),
        },
        expires: from_unix_ms(row.get(4)?),
        replaced: replaced.map(from_unix_ms),
    })
}

fn credential(row: &Row<'_>) -> rusqlite::Result<CredentialVersion> {
    Ok(CredentialVersion {
        kind: Kind::from(row.get::<_, String>(0)?),
        authid: Authid::from(row.get::<_, String>(1)?),
        version: row::version(row, 2)?,
    })
}
