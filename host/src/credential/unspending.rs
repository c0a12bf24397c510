use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::store::{DecoyKey, Entry, Existing, Invitation, Present, Stamp, Store, StoreError};
use super::{
    Authid, Authrole, Bounds, CodeHash, CookieHash, CredentialVersion, EnrolledKey, Enrolment,
    FamilyId, GuessSource, Guesser, Kind, NewCookie, NotEnrolled, Realm, Record, StoredCookie,
    Tally, Validity,
};

/// Another store, of which nothing can be used up and to which nothing can be written: for a method
/// that is asked beside the one that decides.
///
/// A counter says that it was raised, as it would to the one that decides in a login that is no
/// repetition. Everything else that is good once is refused.
#[derive(Debug)]
pub(super) struct Unspending {
    pub(super) store: Arc<dyn Store>,
    /// Whether anything was asked for that would have used something up.
    pub(super) tried: Arc<AtomicBool>,
}

fn refused<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed {
        place: "the credential store".into(),
        doing: "change anything for a method that only looks on",
        source: "it may not".into(),
    })
}

impl Store for Unspending {
    fn decoy_key(&self) -> Result<DecoyKey, StoreError> {
        self.store.decoy_key()
    }

    fn stamp(&self) -> Result<Stamp, StoreError> {
        self.store.stamp()
    }

    fn last_change(&self) -> Result<u64, StoreError> {
        self.store.last_change()
    }

    fn present(
        &self,
        realm: &Realm,
        credentials: &[CredentialVersion],
    ) -> Result<Vec<Option<Present>>, StoreError> {
        self.store.present(realm, credentials)
    }

    fn find(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<Option<Record>, StoreError> {
        self.store.find(realm, kind, authid)
    }

    fn has(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError> {
        self.store.has(realm, kind, authid)
    }

    fn find_by_key(
        &self,
        realm: &Realm,
        kind: &Kind,
        key: &[u8],
    ) -> Result<Option<Record>, StoreError> {
        self.store.find_by_key(realm, kind, key)
    }

    fn oldest(&self, realm: &Realm, kind: &Kind) -> Result<Option<Record>, StoreError> {
        self.store.oldest(realm, kind)
    }

    /// Version 0 is a decoy's.
    fn advance(&self, _: &Realm, record: &Record, _: u64) -> Result<bool, StoreError> {
        self.tried.store(true, Ordering::Relaxed);
        Ok(record.version != 0)
    }

    fn redeem(&self, _: &Realm, _: &Record, _: &CodeHash) -> Result<bool, StoreError> {
        self.tried.store(true, Ordering::Relaxed);
        Ok(false)
    }

    fn invite(&self, _: &Realm, _: &Kind, _: &Authid, _: &Invitation) -> Result<(), StoreError> {
        refused()
    }

    fn is_open(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        self.store.is_open(realm, kind, authid, code, now)
    }

    fn enrol(
        &self,
        _: &Realm,
        _: &Kind,
        _: &Authid,
        _: &CodeHash,
        _: &EnrolledKey,
        _: SystemTime,
    ) -> Result<Result<(), NotEnrolled>, StoreError> {
        self.tried.store(true, Ordering::Relaxed);
        Ok(Err(NotEnrolled::NotOpen))
    }

    fn last_right(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
    ) -> Result<Option<SystemTime>, StoreError> {
        self.store.last_right(guesser, source)
    }

    fn note_right(&self, _: &Guesser, _: &GuessSource, _: SystemTime) -> Result<(), StoreError> {
        refused()
    }

    fn tally(&self, guesser: &Guesser) -> Result<Tally, StoreError> {
        self.store.tally(guesser)
    }

    fn count_wrong(&self, _: &Guesser, _: &Bounds, _: SystemTime) -> Result<Tally, StoreError> {
        refused()
    }

    fn count_refused(&self, _: &Guesser) -> Result<(), StoreError> {
        refused()
    }

    fn forget_wrong(&self, _: &Guesser) -> Result<bool, StoreError> {
        refused()
    }

    fn tallies(&self, realm: &Realm) -> Result<Vec<(Guesser, Tally)>, StoreError> {
        self.store.tallies(realm)
    }

    fn add(
        &self,
        _: &Realm,
        _: &Authid,
        _: &Authrole,
        _: &Enrolment,
        _: Existing,
    ) -> Result<u64, StoreError> {
        refused()
    }

    fn set_validity(
        &self,
        _: &Realm,
        _: &Kind,
        _: &Authid,
        _: Validity,
    ) -> Result<bool, StoreError> {
        refused()
    }

    fn remove(&self, _: &Realm, _: &Kind, _: &Authid) -> Result<bool, StoreError> {
        refused()
    }

    fn find_cookie(
        &self,
        realm: &Realm,
        hash: &CookieHash,
    ) -> Result<Option<StoredCookie>, StoreError> {
        self.store.find_cookie(realm, hash)
    }

    fn keep_cookie(&self, _: &Realm, _: &NewCookie, _: SystemTime) -> Result<bool, StoreError> {
        refused()
    }

    fn end_family(&self, _: &Realm, _: &FamilyId) -> Result<usize, StoreError> {
        refused()
    }

    fn end_cookies(&self, _: &Realm, _: &Authid) -> Result<usize, StoreError> {
        refused()
    }

    fn list(&self, realm: &Realm) -> Result<Vec<Entry>, StoreError> {
        self.store.list(realm)
    }
}
