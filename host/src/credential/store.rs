use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::{
    Authid, Authrole, Bounds, CodeHash, CookieHash, CredentialVersion, EnrolledKey, Enrolment,
    FamilyId, GuessSource, Guesser, Kind, NewCookie, NotEnrolled, Realm, Record, StoredCookie,
    Tally, Validity,
};

/// Where records are kept. Calls block; those by which a login finds something take microseconds,
/// those by which it changes something (`advance`, `redeem`, `count_wrong`) a disk's time.
///
/// Several processes may work on one store at the same time: an operator adds a credential while
/// the router runs, and the next login sees it. Every call can fail as [`StoreError`] says.
pub trait Store: fmt::Debug + Send + Sync {
    /// The key that decoys are made with: made together with the store, and the same ever after, so
    /// that a decoy is the same after a restart.
    fn decoy_key(&self) -> Result<DecoyKey, StoreError>;

    /// Where the store is now. Asked before every answer from a cache, so it must be cheap.
    fn stamp(&self) -> Result<Stamp, StoreError>;

    /// The version that was given last to any credential; a removal is given one too. It rises with
    /// each change of a credential and with nothing else, and asking is cheap.
    fn last_change(&self) -> Result<u64, StoreError>;

    /// What has become of credentials by now, each at the place of its question. None: it is removed.
    fn present(
        &self,
        realm: &Realm,
        credentials: &[CredentialVersion],
    ) -> Result<Vec<Option<Present>>, StoreError>;

    /// The credential of a kind that an authid has in a realm.
    fn find(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
    ) -> Result<Option<Record>, StoreError>;

    /// Whether an authid has a credential of a kind in a realm, be it usable or not, or a code that is
    /// open to have one kept.
    fn has(&self, realm: &Realm, kind: &Kind, authid: &Authid) -> Result<bool, StoreError>;

    /// The credential of a kind in a realm that has this public key, or an enrolled key with this id;
    /// of its enrolled keys it then has this one only. None if several credentials have it.
    fn find_by_key(
        &self,
        realm: &Realm,
        kind: &Kind,
        key: &[u8],
    ) -> Result<Option<Record>, StoreError>;

    /// The credential of a kind that has been in a realm for the longest time. Replacing it does
    /// not make it younger.
    fn oldest(&self, realm: &Realm, kind: &Kind) -> Result<Option<Record>, StoreError>;

    /// Raises the counter of a record to a number, if it is lower, durably once this returns. True
    /// if it was lower; of several that ask at the same time for the same number, one is told true.
    /// A new or replaced record's counter is lower than any number. For a record with enrolled keys it
    /// is the counter of the one key that it has, and it must have one only. False if the record is a
    /// decoy, or not the present version of itself any more.
    fn advance(&self, realm: &Realm, record: &Record, counter: u64) -> Result<bool, StoreError>;

    /// Removes a recovery code from a record, durably once this returns. True if it was there; of
    /// several that ask at the same time for the same code, one is told true. False if the record
    /// is a decoy, or not the present version of itself any more.
    fn redeem(&self, realm: &Realm, record: &Record, code: &CodeHash) -> Result<bool, StoreError>;

    /// Lets an authid have one key kept, whoever shows the code, durably once this returns. A former
    /// invitation of the same authid and kind ends; a credential that it has stays.
    fn invite(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        invitation: &Invitation,
    ) -> Result<(), StoreError>;

    /// Whether an invitation has this code, and has not expired by `now`. None is open while the
    /// credential that it would add to may not be used.
    fn is_open(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        now: SystemTime,
    ) -> Result<bool, StoreError>;

    /// Adds a key to the credential of an authid, which is made if it has none, and ends the
    /// invitation that allows it and must be open: both or neither, durably once this returns. Of
    /// several that ask at the same time with the same code, one has its key kept. What was said of
    /// the credential's validity stays, and so do the wrong answers to it.
    fn enrol(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        code: &CodeHash,
        key: &EnrolledKey,
        now: SystemTime,
    ) -> Result<Result<(), NotEnrolled>, StoreError>;

    /// When the last right answer in a guesser's name that was taken note of came from a source.
    fn last_right(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
    ) -> Result<Option<SystemTime>, StoreError>;

    /// Makes the tally zero, and takes note of where the right answer came from. Of the sources of one
    /// authid and kind only the latest are kept.
    fn note_right(
        &self,
        guesser: &Guesser,
        source: &GuessSource,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// The wrong answers of a guesser.
    fn tally(&self, guesser: &Guesser) -> Result<Tally, StoreError>;

    /// Counts one more, durably once this returns, and yields the new tally. Of any number at the
    /// same time, none is lost.
    fn count_wrong(
        &self,
        guesser: &Guesser,
        bounds: &Bounds,
        now: SystemTime,
    ) -> Result<Tally, StoreError>;

    /// Counts an answer that came during a lock. It takes as long as counting a wrong one.
    fn count_refused(&self, guesser: &Guesser) -> Result<(), StoreError>;

    /// Makes the tallies zero of all sources that the guesser's may be, and lifts their locks. False
    /// if they were.
    fn forget_wrong(&self, guesser: &Guesser) -> Result<bool, StoreError>;

    /// All tallies of a realm that are not zero, by authid, then by kind.
    fn tallies(&self, realm: &Realm) -> Result<Vec<(Guesser, Tally)>, StoreError>;

    /// Keeps a credential, durably once this returns, and yields its version. It may be used, and
    /// there are no wrong answers to it yet.
    fn add(
        &self,
        realm: &Realm,
        authid: &Authid,
        authrole: &Authrole,
        enrolment: &Enrolment,
        existing: Existing,
    ) -> Result<u64, StoreError>;

    /// Says whether a credential may be used, durably once this returns. False if there is none. It
    /// has another version then; its counter and its codes are as they were.
    fn set_validity(
        &self,
        realm: &Realm,
        kind: &Kind,
        authid: &Authid,
        validity: Validity,
    ) -> Result<bool, StoreError>;

    /// Removes a credential and an invitation to one, durably once this returns. False if there was
    /// neither.
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
    /// any more or may not be used, or if it continues a family that has ended. No cookie outlives a
    /// credential that it goes back to.
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

    /// All credentials and invitations of a realm, without what is secret in them; by authid, then by
    /// kind.
    fn list(&self, realm: &Realm) -> Result<Vec<Entry>, StoreError>;
}

/// A moment in the life of a store as one process sees it: another one if any process has changed
/// anything in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub u64);

/// A credential as it is now, without what is secret in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    pub version: u64,
    pub validity: Validity,
}

/// What becomes of the credential of that kind which the authid may have already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and adding is an error.
    Refuse,
    /// It gives way to the new one.
    Replace,
}

/// Leave for an authid to have a key kept that it has made.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The role that the credential gives.
    pub authrole: Authrole,
    pub code: CodeHash,
    pub expires: SystemTime,
}

/// A credential in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub authid: Authid,
    pub authrole: Authrole,
    pub created: SystemTime,
    /// When it was last replaced, or got another key; else the same as `created`.
    pub changed: SystemTime,
    /// An invitation says nothing of it.
    pub validity: Validity,
    pub note: Option<Note>,
    /// Cookies that are good and go back to it.
    pub cookies: u32,
}

/// What a list says of a credential besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// So many enrolled keys.
    Keys(u32),
    /// It is an invitation, open until this time.
    OpenUntil(SystemTime),
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
