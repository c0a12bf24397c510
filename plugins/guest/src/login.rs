//! Constructors and accessors for the contract's records.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Answer, Attempt, Challenge, Identity, Verdict};

impl Attempt {
    /// What the client sent along for its methods, as a type of your choice: a struct with the
    /// fields that you work with, or a [`serde_json::Map`]. Fields that others put there are passed
    /// over.
    ///
    /// # Errors
    ///
    /// When it does not fit the type. The client wrote it, so that is a reason to deny.
    pub fn authextra<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(&self.authextra).map_err(|error| format!("authextra: {error}"))
    }
}

/// An attempt about nothing, for native tests:
/// `Attempt { authid: Some("alice".into()), ..Attempt::default() }`.
impl Default for Attempt {
    fn default() -> Self {
        Self {
            realm: String::new(),
            session: 0,
            authmethod: String::new(),
            authid: None,
            authextra: "{}".into(),
            settings: "{}".into(),
            nonce: vec![0; 32],
            now: 0,
            proven: Vec::new(),
        }
    }
}

/// An answer that says nothing, for native tests.
impl Default for Answer {
    fn default() -> Self {
        Self {
            signature: String::new(),
            extra: "{}".into(),
            nonce: vec![0; 32],
            state: Vec::new(),
        }
    }
}

impl Challenge {
    /// A challenge that sends `extra` to the client: anything that serde makes a JSON object of.
    ///
    /// # Errors
    ///
    /// When `extra` cannot be written as JSON.
    pub fn new(extra: &impl Serialize) -> Result<Self, String> {
        let extra = serde_json::to_string(extra).map_err(|error| format!("challenge: {error}"))?;
        Ok(Self {
            extra,
            state: Vec::new(),
        })
    }

    /// Keeps what [`Method::resume`](crate::Method::resume) will need in the host: at most 4 KiB.
    #[must_use]
    pub fn with_state(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.state = state.into();
        self
    }
}

/// A challenge that says nothing: the method's name is all that the client needs.
impl Default for Challenge {
    fn default() -> Self {
        Self {
            extra: "{}".into(),
            state: Vec::new(),
        }
    }
}

impl Identity {
    /// Who the client is found to be, and the role that this gives: one of the realm's.
    #[must_use]
    pub fn new(authid: impl Into<String>, authrole: impl Into<String>) -> Self {
        Self {
            authid: authid.into(),
            authrole: authrole.into(),
            authprovider: None,
            authextra: "{}".into(),
            expires_at: None,
        }
    }

    /// Says where the identity comes from, if not from the host's credentials.
    #[must_use]
    pub fn from_provider(mut self, authprovider: impl Into<String>) -> Self {
        self.authprovider = Some(authprovider.into());
        self
    }

    /// Ends the session at this time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn expiring_at(mut self, now: u64) -> Self {
        self.expires_at = Some(now);
        self
    }
}

impl Verdict {
    /// The step is passed, by this authid and with this role.
    #[must_use]
    pub fn accept(authid: impl Into<String>, authrole: impl Into<String>) -> Self {
        Identity::new(authid, authrole).into()
    }

    /// The step is failed. The reason is for the operator's log; no secret belongs into it.
    #[must_use]
    pub fn deny(reason: impl Into<String>) -> Self {
        Self::Deny(reason.into())
    }
}

impl From<Challenge> for Verdict {
    fn from(challenge: Challenge) -> Self {
        Self::Challenge(challenge)
    }
}

impl From<Identity> for Verdict {
    fn from(identity: Identity) -> Self {
        Self::Accept(identity)
    }
}
