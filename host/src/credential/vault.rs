mod credential;

pub use credential::Credential;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::cache::Cache;
use super::decoy::{Decoys, Template};
use super::guesses::Book;
use super::store::{DecoyKey, Stamp};
use super::unspending::Unspending;
use super::{
    Authid, Authrole, Bounds, CookieHash, CookieLook, CredentialVersion, FamilyId, Guess,
    GuessSource, Guesser, Kind, NewCookie, PasswordQueue, Present, Realm, Record, Store,
    StoreError, Validity,
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
            passwords: ring.passwords.beside(),
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
        source: &GuessSource,
        bounds: &Bounds,
    ) -> Result<Guess, StoreError> {
        let ring = &*self.ring;
        let guesser = Guesser {
            realm: ring.realm.clone(),
            kind: kind.clone(),
            authid: authid.clone(),
            known: None,
        };
        ring.guesses
            .begin(&ring.store, guesser, source, bounds, SystemTime::now)
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
        let ring = &*self.ring;
        // Somebody has logged in with them a moment ago, most likely.
        if let Some(present) = ring.remembered(credentials)? {
            return Ok(present);
        }
        ring.store.present(&ring.realm, credentials)
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
    /// What is known of credentials, if it is known of all of them at one moment: now.
    fn remembered(
        &self,
        credentials: &[CredentialVersion],
    ) -> Result<Option<Vec<Option<Present>>>, StoreError> {
        let stamp = self.store.stamp()?;
        let mut answers = self.answers.lock();
        let mut present = |credential: &CredentialVersion| {
            let question = Question {
                kind: credential.kind.clone(),
                whose: Whose::Authid(credential.authid.clone()),
            };
            let answer = answers.find(stamp, &question)?;
            answer.record.present().map(Some)
        };
        Ok(credentials.iter().map(&mut present).collect())
    }

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

#[cfg(test)]
mod tests;
