//! What has become of credentials that somebody has logged in with.

use rusqlite::{OptionalExtension as _, params};

use super::{Sqlite, row};
use crate::credential::store::{Present, StoreError};
use crate::credential::{CredentialVersion, Realm};

const LAST_CHANGE: &str = "SELECT last_version FROM meta";

const PRESENT: &str = "
    SELECT version, disabled, expires FROM credential
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

impl Sqlite {
    /// See [`crate::credential::Store::last_change`].
    pub(super) fn read_last_change(&self) -> Result<u64, StoreError> {
        let reader = self.reader.lock();
        reader
            .prepare_cached(LAST_CHANGE)
            .and_then(|mut query| query.query_row([], |row| row::version(row, 0)))
            .map_err(|error| self.failed("ask for changed credentials", error))
    }

    /// See [`crate::credential::Store::present`].
    pub(super) fn read_present(
        &self,
        realm: &Realm,
        credentials: &[CredentialVersion],
    ) -> Result<Vec<Option<Present>>, StoreError> {
        let reader = self.reader.lock();
        let read = || {
            // One moment for all of them, and one lock of the file. Most logins have one.
            let _moment = match credentials {
                [] | [_] => None,
                _ => Some(reader.unchecked_transaction()?),
            };
            let mut query = reader.prepare_cached(PRESENT)?;
            let found = credentials
                .iter()
                .map(|CredentialVersion { kind, authid, .. }| {
                    let key = params![realm.as_str(), kind.as_str(), authid.as_str()];
                    let present = query.query_row(key, |row| {
                        Ok(Present {
                            version: row::version(row, 0)?,
                            validity: row::validity(row, 1)?,
                        })
                    });
                    present.optional()
                });
            found.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed("look what has become of credentials", error))
    }
}
