use std::sync::Arc;

use parking_lot::Mutex;

use super::Spent;
use crate::credential::{Credential, CredentialVersion, FamilyId, Remembered};

/// More credentials than a login's methods look up.
const MOST: usize = 64;

/// What the methods of one login were shown by the host. A method says who a client is; what it went
/// by, the host has seen itself.
#[derive(Debug, Default)]
pub struct Evidence(Mutex<Seen>);

/// The evidence as it is now.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The credentials that were looked up, without decoys.
    pub credentials: Vec<CredentialVersion>,
    /// The cookie that a method was told of.
    pub cookie: Option<Remembered>,
    /// A cookie of this family came back after it was replaced.
    pub replayed: Option<FamilyId>,
    /// There were too many wrong answers, so no credential fitted anything.
    pub locked: bool,
    /// What the calls have used that have ended.
    pub spent: Spent,
}

impl Evidence {
    pub fn seen(&self) -> Seen {
        self.0.lock().clone()
    }

    /// Whose credential was looked up first: an authid that somebody has.
    pub fn known(&self) -> Option<Arc<str>> {
        let seen = self.0.lock();
        let first = seen.credentials.first();
        first.map(|it| it.authid.as_str().into())
    }

    pub(super) fn credential(&self, credential: &Credential) {
        let Some(present) = credential.present() else {
            return;
        };
        let credentials = &mut self.0.lock().credentials;
        if credentials.len() < MOST && !credentials.contains(&present) {
            credentials.push(present);
        }
    }

    /// A credential that the login itself has changed: it was there as it was before, or not at all.
    pub(super) fn renewed(&self, credential: &Credential) {
        let Some(present) = credential.present() else {
            return;
        };
        self.0
            .lock()
            .credentials
            .retain(|known| (&known.kind, &known.authid) != (&present.kind, &present.authid));
        self.credential(credential);
    }

    pub(super) fn cookie(&self, remembered: Remembered) {
        self.0.lock().cookie = Some(remembered);
    }

    pub(super) fn locked(&self) {
        self.0.lock().locked = true;
    }

    pub(super) fn spent(&self, spent: &Spent) {
        self.0.lock().spent.add(spent);
    }

    pub(super) fn replayed(&self, family: FamilyId) {
        self.0.lock().replayed = Some(family);
    }
}
