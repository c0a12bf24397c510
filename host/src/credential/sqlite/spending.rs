//! What can be used once: a counter's value, and a recovery code.

use rusqlite::params;

use super::Sqlite;
use crate::credential::{CodeHash, Material, Realm, Record, StoreError};

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

impl Sqlite {
    /// See [`crate::credential::Store::advance`].
    pub(super) fn raise_counter(
        &self,
        realm: &Realm,
        record: &Record,
        counter: u64,
    ) -> Result<bool, StoreError> {
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

    /// See [`crate::credential::Store::redeem`].
    pub(super) fn use_code(
        &self,
        realm: &Realm,
        record: &Record,
        code: &CodeHash,
    ) -> Result<bool, StoreError> {
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
}

#[cfg(test)]
mod tests;
