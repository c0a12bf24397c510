//! What a method works with.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{Answer, Ring, Withheld, stopped};
use crate::credential::scram::{self, Dialect};
use crate::credential::{
    Authid, Authrole, CredentialVersion, EnrolledKey, EnrolmentCode, Hash, Kind, Material,
    NotEnrolled, PublicKey, Record, RecoveryCode, StoreError, VerifyError,
};

/// One credential of one authid, real or a decoy, and what a method may do with it.
///
/// What a method can call behaves alike for both. Which of its operations are of use depends on
/// the kind of credential, not on whose it is. One that is withheld shows what it always shows, and
/// works as a decoy does. Cheap to make and to clone.
#[derive(Clone)]
pub struct Credential {
    pub(super) answer: Arc<Answer>,
    pub(super) withheld: Option<Withheld>,
    pub(super) ring: Arc<Ring>,
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

    pub(super) fn used(&self) -> &Record {
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
        let Ring {
            passwords, realm, ..
        } = &*self.ring;
        passwords.verify(realm, hash.clone(), candidate).await
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
