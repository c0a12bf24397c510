use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
};

use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;

use super::{Realm, Reloads};
use crate::observe::LoginTally;

/// The realms that this router has now, by name.
#[derive(Debug, Default)]
pub struct Realms {
    by_name: RwLock<HashMap<Arc<str>, Arc<Realm>>>,
    closed: CancellationToken,
    /// Logins that came to no realm.
    pub nowhere: LoginTally,
    pub reloads: Reloads,
    /// Changes of credentials that were noticed.
    pub credential_changes: AtomicU64,
}

impl Realms {
    pub fn find(&self, name: &str) -> Option<Arc<Realm>> {
        self.by_name.read().get(name).cloned()
    }

    pub fn all(&self) -> Vec<Arc<Realm>> {
        self.by_name.read().values().cloned().collect()
    }

    pub(super) fn insert(&self, realm: Realm) -> Arc<Realm> {
        let realm = Arc::new(realm);
        self.by_name
            .write()
            .insert(Arc::clone(&realm.name), Arc::clone(&realm));
        realm
    }

    pub(super) fn remove(&self, name: &str) -> Option<Arc<Realm>> {
        self.by_name.write().remove(name)
    }

    /// Tells when nobody can log in any more.
    pub const fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// Lets nobody in any more, and ends all sessions.
    pub fn close(&self, reason: &'static str) {
        self.closed.cancel();
        for realm in self.all() {
            realm.close(reason);
        }
    }
}
