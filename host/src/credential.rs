//! Credentials: what the host keeps for an authid, and what a method may do with it.
//!
//! ```text
//! enrol ──Enrolment──▶ Store (Sqlite) ──Record──▶ Vault ▶ Keyring ──Credential──▶ a method's handle
//! ```
//!
//! A [`Store`] keeps records and knows nothing else. The [`Vault`] stands before it while logins
//! run: one [`Keyring`] for each realm answers every question with a [`Credential`], a real one or
//! a decoy, and its methods are all that a WebAssembly guest can reach. No secret leaves this room.
//!
//! A decoy is an ordinary record whose secret nobody knows. It is made from the vault's decoy key
//! and from the question, so it is the same each time; it takes its shape from the oldest
//! credential of its kind in the realm, so it looks like its neighbours. Real and made-up answers
//! are built by the same steps, kept in the same bounded cache and used by the same code.

mod cache;
mod cookie;
mod decoy;
pub mod enrol;
mod enrolled;
mod guesses;
mod material;
mod parameters;
mod password;
mod queue;
mod recovery;
pub mod scram;
mod sqlite;
mod standing;
mod store;
mod unspending;
mod vault;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub use cookie::{
    CookieHash, CookieLook, CookieValue, CredentialVersion, FamilyId, NewCookie, Remembered,
    StoredCookie,
};
pub use enrol::{EnrolError, Enrolment};
pub use enrolled::{EnrolledKey, EnrolledKeyError, EnrolmentCode, NotEnrolled};
pub use guesses::{Bounds, Guess, GuessSource, Guesser, Lock, Tally};
pub use material::{Hash, Key, Material, PublicKey, PublicKeyError};
pub use parameters::{Parameters, ParametersError};
pub use password::{Argon2Error, PasswordHash, PasswordHashError};
pub use queue::{PasswordQueue, QueueBounds, QueueLoad, VerifyError};
pub use recovery::{CodeHash, RecoveryCode};
pub use scram::ScramKeys;
pub use sqlite::Sqlite;
pub use standing::{Ended, Standing};
pub use store::{DecoyKey, Entry, Existing, Invitation, Note, Present, Stamp, Store, StoreError};
pub use vault::{Credential, Keyring, Vault, Withheld};

/// Names that are only text here: what is a valid one is decided where the text comes from.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The realm that a credential belongs to.
    Realm
}

name! {
    /// Whom a credential belongs to, in canonical form.
    Authid
}

name! {
    /// The role that an authid has.
    Authrole
}

name! {
    /// What a credential is for, named after the method that reads it. Open-ended, since anyone can
    /// write a method; those that the host itself can enrol are [`Kind::ticket`],
    /// [`Kind::wampcra`], [`Kind::cryptosign`], [`Kind::totp`], [`Kind::scram`] and
    /// [`Kind::webauthn`].
    Kind
}

impl Kind {
    /// A password.
    #[must_use]
    pub fn ticket() -> Self {
        Self::from("ticket")
    }

    /// A secret shared with the client, or a key derived from it.
    #[must_use]
    pub fn wampcra() -> Self {
        Self::from("wampcra")
    }

    /// Ed25519 public keys.
    #[must_use]
    pub fn cryptosign() -> Self {
        Self::from("cryptosign")
    }

    /// The seed of time-based one-time passwords.
    #[must_use]
    pub fn totp() -> Self {
        Self::from("totp")
    }

    /// What SCRAM keeps of a password.
    #[must_use]
    pub fn scram() -> Self {
        Self::from("scram")
    }

    /// Passkeys.
    #[must_use]
    pub fn webauthn() -> Self {
        Self::from("webauthn")
    }
}

/// One credential of one authid, as a store keeps it.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it is for.
    pub kind: Kind,
    /// Whom it belongs to.
    pub authid: Authid,
    /// The role that they have.
    pub authrole: Authrole,
    /// What a client may learn.
    pub parameters: Parameters,
    /// What it may not.
    pub material: Material,
    /// Rises with every change anywhere in the store, and is never used twice: the same version is
    /// the same credential. 0 for a decoy.
    pub version: u64,
    /// Whether it may be used.
    pub validity: Validity,
}

impl Record {
    /// What there is of it now. None for a decoy.
    pub(crate) fn present(&self) -> Option<Present> {
        (self.version > 0).then_some(Present {
            version: self.version,
            validity: self.validity,
        })
    }
}

/// Whether a credential may be used: always, unless an operator has said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    pub disabled: bool,
    /// From then on it may not.
    pub expires: Option<SystemTime>,
}
