use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::{
    Authid, Authrole, CodeHash, CookieHash, Enrolment, FamilyId, Kind, NewCookie, PublicKey, Realm,
    Record, StoredCookie,
};

/// Where records are kept. Calls block; those by which a login finds something take microseconds,
/// those by which it changes something (`advance`, `redeem`) a disk's time.
///
/// Several processes may work on one store at the same time: an operator adds a credential while
/// the router runs, and the next login sees it. Every call can fail as [`StoreError`] says.
pub trait Store: Send + Sync {
    /// The key that decoys are made with: made together with the store, and the same ever after, so
    /// that a decoy is the same after a restart.
    fn decoy_key(&self) -> Result<DecoyKey, StoreError>;

    /// Where the store is now. Asked before every answer from a cache, so it must be cheap.
    fn stamp(&self) -> Result<Stamp, StoreError>;

    /// The credential of a kind that an authid has in a realm.
    fn find(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<Option<Record>, StoreError>;

    /// The credential of a kind in a realm that has this public key; none if several have it.
    fn find_by_key(
        &self,
        realm: &Realm,
        kind: &Kind,
        key: &[u8; PublicKey::LEN],
    ) -> Result<Option<Record>, StoreError>;

    /// The credential of a kind that has been in a realm for the longest time. Replacing it does
    /// not make it younger.
    fn oldest(&self, realm: &Realm, kind: &Kind) -> Result<Option<Record>, StoreError>;

    /// Raises the counter of a record to a number, if it is lower, durably once this returns. True
    /// if it was lower; of several that ask at the same time for the same number, one is told true.
    /// A new or replaced record's counter is lower than any number. False if the record is a decoy,
    /// or not the present version of itself any more.
    fn advance(&self, realm: &Realm, record: &Record, counter: u64) -> Result<bool, StoreError>;

    /// Removes a recovery code from a record, durably once this returns. True if it was there; of
    /// several that ask at the same time for the same code, one is told true. False if the record
    /// is a decoy, or not the present version of itself any more.
    fn redeem(&self, realm: &Realm, record: &Record, code: &CodeHash) -> Result<bool, StoreError>;

    /// Keeps a credential, durably once this returns, and yields its version.
    fn add(
        &self,
        realm: &Realm,
        authid: &Authid,
        authrole: &Authrole,
        enrolment: &Enrolment,
        existing: Existing,
    ) -> Result<u64, StoreError>;

    /// Removes a credential, durably once this returns. False if there was none.
    fn remove(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError>;

    /// A cookie of this realm, be it good or not any more. None for one that was ended, or whose
    /// credentials have changed.
    fn find_cookie(
        &self,
        realm: &Realm,
        hash: &CookieHash,
    ) -> Result<Option<StoredCookie>, StoreError>;

    /// Keeps a cookie, durably once this returns, and marks those that it replaces. False, and
    /// nothing is changed, if a credential that it goes back to is not the present version of itself
    /// any more, or if it continues a family that has ended.
    fn keep_cookie(
        &self,
        realm: &Realm,
        new: &NewCookie,
        now: SystemTime,
    ) -> Result<bool, StoreError>;

    /// Ends all cookies of a family, and yields how many there were.
    fn end_family(&self, realm: &Realm, family: &FamilyId) -> Result<usize, StoreError>;

    /// Ends all cookies of an authid, and yields how many browsers could have logged in by them.
    fn end_cookies(&self, realm: &Realm, authid: &Authid) -> Result<usize, StoreError>;

    /// All credentials of a realm, without what is secret in them; by authid, then by kind.
    fn list(&self, realm: &Realm) -> Result<Vec<Entry>, StoreError>;
}

/// A moment in the life of a store as one process sees it: another one if any process has changed
/// anything in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub u64);

/// What becomes of the credential of that kind which the authid may have already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and adding is an error.
    Refuse,
    /// It gives way to the new one.
    Replace,
}

/// A credential in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub authid: Authid,
    pub authrole: Authrole,
    pub created: SystemTime,
    /// When it was last replaced; else the same as `created`.
    pub changed: SystemTime,
    /// Cookies that are good and go back to it.
    pub cookies: u32,
}

/// 32 random octets that decoys are derived from. Whoever has them can tell decoys.
#[derive(Clone)]
pub struct DecoyKey(Zeroizing<[u8; Self::LEN]>);

impl DecoyKey {
    pub const LEN: usize = 32;

    #[must_use]
    pub fn new(octets: [u8; Self::LEN]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = Self::new([0; Self::LEN]);
        getrandom::fill(&mut *key.0)?;
        Ok(key)
    }

    pub(super) fn octets(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for DecoyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecoyKey(_)")
    }
}

/// What can go wrong with a store. For operators: a client must not learn more than that the
/// router cannot serve it now.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{authid} has a {kind} credential in realm {realm} already")]
    Exists {
        realm: Realm,
        kind: Kind,
        authid: Authid,
    },
    /// One record; all others can be used.
    #[error(
        "the {kind} credential of {authid} in realm {realm} cannot be used: {reason}. Replace it"
    )]
    Damaged {
        realm: Realm,
        kind: Kind,
        authid: Authid,
        reason: String,
    },
    #[error(
        "{place} was written by a newer countersign (schema {found}, here {known} at most); \
         use that one"
    )]
    Newer {
        place: String,
        found: i64,
        known: i64,
    },
    #[error("{place} is not a credential store of countersign; is it the right file?")]
    Foreign { place: String },
    #[error("{place}: could not {doing}: {source}")]
    Failed {
        place: String,
        /// Completes "could not …".
        doing: &'static str,
        source: Box<dyn Error + Send + Sync>,
    },
}
