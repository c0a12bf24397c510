use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::cache::Cache;
use super::decoy::{Decoys, Template};
use super::store::{DecoyKey, Stamp};
use super::{
    Authid, Authrole, CookieHash, CookieLook, CredentialVersion, FamilyId, Hash, Kind, Material,
    NewCookie, PasswordQueue, PublicKey, Realm, Record, RecoveryCode, Store, StoreError,
    VerifyError,
};

/// Stands before a store while logins run.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
    decoy_key: DecoyKey,
    passwords: PasswordQueue,
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
        })
    }

    /// The credentials of one realm. `default_role` is the role of decoys of a kind of which the
    /// realm has no credential: it should be the role that its first one would have.
    #[must_use]
    pub fn keyring(&self, realm: Realm, default_role: Authrole) -> Keyring {
        Keyring(Arc::new(Ring {
            store: Arc::clone(&self.store),
            passwords: self.passwords.clone(),
            decoys: Decoys::new(&self.decoy_key, &realm),
            cookie_name: cookie_name(&realm),
            realm,
            default_role,
            answers: Mutex::new(Cache::new(ANSWERS)),
            templates: Mutex::new(Cache::new(TEMPLATES)),
        }))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// Answers that a realm remembers. One is about 0.5 KiB, so a flood of made-up authids costs a realm
/// 1 MiB. An answer that is known costs 0.8 µs, most of it for asking SQLite whether it still holds;
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
pub struct Keyring(Arc<Ring>);

struct Ring {
    store: Arc<dyn Store>,
    passwords: PasswordQueue,
    decoys: Decoys,
    realm: Realm,
    cookie_name: String,
    default_role: Authrole,
    /// Real and made-up alike.
    answers: Mutex<Cache<Question, Arc<Record>>>,
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
    PublicKey([u8; PublicKey::LEN]),
}

impl Keyring {
    /// The credential of a kind that an authid has in this realm; a decoy if it has none.
    ///
    /// # Errors
    /// If the store cannot be read: the same for everyone who asks then.
    pub fn find(&self, kind: &Kind, authid: &Authid) -> Result<Credential, StoreError> {
        let whose = Whose::Authid(authid.clone());
        self.answer(Question {
            kind: kind.clone(),
            whose,
        })
    }

    /// The credential of a kind in this realm that has this public key; a decoy if none has it or
    /// more than one. The authid of a decoy is the key's hex.
    ///
    /// # Errors
    /// If the store cannot be read: the same for everyone who asks then.
    pub fn find_by_key(&self, kind: &Kind, key: &[u8]) -> Result<Credential, StoreError> {
        let Ok(key) = <[u8; PublicKey::LEN]>::try_from(key) else {
            // Nobody has such a key. Its hex may be long: no more of it than an authid can have.
            let key = key.get(..128).unwrap_or(key);
            return self.find(kind, &hex::encode(key).into());
        };
        self.answer(Question {
            kind: kind.clone(),
            whose: Whose::PublicKey(key),
        })
    }

    /// What the realm's cookies are called.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.0.cookie_name
    }

    /// What a cookie is good for now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn cookie(&self, hash: &CookieHash, now: SystemTime) -> Result<CookieLook, StoreError> {
        let ring = &*self.0;
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
        let ring = Arc::clone(&self.0);
        spawn_blocking(move || change(&ring))
            .await
            .map_err(stopped)?
    }

    /// Does the same for authids with and without a credential: one look into the cache; on a miss
    /// one query and one decoy, made whether it is needed or not. Two differences are left, which
    /// each authid shows once until the store changes or the cache forgets: a row that exists must
    /// be read (1.3 µs), and an answer may be known because somebody has asked before (4 µs, 15 µs
    /// for an Ed25519 key).
    fn answer(&self, question: Question) -> Result<Credential, StoreError> {
        let ring = &*self.0;
        let stamp = ring.store.stamp()?;
        let known = ring.answers.lock().find(stamp, &question);
        let credential = |record| Credential {
            record,
            ring: Arc::clone(&self.0),
        };
        if let Some(record) = known {
            return Ok(credential(record));
        }
        let record = Arc::new(ring.record(stamp, &question)?);
        let kept = Arc::clone(&record);
        ring.answers.lock().insert(stamp, question, kept);
        Ok(credential(record))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("realm", &self.0.realm)
            .finish_non_exhaustive()
    }
}

impl Ring {
    fn record(
        &self,
        stamp: Stamp,
        Question { kind, whose }: &Question,
    ) -> Result<Record, StoreError> {
        let (found, asked) = match whose {
            Whose::Authid(authid) => (self.store.find(&self.realm, kind, authid), authid.clone()),
            Whose::PublicKey(key) => (
                self.store.find_by_key(&self.realm, kind, key),
                hex::encode(key).into(),
            ),
        };
        let template = self.template(stamp, kind)?;
        let decoy = self.decoys.make(kind, &asked, &template);
        Ok(self.usable(found)?.unwrap_or(decoy))
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
/// the kind of credential, not on whose it is. Cheap to make and to clone.
#[derive(Clone)]
pub struct Credential {
    record: Arc<Record>,
    ring: Arc<Ring>,
}

impl Credential {
    /// Whom it belongs to.
    #[must_use]
    pub fn authid(&self) -> &Authid {
        &self.record.authid
    }

    /// The role that the authid has.
    #[must_use]
    pub fn authrole(&self) -> &Authrole {
        &self.record.authrole
    }

    /// What a client may need in order to answer: the text of a JSON object.
    #[must_use]
    pub fn parameters(&self) -> &str {
        self.record.parameters.as_str()
    }

    /// Whether this is the password. False at once for a credential without one. A check that waits
    /// is abandoned when the future is dropped. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the password was not checked; the login must then fail as one that cannot be served now.
    pub async fn verify_password(&self, candidate: Zeroizing<String>) -> Result<bool, VerifyError> {
        let Material::Password(hash) = &self.record.material else {
            return Ok(false);
        };
        self.ring.passwords.verify(hash.clone(), candidate).await
    }

    /// Whether `tag` is the HMAC of a message under the credential's key, compared in constant time.
    /// False at once for a credential without a key.
    #[must_use]
    pub fn verify_hmac(&self, hash: Hash, message: &[u8], tag: &[u8]) -> bool {
        let Material::Key(key) = &self.record.material else {
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
        } = &*self.record;
        match material {
            Material::Key(key) => key.hmac(hash, message),
            _ => self
                .ring
                .decoys
                .unknown_key(kind, authid)
                .hmac(hash, message),
        }
    }

    /// The public keys that prove the authid. None for a credential that has something else.
    #[must_use]
    pub fn public_keys(&self) -> &[PublicKey] {
        match &self.record.material {
            Material::PublicKeys(keys) => keys,
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
        self.once(move |Self { record, ring }| ring.store.advance(&ring.realm, record, counter))
            .await
    }

    /// Whether a text is one of the credential's recovery codes, which it then is no more. True for
    /// one caller at most, for each code. Never for a decoy, which costs the same. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the store cannot be read or written; the login must then fail.
    pub async fn redeem(&self, code: &str) -> Result<bool, StoreError> {
        let (Some(code), Material::Key(key)) = (RecoveryCode::parse(code), &self.record.material)
        else {
            return Ok(false);
        };
        let hash = code.hash(key);
        self.once(move |Self { record, ring }| ring.store.redeem(&ring.realm, record, &hash))
            .await
    }

    /// Changes the store on a thread that may wait for a disk.
    async fn once(
        &self,
        change: impl FnOnce(&Self) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        let credential = self.clone();
        let changed = spawn_blocking(move || change(&credential))
            .await
            .map_err(stopped)??;
        // A store says so by itself. A decoy that passed would be worse than one check too many.
        Ok(changed && self.version().is_some())
    }

    /// The credential with its version, as a cookie goes back to it. None for a decoy.
    #[must_use]
    pub fn present(&self) -> Option<CredentialVersion> {
        Some(CredentialVersion {
            kind: self.record.kind.clone(),
            authid: self.record.authid.clone(),
            version: self.version()?,
        })
    }

    /// Which credential it is, none for a decoy: for the operator's log, and for ending sessions
    /// whose credential has changed. A method must not learn it.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        Some(self.record.version).filter(|version| *version != 0)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("realm", &self.ring.realm)
            .field("kind", &self.record.kind)
            .field("authid", &self.record.authid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
