//! What the tests of its parts have in common.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::credential::{
    Enrolment, Existing, Hash, Key, Kind, Material, Realm, Record, Sqlite, Store as _,
    enrol::{self, Derivation},
};

/// A directory with a store in it, which any number of connections may be opened to.
pub(super) struct Disk(TempDir);

impl Disk {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn directory(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("credentials.db")
    }

    pub(super) fn open(&self) -> Sqlite {
        Sqlite::open(self.path()).unwrap()
    }

    /// What any SQLite program can do.
    pub(super) fn meddle(&self, sql: &str) {
        Connection::open(self.path())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }
}

pub(super) fn realm() -> Realm {
    Realm::from("realm1")
}

pub(super) fn secret(secret: &str) -> Enrolment {
    enrol::wampcra(secret, &Derivation::Plain).unwrap()
}

pub(super) fn put(store: &Sqlite, authid: &str, enrolment: &Enrolment) -> u64 {
    store
        .add(
            &realm(),
            &authid.into(),
            &"user".into(),
            enrolment,
            Existing::Replace,
        )
        .unwrap()
}

pub(super) fn find(store: &Sqlite, authid: &str) -> Option<Record> {
    store
        .find(&realm(), &Kind::wampcra(), &authid.into())
        .unwrap()
}

/// Whether a credential is there and has this secret.
pub(super) fn opens(record: Option<Record>, secret: &str) -> bool {
    let Some(Record {
        material: Material::Key(key),
        ..
    }) = record
    else {
        return false;
    };
    key.hmac(Hash::Sha256, b"challenge")
        == Key::new(secret.as_bytes()).hmac(Hash::Sha256, b"challenge")
}
