//! `[[credential]]`: what is kept for an authid.

use std::fmt;

use super::{
    super::{
        document::{Reported, Table, all, values},
        name::RoleName,
        scalar::Word,
        settings::Settings,
    },
    text::{Base64, Count, Text},
};

/// A credential that there is in a trial.
#[derive(Clone, Debug)]
pub struct TestCredential {
    pub authid: String,
    pub role: RoleName,
    pub state: CredentialState,
    pub secret: TestSecret,
}

/// Whether it can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialState {
    #[default]
    Usable,
    Disabled,
    Expired,
    /// There were too many wrong answers.
    Locked,
}

/// What is known of a person, by the kind of the credential. In a table it stands in clear.
#[derive(Clone)]
pub enum TestSecret {
    Ticket {
        secret: String,
    },
    Wampcra {
        secret: String,
        /// With iterations and the key's length. None: the secret is the key.
        salt: Option<(String, u32, u16)>,
    },
    Cryptosign {
        /// In hex.
        public_keys: Vec<String>,
    },
    Totp {
        /// In base32.
        seed: String,
        algorithm: TestHash,
        digits: u8,
        period: u32,
        recovery_codes: Vec<String>,
    },
    Scram {
        secret: String,
        kdf: TestKdf,
        salt: [u8; 16],
    },
    Webauthn {
        passkeys: Vec<TestPasskey>,
        /// One that lets the authid have a passkey kept.
        enrolment_code: Option<String>,
    },
}

/// A hash function, by its usual name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestHash {
    #[default]
    Sha1,
    Sha256,
    Sha512,
}

/// How SCRAM's keys are derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKdf {
    Pbkdf2 { iterations: u32 },
    Argon2id13 { iterations: u32, memory: u32 },
}

/// A key that a client has made.
#[derive(Clone, Debug)]
pub struct TestPasskey {
    pub id: Vec<u8>,
    /// In the form of the method that reads it.
    pub public_key: Vec<u8>,
    pub counter: u64,
    pub about: Settings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ticket,
    Wampcra,
    Cryptosign,
    Totp,
    Scram,
    Webauthn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KdfName {
    Pbkdf2,
    Argon2id13,
}

impl TestCredential {
    pub(super) fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let kind = table.required::<Kind>("kind");
        let authid = table.required::<Text>("authid");
        let role = table.required::<RoleName>("role");
        let state = table.optional::<CredentialState>("state");
        // Without its kind nobody knows what belongs into it; then that is all that is told.
        let secret = match kind {
            Ok(kind) => TestSecret::take(kind.value, &mut table),
            Err(reported) => {
                table.forgive();
                Err(reported)
            }
        };
        Ok(Self {
            authid: authid?.value.0,
            role: role?.value,
            state: state?.map(|found| found.value).unwrap_or_default(),
            secret: secret?,
        })
    }
}

impl TestSecret {
    fn take(kind: Kind, table: &mut Table<'_>) -> Result<Self, Reported> {
        match kind {
            Kind::Ticket => Ok(Self::Ticket {
                secret: table.required::<Text>("secret")?.value.0,
            }),
            Kind::Wampcra => {
                let secret = table.required::<Text>("secret");
                let salt = table.optional::<Text>("salt");
                let iterations = table.within_or("iterations", 1000, 1..=1_000_000);
                let keylen = table.within_or("keylen", 32, 16..=64);
                let keylen = u16::try_from(keylen).unwrap_or(u16::MAX);
                Ok(Self::Wampcra {
                    secret: secret?.value.0,
                    salt: salt?.map(|salt| (salt.value.0, iterations, keylen)),
                })
            }
            Kind::Cryptosign => {
                let keys = table.required_list::<Text>("public_keys")?.value;
                Ok(Self::Cryptosign {
                    public_keys: values(keys).map(|key| key.0).collect(),
                })
            }
            Kind::Totp => {
                let seed = table.required::<Text>("seed");
                let algorithm = table.optional::<TestHash>("algorithm");
                let digits = table.within_or("digits", 6, 6..=8);
                let period = table.within_or("period", 30, 10..=300);
                let codes = table.list::<Text>("recovery_codes");
                Ok(Self::Totp {
                    seed: seed?.value.0,
                    algorithm: algorithm?.map(|found| found.value).unwrap_or_default(),
                    digits: u8::try_from(digits).unwrap_or(u8::MAX),
                    period,
                    recovery_codes: values(codes?.unwrap_or_default())
                        .map(|code| code.0)
                        .collect(),
                })
            }
            Kind::Scram => Self::scram(table),
            Kind::Webauthn => {
                let code = table.optional::<Text>("enrolment_code");
                let passkeys = table.tables("passkey")?.into_iter();
                Ok(Self::Webauthn {
                    passkeys: all(passkeys.map(TestPasskey::take))?,
                    enrolment_code: code?.map(|code| code.value.0),
                })
            }
        }
    }

    fn scram(table: &mut Table<'_>) -> Result<Self, Reported> {
        let secret = table.required::<Text>("secret");
        let kdf = table.optional::<KdfName>("kdf");
        let iterations = table.within_or("iterations", 4096, 1..=10_000_000);
        let memory = table.within_or("memory", 7 << 10, 1..=1 << 20);
        let salt = table.required::<Base64>("salt")?;
        let kdf = match kdf?.map(|found| found.value) {
            None | Some(KdfName::Pbkdf2) => TestKdf::Pbkdf2 { iterations },
            Some(KdfName::Argon2id13) => TestKdf::Argon2id13 { iterations, memory },
        };
        let salt_of_16 = salt.value.0.try_into().map_err(|_| {
            table.problems.report(salt.at, || {
                "\"salt\" has not 16 octets; write such as \"AAECAwQFBgcICQoLDA0ODw==\"".to_owned()
            })
        });
        Ok(Self::Scram {
            secret: secret?.value.0,
            kdf,
            salt: salt_of_16?,
        })
    }
}

impl TestPasskey {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let id = table.required::<Base64>("id");
        let public_key = table.required::<Base64>("public_key");
        let counter = table.optional::<Count>("counter");
        let about = table.opaque("about");
        let about = Settings::read(about, table.problems);
        Ok(Self {
            id: id?.value.0,
            public_key: public_key?.value.0,
            counter: counter?.map_or(0, |found| found.value.0),
            about: about?,
        })
    }
}

impl fmt::Debug for TestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestSecret(_)")
    }
}

impl Word for Kind {
    const FORM: &'static str =
        r#"one of "ticket", "wampcra", "cryptosign", "totp", "scram", "webauthn""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("ticket", Self::Ticket),
        ("wampcra", Self::Wampcra),
        ("cryptosign", Self::Cryptosign),
        ("totp", Self::Totp),
        ("scram", Self::Scram),
        ("webauthn", Self::Webauthn),
    ];
}

impl Word for CredentialState {
    const FORM: &'static str = r#"one of "usable", "disabled", "expired", "locked""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("usable", Self::Usable),
        ("disabled", Self::Disabled),
        ("expired", Self::Expired),
        ("locked", Self::Locked),
    ];
}

impl Word for TestHash {
    const FORM: &'static str = r#"one of "SHA1", "SHA256", "SHA512""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("SHA1", Self::Sha1),
        ("SHA256", Self::Sha256),
        ("SHA512", Self::Sha512),
    ];
}

impl Word for KdfName {
    const FORM: &'static str = r#""pbkdf2" or "argon2id13""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("pbkdf2", Self::Pbkdf2), ("argon2id13", Self::Argon2id13)];
}
