//! What operators change.

use std::time::SystemTime;

use rusqlite::{OptionalExtension as _, params};

use super::{
    Refusal, Sqlite, enrolled, guesses,
    row::{self, StoredMaterial},
    unix_ms,
};
use crate::credential::{
    Authid, Authrole, Enrolment, Kind, Material, Realm, Validity,
    store::{Existing, StoreError},
};

pub(super) const NEXT_VERSION: &str = "
    UPDATE meta SET last_version = last_version + 1 RETURNING last_version";

const HAS: &str = "
    SELECT 1 FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

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

const SET_VALIDITY: &str = "
    UPDATE credential SET disabled = ?4, expires = ?5,
        version = (SELECT last_version FROM meta)
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

const REMOVE: &str = "
    DELETE FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3 RETURNING id";

impl Sqlite {
    /// See [`crate::credential::Store::add`].
    pub(super) fn put_credential(
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

    /// See [`crate::credential::Store::set_validity`].
    pub(super) fn put_validity(
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

    /// See [`crate::credential::Store::remove`].
    pub(super) fn remove_credential(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<bool, StoreError> {
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
}

#[cfg(test)]
mod tests;
