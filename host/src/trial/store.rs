//! The credentials of a table, in a store of their own that is gone after the trial.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use thiserror::Error;

use crate::{
    config::{CredentialState, TestCredential, TestHash, TestKdf, TestPasskey, TestSecret},
    credential::{
        Authid, Bounds, CodeHash, EnrolError, EnrolledKey, EnrolledKeyError, Enrolment,
        EnrolmentCode, Existing, Guesser, Hash, Invitation, Kind, PasswordQueue, Realm,
        RecoveryCode, Sqlite, Store, StoreError, Validity, Vault, enrol, scram::Kdf,
    },
};

/// Why a table's credential cannot be kept. It is for who wrote the table.
#[derive(Debug, Error)]
pub enum CredentialError {
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    #[error(transparent)]
    Seed(#[from] enrol::SeedError),
    #[error(
        "{0:?} is no recovery code: write 16 letters and digits, such as \"aaaa-bbbb-cccc-dddd\""
    )]
    RecoveryCode(String),
    #[error(
        "{0:?} is no enrolment code: write 16 letters and digits, such as \"aaaa-bbbb-cccc-dddd\""
    )]
    EnrolmentCode(String),
    #[error("a passkey: {0}")]
    Passkey(#[from] EnrolledKeyError),
    #[error("the passkeys cannot be kept: {0}")]
    NotEnrolled(#[from] crate::credential::NotEnrolled),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store, until it is dropped.
pub(super) struct Credentials {
    pub(super) vault: Vault,
    _files: TempDir,
}

/// One wrong answer locks for ever.
const LOCKING: Bounds = Bounds {
    most: 1,
    lock: Duration::from_mins(1),
    longest: Duration::from_mins(1),
    total: 1,
};

/// What makes a code that nobody shows: passkeys are kept by one.
const CODE: &str = "aaaa-aaaa-aaaa-aaaa";

impl Credentials {
    pub(super) fn new(
        realm: &str,
        credentials: &[TestCredential],
    ) -> Result<Self, (String, CredentialError)> {
        let store_of = |files: &TempDir| Sqlite::open(files.path().join("credentials.db"));
        let failed = |error: StoreError| (String::new(), CredentialError::Store(error));
        let files = tempfile::tempdir().map_err(|source| {
            failed(StoreError::Failed {
                place: "a temporary directory".into(),
                doing: "make it",
                source: Box::new(source),
            })
        })?;
        let store = Arc::new(store_of(&files).map_err(failed)?);
        for credential in credentials {
            keep(&*store, &realm.into(), credential)
                .map_err(|error| (credential.authid.clone(), error))?;
        }
        let vault = Vault::open(store, PasswordQueue::default()).map_err(failed)?;
        Ok(Self {
            vault,
            _files: files,
        })
    }
}

fn keep(store: &dyn Store, realm: &Realm, known: &TestCredential) -> Result<(), CredentialError> {
    let authid = Authid::from(known.authid.as_str());
    let role = known.role.as_str().into();
    let kind = match &known.secret {
        TestSecret::Webauthn {
            passkeys,
            enrolment_code,
        } => {
            let kind = Kind::webauthn();
            for passkey in passkeys {
                let code = invite(store, realm, &kind, known, CODE)?;
                let key = key(passkey)?;
                store.enrol(realm, &kind, &authid, &code, &key, SystemTime::now())??;
            }
            if let Some(code) = enrolment_code {
                invite(store, realm, &kind, known, code)?;
            }
            kind
        }
        secret => {
            let enrolment = enrolment(secret)?;
            store.add(realm, &authid, &role, &enrolment, Existing::Refuse)?;
            enrolment.kind
        }
    };
    let validity = match known.state {
        CredentialState::Usable => return Ok(()),
        CredentialState::Disabled => Validity {
            disabled: true,
            expires: None,
        },
        CredentialState::Expired => Validity {
            disabled: false,
            expires: Some(UNIX_EPOCH + Duration::from_secs(1)),
        },
        CredentialState::Locked => {
            let guesser = Guesser {
                realm: realm.clone(),
                kind,
                authid,
                known: None,
            };
            store.count_wrong(&guesser, &LOCKING, SystemTime::now())?;
            return Ok(());
        }
    };
    store.set_validity(realm, &kind, &authid, validity)?;
    Ok(())
}

fn invite(
    store: &dyn Store,
    realm: &Realm,
    kind: &Kind,
    known: &TestCredential,
    code: &str,
) -> Result<CodeHash, CredentialError> {
    let authid = Authid::from(known.authid.as_str());
    let parsed = EnrolmentCode::parse(code);
    let parsed = parsed.ok_or_else(|| CredentialError::EnrolmentCode(code.to_owned()))?;
    let hash = parsed.hash(realm, kind, &authid);
    let invitation = Invitation {
        authrole: known.role.as_str().into(),
        code: hash,
        expires: SystemTime::now() + Duration::from_hours(24),
    };
    store.invite(realm, kind, &authid, &invitation)?;
    Ok(hash)
}

fn key(passkey: &TestPasskey) -> Result<EnrolledKey, EnrolledKeyError> {
    EnrolledKey::new(
        &passkey.id,
        &passkey.public_key,
        passkey.counter,
        &passkey.about.to_json(),
    )
}

fn enrolment(secret: &TestSecret) -> Result<Enrolment, CredentialError> {
    Ok(match secret {
        TestSecret::Ticket { secret } => enrol::ticket(secret)?,
        TestSecret::Wampcra { secret, salt } => {
            let derivation = match salt.clone() {
                None => enrol::Derivation::Plain,
                Some((salt, iterations, keylen)) => enrol::Derivation::Salted {
                    salt,
                    iterations,
                    keylen,
                },
            };
            enrol::wampcra(secret, &derivation)?
        }
        TestSecret::Cryptosign { public_keys } => enrol::cryptosign(public_keys)?,
        TestSecret::Totp {
            seed,
            algorithm,
            digits,
            period,
            recovery_codes,
        } => {
            let totp = enrol::Totp {
                algorithm: match algorithm {
                    TestHash::Sha1 => Hash::Sha1,
                    TestHash::Sha256 => Hash::Sha256,
                    TestHash::Sha512 => Hash::Sha512,
                },
                digits: *digits,
                period: *period,
            };
            let codes = recovery_codes.iter().map(|code| {
                RecoveryCode::parse(code).ok_or_else(|| CredentialError::RecoveryCode(code.clone()))
            });
            let codes = codes.collect::<Result<Vec<_>, _>>()?;
            enrol::totp(&enrol::Seed::parse(seed)?, &totp, &codes)?
        }
        TestSecret::Scram { secret, kdf, salt } => {
            let kdf = match *kdf {
                TestKdf::Pbkdf2 { iterations } => Kdf::Pbkdf2 { iterations },
                TestKdf::Argon2id13 { iterations, memory } => {
                    Kdf::Argon2id13 { iterations, memory }
                }
            };
            enrol::scram_with_salt(secret, kdf, salt)?
        }
        // Kept otherwise: see `keep`. A credential without a passkey there is not.
        TestSecret::Webauthn { .. } => return Err(EnrolError::Empty.into()),
    })
}
