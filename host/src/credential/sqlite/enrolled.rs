//! Keys that clients bring along, and the invitations that allow it.

use std::time::SystemTime;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Refusal, Sqlite, edits::NEXT_VERSION, row::StoredMaterial, unix_ms};
use crate::credential::{
    Authid, CodeHash, EnrolledKey, Invitation, Kind, Material, NotEnrolled, Realm, Record,
    StoreError,
};

/// In the order in which they came, and for the same moment in any order that stays.
pub(super) const KEYS: &str = "
    SELECT id, public_key, counter, about
    FROM enrolled_key INDEXED BY enrolled_key_of WHERE credential = ?1 ORDER BY created, id";

pub(super) const END_INVITATION: &str = "
    DELETE FROM invitation WHERE realm = ?1 AND kind = ?2 AND authid = ?3";

const INVITE: &str = "
    INSERT OR REPLACE INTO invitation (realm, kind, authid, authrole, code, created, expires)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const INVITED: &str = "
    SELECT authrole FROM invitation
    WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND code = ?4 AND expires > ?5
        AND NOT EXISTS (
            SELECT 1 FROM credential
            WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND (disabled OR expires <= ?5))";

const TAKEN: &str = "
    SELECT 1 FROM enrolled_key WHERE realm = ?1 AND kind = ?2 AND id = ?3";

const COUNT: &str = "
    SELECT count(*) FROM enrolled_key JOIN credential ON credential.id = enrolled_key.credential
    WHERE credential.realm = ?1 AND credential.kind = ?2 AND authid = ?3";

/// Unlike what replaces a credential, this leaves its validity as it is.
const PUT: &str = "
    INSERT INTO credential (realm, kind, authid, authrole, parameters, material_type, material,
        version, created, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT last_version FROM meta), ?8, ?8)
    ON CONFLICT (realm, kind, authid) DO UPDATE SET
        authrole = excluded.authrole, parameters = excluded.parameters,
        material_type = excluded.material_type, material = excluded.material,
        version = excluded.version, changed = excluded.changed
    RETURNING id";

const INSERT: &str = "
    INSERT INTO enrolled_key (realm, kind, id, credential, public_key, counter, about, created)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const ADVANCE: &str = "
    UPDATE enrolled_key SET counter = ?6
    WHERE realm = ?1 AND kind = ?2 AND id = ?5 AND counter < ?6 AND credential = (
        SELECT id FROM credential
        WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND version = ?4)";

/// Whether there is a credential, or leave to make one.
pub(super) const HAS_OR_MAY: &str = "
    SELECT 1 FROM credential WHERE realm = ?1 AND kind = ?2 AND authid = ?3
    UNION ALL
    SELECT 1 FROM invitation WHERE realm = ?1 AND kind = ?2 AND authid = ?3 AND expires > ?4";

impl Sqlite {
    pub(super) fn keep_invitation(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        invitation: &Invitation,
    ) -> Result<(), StoreError> {
        let Invitation {
            authrole,
            code,
            expires,
        } = invitation;
        self.change("open an enrolment", |tx| {
            tx.execute(
                INVITE,
                params![
                    realm.as_str(),
                    kind.as_str(),
                    authid.as_str(),
                    authrole.as_str(),
                    code.octets(),
                    unix_ms(SystemTime::now()),
                    unix_ms(*expires),
                ],
            )?;
            Ok(())
        })
    }

    pub(super) fn has_invitation(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let params = params![
            realm.as_str(),
            kind.as_str(),
            authid.as_str(),
            code.octets(),
            unix_ms(now),
        ];
        let reader = self.reader.lock();
        reader
            .prepare_cached(INVITED)
            .and_then(|mut query| query.exists(params))
            .map_err(|error| self.failed("look for an enrolment code", error))
    }

    pub(super) fn keep_key(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        key: &EnrolledKey,
        now: SystemTime,
    ) -> Result<Result<(), NotEnrolled>, StoreError> {
        let whose = (realm.as_str(), kind.as_str(), authid.as_str());
        self.change("enrol a key", |tx| {
            let now = unix_ms(now);
            let (in_realm, of_kind, authid) = whose;
            let invitation = params![in_realm, of_kind, authid, code.octets(), now];
            let authrole: Option<String> = tx
                .query_row(INVITED, invitation, |row| row.get(0))
                .optional()?;
            let Some(authrole) = authrole else {
                return Ok(Err(NotEnrolled::NotOpen));
            };
            if tx.prepare(TAKEN)?.exists((in_realm, of_kind, key.id()))? {
                return Ok(Err(NotEnrolled::Taken));
            }
            let count: usize = tx.query_row(COUNT, whose, |row| row.get(0))?;
            if count >= EnrolledKey::MOST {
                return Ok(Err(NotEnrolled::Full));
            }
            tx.execute(END_INVITATION, whose)?;
            tx.query_row(NEXT_VERSION, [], |_| Ok(()))?;
            let StoredMaterial { name, octets } =
                StoredMaterial::from(&Material::EnrolledKeys(Vec::new()));
            let put = params![
                in_realm, of_kind, authid, authrole, "{}", name, *octets, now
            ];
            let id: i64 = tx.query_row(PUT, put, |row| row.get(0))?;
            insert(tx, realm, kind, id, key, now)?;
            Ok(Ok(()))
        })
    }

    pub(super) fn advance_key(
        &self,
        realm: &Realm,
        record: &Record,
        key: &EnrolledKey,
        counter: i64,
    ) -> Result<bool, StoreError> {
        self.once(
            "advance a counter",
            ADVANCE,
            params![
                realm.as_str(),
                record.kind.as_str(),
                record.authid.as_str(),
                record.version,
                key.id(),
                counter,
            ],
        )
    }
}

/// `credential` is the row of a credential of this kind in this realm. `now`: Unix ms.
pub(super) fn insert(
    tx: &Transaction<'_>,
    realm: &Realm,
    kind: &Kind,
    credential: i64,
    key: &EnrolledKey,
    now: i64,
) -> Result<(), Refusal> {
    tx.execute(
        INSERT,
        params![
            realm.as_str(),
            kind.as_str(),
            key.id(),
            credential,
            key.public_key(),
            key.counter(),
            key.about(),
            now,
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
