//! What logins and operators look up.

use std::time::SystemTime;

use rusqlite::{Params, Row, params};

use super::{
    Sqlite, enrolled, from_unix_ms,
    row::{self, Columns, KeyColumns},
    unix_ms,
};
use crate::credential::{
    Authid, Authrole, Kind, Note, Realm, Record,
    store::{Entry, StoreError},
};

const FIND: &str = "
    SELECT authid, authrole, parameters, material_type, material, version, disabled, expires, id
    FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

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
    /// See [`crate::credential::Store::find`].
    pub(super) fn read_record(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<Option<Record>, StoreError> {
        let found = self.query(FIND, (realm.as_str(), kind.as_str(), authid.as_str()))?;
        first(found, realm, kind)
    }

    /// See [`crate::credential::Store::has`].
    pub(super) fn has_or_may(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<bool, StoreError> {
        let now = unix_ms(SystemTime::now());
        let whose = (realm.as_str(), kind.as_str(), authid.as_str(), now);
        let reader = self.reader.lock();
        reader
            .prepare_cached(enrolled::HAS_OR_MAY)
            .and_then(|mut query| query.exists(whose))
            .map_err(|error| self.failed("look for a credential", error))
    }

    /// See [`crate::credential::Store::find_by_key`].
    pub(super) fn read_record_by_key(
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

    /// See [`crate::credential::Store::oldest`].
    pub(super) fn read_oldest(
        &self,
        realm: &Realm,
        kind: &Kind,
    ) -> Result<Option<Record>, StoreError> {
        let found = self.query(OLDEST, (realm.as_str(), kind.as_str()))?;
        first(found, realm, kind)
    }

    /// See [`crate::credential::Store::list`].
    pub(super) fn read_entries(&self, realm: &Realm) -> Result<Vec<Entry>, StoreError> {
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
}

fn first(found: Vec<Columns>, realm: &Realm, kind: &Kind) -> Result<Option<Record>, StoreError> {
    let found = found.into_iter().next();
    found.map(|columns| columns.record(realm, kind)).transpose()
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

#[cfg(test)]
mod tests;
