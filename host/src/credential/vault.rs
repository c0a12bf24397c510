use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::cache::Cache;
use super::decoy::{Decoys, Template};
use super::guesses::Book;
use super::scram::{self, Dialect};
use super::store::{DecoyKey, Stamp};
use super::unspending::Unspending;
use super::{
    Authid, Authrole, Bounds, CookieHash, CookieLook, CredentialVersion, EnrolledKey,
    EnrolmentCode, FamilyId, Guess, Guesser, Hash, Kind, Material, NewCookie, NotEnrolled,
    PasswordQueue, Present, PublicKey, Realm, Record, RecoveryCode, Store, StoreError, Validity,
    VerifyError,
};

/// Stands before a store while logins run.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
    decoy_key: DecoyKey,
    passwords: PasswordQueue,
    /// One for all realms and all their generations.
    guesses: Arc<Book>,
}

impl Vault {
    /// # Errors
    /// If the store cannot be read.
    pub fn open(store: Arc<dyn Store>, passwords: PasswordQueue) -> Result<Self, StoreError> {
        let decoy_key = store.decoy_key()?;
        Ok(Self {
            store,
            decoy_key,
            passwords,
            guesses: Arc::default(),
        })
    }

    /// The credentials of one realm. `default_role` is the role of decoys of a kind of which the
    /// realm has no credential: it should be the role that its first one would have.
    #[must_use]
    pub fn keyring(&self, realm: Realm, default_role: Authrole) -> Keyring {
        let ring = Ring {
            store: Arc::clone(&self.store),
            passwords: self.passwords.clone(),
            guesses: Arc::clone(&self.guesses),
            decoys: Decoys::new(&self.decoy_key, &realm),
            cookie_name: cookie_name(&realm),
            realm,
            default_role,
            answers: Mutex::new(Cache::new(ANSWERS)),
            templates: Mutex::new(Cache::new(TEMPLATES)),
        };
        Keyring {
            ring: Arc::new(ring),
            is_locked: false,
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// Answers that a realm remembers. One is about 1 KiB, so a flood of made-up authids costs a realm
/// 2 MiB; a flood of the longest ids that a passkey can have, 16 MiB. An answer that is known costs
/// 0.8 µs, most of it for asking SQLite whether it still holds;
/// one that must be made costs 5 µs, or 16 µs where an Ed25519 key is derived.
const ANSWERS: usize = 2048;

/// How long a cookie is still good that was replaced. Two tabs of a browser log in with the same
/// cookie and each gets a new one: the slower must not be refused with the one that both had. Twice
/// what a code is good for.
const GRACE: Duration = Duration::from_mins(2);

/// A realm has a handful of kinds, but a method may ask for any.
const TEMPLATES: usize = 64;

/// The credentials of one realm, for whoever serves its logins. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    ring: Arc<Ring>,
    /// Whether all of its credentials are withheld.
    is_locked: bool,
}

struct Ring {
    store: Arc<dyn Store>,
    passwords: PasswordQueue,
    guesses: Arc<Book>,
    decoys: Decoys,
    realm: Realm,
    cookie_name: String,
    default_role: Authrole,
    /// Real and made-up alike.
    answers: Mutex<Cache<Question, Arc<Answer>>>,
    templates: Mutex<Cache<Kind, Arc<Template>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    kind: Kind,
    whose: Whose,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Whose {
    Authid(Authid),
    /// The SHA-256 of a public key, or of a key's id: they may be long.
    Key([u8; 32]),
}

/// Whom somebody asks for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Authid(&'a Authid),
    Key(&'a [u8]),
}

impl Asked<'_> {
    fn whose(self) -> Whose {
        match self {
            Self::Authid(authid) => Whose::Authid(authid.clone()),
            Self::Key(key) => Whose::Key(Sha256::digest(key).into()),
        }
    }

    /// Whose a decoy is.
    fn authid(self) -> Authid {
        match self {
            Self::Authid(authid) => authid.clone(),
            // It may be long: no more of it than an authid can have.
            Self::Key(key) => hex::encode(key.get(..128).unwrap_or(key)).into(),
        }
    }
}

/// What there is for a question.
struct Answer {
    /// A real credential, or the decoy.
    record: Record,
    /// What stands in for a real one that is withheld. It is made in any case, and kept with it, so
    /// that an answer takes as long whether it is withheld or not.
    decoy: Record,
    is_by_key: bool,
}

/// Why no answer fits a credential, though it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    Disabled,
    Expired,
    /// There were too many wrong answers.
    Locked,
}

/// Completes "the credential is".
impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Locked => "locked",
        })
    }
}

impl Withheld {
    fn by(validity: Validity, now: SystemTime) -> Option<Self> {
        match validity {
            Validity { disabled: true, .. } => Some(Self::Disabled),
            Validity {
                expires: Some(end), ..
            } if end <= now => Some(Self::Expired),
            Validity { .. } => None,
        }
    }
}

impl Keyring {
    /// The same, during a lock: every credential of it looks as ever, and no answer fits it.
    #[must_use]
    pub fn locked(&self) -> Self {
        Self {
            ring: Arc::clone(&self.ring),
            is_locked: true,
        }
    }

    /// The same, for a method that only looks on: nothing of it can be used up, and nothing written.
    /// The other value tells whether that was tried.
    #[must_use]
    pub fn unspending(&self) -> (Self, Arc<AtomicBool>) {
        let ring = &*self.ring;
        let tried = Arc::new(AtomicBool::new(false));
        let store = Unspending {
            store: Arc::clone(&ring.store),
            tried: Arc::clone(&tried),
        };
        let ring = Ring {
            store: Arc::new(store),
            passwords: ring.passwords.clone(),
            guesses: Arc::clone(&ring.guesses),
            decoys: ring.decoys.clone(),
            cookie_name: ring.cookie_name.clone(),
            realm: ring.realm.clone(),
            default_role: ring.default_role.clone(),
            answers: Mutex::new(Cache::new(ANSWERS)),
            templates: Mutex::new(Cache::new(TEMPLATES)),
        };
        let keyring = Self {
            ring: Arc::new(ring),
            is_locked: self.is_locked,
        };
        (keyring, tried)
    }

    /// Whether an authid has a credential of a kind in this realm, be it usable or not, or a code that
    /// is open to have one kept.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn has(&self, kind: &Kind, authid: &Authid) -> Result<bool, StoreError> {
        self.ring.store.has(&self.ring.realm, kind, authid)
    }

    /// Waits until an answer that this authid gives may be looked at, and takes note that it is.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be read; the login must then fail.
    pub async fn guess(
        &self,
        kind: &Kind,
        authid: &Authid,
        bounds: &Bounds,
    ) -> Result<Guess, StoreError> {
        let ring = &*self.ring;
        let guesser = Guesser {
            realm: ring.realm.clone(),
            kind: kind.clone(),
            authid: authid.clone(),
        };
        ring.guesses
            .begin(&ring.store, guesser, bounds, SystemTime::now)
            .await
    }

    /// The credential of a kind that an authid has in this realm; a decoy if it has none.
    ///
    /// # Errors
    /// If the store cannot be read: the same for everyone who asks then.
    pub fn find(&self, kind: &Kind, authid: &Authid) -> Result<Credential, StoreError> {
        self.answer(kind, Asked::Authid(authid))
    }

    /// The credential of a kind in this realm that has this public key, or the enrolled key with this
    /// id; a decoy if none has it or more than one. The authid of a decoy is the key's hex.
    ///
    /// # Errors
    /// If the store cannot be read: the same for everyone who asks then.
    pub fn find_by_key(&self, kind: &Kind, key: &[u8]) -> Result<Credential, StoreError> {
        self.answer(kind, Asked::Key(key))
    }

    /// What the realm's cookies are called.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.ring.cookie_name
    }

    /// What a cookie is good for now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn cookie(&self, hash: &CookieHash, now: SystemTime) -> Result<CookieLook, StoreError> {
        let ring = &*self.ring;
        let Some(cookie) = ring.store.find_cookie(&ring.realm, hash)? else {
            return Ok(CookieLook::Unknown);
        };
        if now >= cookie.expires || now >= cookie.remembered.ends {
            return Ok(CookieLook::Expired);
        }
        let is_replaced = cookie.replaced.is_some_and(|since| now >= since + GRACE);
        Ok(if is_replaced {
            CookieLook::Replayed(cookie.remembered.family)
        } else {
            CookieLook::Good(cookie.remembered)
        })
    }

    pub(super) fn present(
        &self,
        credentials: &[CredentialVersion],
    ) -> Result<Vec<Option<Present>>, StoreError> {
        self.ring.store.present(&self.ring.realm, credentials)
    }

    /// Keeps a cookie: see [`Store::keep_cookie`]. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn keep_cookie(&self, new: NewCookie, now: SystemTime) -> Result<bool, StoreError> {
        self.change(move |ring| ring.store.keep_cookie(&ring.realm, &new, now))
            .await
    }

    /// Ends the cookies of a family. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn end_family(&self, family: FamilyId) -> Result<usize, StoreError> {
        self.change(move |ring| ring.store.end_family(&ring.realm, &family))
            .await
    }

    /// Changes the store on a thread that may wait for a disk.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Ring) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ring = Arc::clone(&self.ring);
        spawn_blocking(move || change(&ring))
            .await
            .map_err(stopped)?
    }

    /// Does the same for authids with and without a credential: one look into the cache; on a miss
    /// one query and one decoy, made whether it is needed or not. Two differences are left, which
    /// each authid shows once until the store changes or the cache forgets: a row that exists must
    /// be read (1.3 µs), and an answer may be known because somebody has asked before (4 µs, 15 µs
    /// for an Ed25519 key).
    fn answer(&self, kind: &Kind, asked: Asked<'_>) -> Result<Credential, StoreError> {
        let ring = &*self.ring;
        let question = Question {
            kind: kind.clone(),
            whose: asked.whose(),
        };
        let stamp = ring.store.stamp()?;
        let known = ring.answers.lock().find(stamp, &question);
        let answer = if let Some(answer) = known {
            answer
        } else {
            let answer = Arc::new(ring.look_up(stamp, kind, asked)?);
            let kept = Arc::clone(&answer);
            ring.answers.lock().insert(stamp, question, kept);
            answer
        };
        let withheld = if self.is_locked {
            Some(Withheld::Locked)
        } else {
            Withheld::by(answer.record.validity, SystemTime::now())
        };
        Ok(Credential {
            answer,
            withheld,
            ring: Arc::clone(&self.ring),
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("realm", &self.ring.realm)
            .finish_non_exhaustive()
    }
}

impl Ring {
    fn look_up(&self, stamp: Stamp, kind: &Kind, asked: Asked<'_>) -> Result<Answer, StoreError> {
        let found = match asked {
            Asked::Authid(authid) => self.store.find(&self.realm, kind, authid),
            Asked::Key(key) => self.store.find_by_key(&self.realm, kind, key),
        };
        let template = self.template(stamp, kind)?;
        let found = self.usable(found)?;
        let ids = match (asked, &found) {
            (Asked::Key(id), _) => vec![id],
            (Asked::Authid(_), Some(record)) => record.material.ids(),
            (Asked::Authid(_), None) => Vec::new(),
        };
        let decoy = self.decoys.make(kind, &asked.authid(), &ids, &template);
        Ok(Answer {
            record: found.unwrap_or_else(|| decoy.clone()),
            decoy,
            is_by_key: matches!(asked, Asked::Key(_)),
        })
    }

    /// What decoys of a kind look like now.
    fn template(&self, stamp: Stamp, kind: &Kind) -> Result<Arc<Template>, StoreError> {
        if let Some(template) = self.templates.lock().find(stamp, kind) {
            return Ok(template);
        }
        let template = match self.usable(self.store.oldest(&self.realm, kind))? {
            Some(oldest) => Template::like(oldest),
            None => Template::of_new(kind, self.default_role.clone()),
        };
        let template = Arc::new(template);
        self.templates
            .lock()
            .insert(stamp, kind.clone(), Arc::clone(&template));
        Ok(template)
    }

    /// A damaged record is as good as none: the client notices nothing, and the operator is told.
    fn usable(
        &self,
        found: Result<Option<Record>, StoreError>,
    ) -> Result<Option<Record>, StoreError> {
        match found {
            Err(error @ StoreError::Damaged { .. }) => {
                tracing::warn!(realm = %self.realm, %error, "a credential is ignored");
                Ok(None)
            }
            found => found,
        }
    }
}

/// Another name for each realm, so that they don't replace each other's cookies. A realm's own name
/// can have letters that a cookie's cannot.
fn cookie_name(realm: &Realm) -> String {
    let digest = hex::encode(Sha256::digest(realm.as_str()));
    let digest = digest.get(..32).unwrap_or_default();
    format!("__Host-countersign-{digest}")
}

fn stopped(stopped: tokio::task::JoinError) -> StoreError {
    StoreError::Failed {
        place: "the credential store".into(),
        doing: "finish a change",
        source: Box::new(stopped),
    }
}

/// One credential of one authid, real or a decoy, and what a method may do with it.
///
/// What a method can call behaves alike for both. Which of its operations are of use depends on
/// the kind of credential, not on whose it is. One that is withheld shows what it always shows, and
/// works as a decoy does. Cheap to make and to clone.
#[derive(Clone)]
pub struct Credential {
    answer: Arc<Answer>,
    withheld: Option<Withheld>,
    ring: Arc<Ring>,
}

impl Credential {
    /// Whom it belongs to.
    #[must_use]
    pub fn authid(&self) -> &Authid {
        &self.shown().authid
    }

    /// The role that the authid has.
    #[must_use]
    pub fn authrole(&self) -> &Authrole {
        &self.shown().authrole
    }

    /// What a client may need in order to answer: the text of a JSON object.
    #[must_use]
    pub fn parameters(&self) -> &str {
        self.shown().parameters.as_str()
    }

    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.answer.record.kind
    }

    /// Why no answer fits it, for the operator's log. A method must not learn it.
    #[must_use]
    pub fn withheld(&self) -> Option<Withheld> {
        self.withheld
    }

    /// Whose it is though it is withheld, for the operator's log. A method must not learn it.
    #[must_use]
    pub fn owner(&self) -> &Authid {
        &self.answer.record.authid
    }

    /// Where one's parameters changed with its being withheld, everybody would see that it is. But
    /// a key that is withheld leads to nobody's name.
    fn shown(&self) -> &Record {
        if self.withheld.is_some() && self.answer.is_by_key {
            return &self.answer.decoy;
        }
        &self.answer.record
    }

    fn used(&self) -> &Record {
        if self.withheld.is_some() {
            return &self.answer.decoy;
        }
        &self.answer.record
    }

    /// Whether this is the password. False at once for a credential without one. A check that waits
    /// is abandoned when the future is dropped. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the password was not checked; the login must then fail as one that cannot be served now.
    pub async fn verify_password(&self, candidate: Zeroizing<String>) -> Result<bool, VerifyError> {
        let Material::Password(hash) = &self.used().material else {
            return Ok(false);
        };
        self.ring.passwords.verify(hash.clone(), candidate).await
    }

    /// Whether `tag` is the HMAC of a message under the credential's key, compared in constant time.
    /// False at once for a credential without a key.
    #[must_use]
    pub fn verify_hmac(&self, hash: Hash, message: &[u8], tag: &[u8]) -> bool {
        let Material::Key(key) = &self.used().material else {
            return false;
        };
        key.verify_hmac(hash, message, tag)
    }

    /// The HMAC of a message under the credential's key, or under a key that nobody knows if it has
    /// none.
    #[must_use]
    pub fn hmac(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        let Record {
            kind,
            authid,
            material,
            ..
        } = self.used();
        match material {
            Material::Key(key) => key.hmac(hash, message),
            _ => self
                .ring
                .decoys
                .unknown_key(kind, authid)
                .hmac(hash, message),
        }
    }

    /// The server's signature of a SCRAM exchange, for a client whose proof shows that it knows the
    /// password; compared in constant time. Never for a decoy, which costs what a wrong proof does.
    #[must_use]
    pub fn scram_signature(
        &self,
        dialect: Dialect,
        auth_message: &[u8],
        proof: &[u8],
    ) -> Option<[u8; scram::OCTETS]> {
        let Material::Scram(keys) = &self.used().material else {
            return None;
        };
        // A decoy's keys are of no password, so that this asks for its version again is one check too
        // many.
        keys.verify(dialect, auth_message, proof)
            .filter(|_| self.version().is_some())
    }

    /// The public keys that prove the authid. None for a credential that has something else.
    #[must_use]
    pub fn public_keys(&self) -> &[PublicKey] {
        match &self.used().material {
            Material::PublicKeys(keys) => keys,
            _ => &[],
        }
    }

    /// The keys that the method has had kept. None for a credential that has something else.
    #[must_use]
    pub fn enrolled_keys(&self) -> &[EnrolledKey] {
        match &self.used().material {
            Material::EnrolledKeys(keys) => keys,
            _ => &[],
        }
    }

    /// Raises the credential's counter to a number, if it is lower. True for one caller at most, for
    /// each number; the counter is on the disk then. Never for a decoy, which costs the same but for
    /// the wait for the disk, and nothing is kept of it. What has begun goes on when the future is
    /// dropped. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be written; the login must then fail.
    pub async fn advance(&self, counter: u64) -> Result<bool, StoreError> {
        self.once(move |record, ring| ring.store.advance(&ring.realm, record, counter))
            .await
    }

    /// Whether a text is one of the credential's recovery codes, which it then is no more. True for
    /// one caller at most, for each code. Never for a decoy, which costs the same. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the store cannot be read or written; the login must then fail.
    pub async fn redeem(&self, code: &str) -> Result<bool, StoreError> {
        let (Some(code), Material::Key(key)) = (RecoveryCode::parse(code), &self.used().material)
        else {
            return Ok(false);
        };
        let hash = code.hash(key);
        self.once(move |record, ring| ring.store.redeem(&ring.realm, record, &hash))
            .await
    }

    /// Whether a text is an enrolment code that is open for this authid and this kind. It stays so.
    /// None is while the credential is withheld.
    ///
    /// # Errors
    /// If the store cannot be read; the login must then fail.
    pub fn is_open(&self, code: &str) -> Result<bool, StoreError> {
        let Some(code) = EnrolmentCode::parse(code) else {
            return Ok(false);
        };
        let Self { ring, .. } = self;
        let Record { kind, authid, .. } = self.used();
        let code = code.hash(&ring.realm, kind, authid);
        let now = SystemTime::now();
        let is_open = ring.store.is_open(&ring.realm, kind, authid, &code, now)?;
        Ok(is_open && self.withheld.is_none())
    }

    /// Has a key kept for this authid, if the code is open for it, and uses the code up. The
    /// credential may be a decoy: the code decides. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be read or written; the login must then fail.
    pub async fn enrol(
        &self,
        code: &str,
        key: EnrolledKey,
    ) -> Result<Result<(), NotEnrolled>, StoreError> {
        let Some(code) = EnrolmentCode::parse(code) else {
            return Ok(Err(NotEnrolled::NotOpen));
        };
        if self.withheld.is_some() {
            return Ok(Err(NotEnrolled::NotOpen));
        }
        self.change(move |credential| {
            let Self { ring, .. } = credential;
            let Record { kind, authid, .. } = credential.used();
            let code = code.hash(&ring.realm, kind, authid);
            ring.store
                .enrol(&ring.realm, kind, authid, &code, &key, SystemTime::now())
        })
        .await
    }

    async fn once(
        &self,
        change: impl FnOnce(&Record, &Ring) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        // A store says so by itself. A decoy that passed would be worse than one check too many.
        let changed = self
            .change(move |credential| change(credential.used(), &credential.ring))
            .await?;
        Ok(changed && self.version().is_some())
    }

    /// Changes the store on a thread that may wait for a disk.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let credential = self.clone();
        spawn_blocking(move || change(&credential))
            .await
            .map_err(stopped)?
    }

    /// The credential with its version, as a cookie goes back to it. None for a decoy, and for one that
    /// is withheld.
    #[must_use]
    pub fn present(&self) -> Option<CredentialVersion> {
        Some(CredentialVersion {
            kind: self.used().kind.clone(),
            authid: self.used().authid.clone(),
            version: self.version()?,
        })
    }

    /// Which credential it is, none for a decoy: for the operator's log, and for ending sessions
    /// whose credential has changed. A method must not learn it.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        Some(self.used().version).filter(|version| *version != 0)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("realm", &self.ring.realm)
            .field("kind", &self.answer.record.kind)
            .field("authid", &self.answer.record.authid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
