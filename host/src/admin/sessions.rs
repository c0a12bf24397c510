//! What is asked and answered about sessions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Which sessions are meant: those for which all holds that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionQuery {
    /// None: in any realm.
    pub realm: Option<String>,
    pub session: Option<u64>,
    pub authid: Option<String>,
    pub authrole: Option<String>,
    /// A step that the login has passed.
    pub method: Option<String>,
    /// A digest, or the first 12 or more of its hex digits.
    pub revision: Option<String>,
}

/// Sessions that are to end, and what their clients are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eviction {
    pub of: SessionQuery,
    /// GOODBYE's reason, a URI. None: `wamp.close.killed`.
    pub reason: Option<String>,
    pub message: Option<String>,
}

/// A session that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionReport {
    pub realm: String,
    pub session: u64,
    pub authid: String,
    pub authrole: String,
    /// The steps of its login, each with the digest of the revision that it was passed by.
    pub passed: Vec<(String, String)>,
    /// The number of the generation that let it in.
    pub generation: u64,
    /// Unix ms.
    pub since: u64,
    /// When it ends by itself, in Unix ms.
    pub expires: Option<u64>,
    pub peer: String,
}

pub(super) fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl SessionReport {
    /// Since when it is there.
    pub fn since(&self) -> SystemTime {
        from_unix_ms(self.since)
    }

    /// When it ends by itself.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires.map(from_unix_ms)
    }
}

fn from_unix_ms(ms: u64) -> SystemTime {
    let since = Duration::from_millis(ms);
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}
