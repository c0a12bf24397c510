use std::{collections::HashMap, fmt, sync::Arc};

use tokio::sync::watch;

use super::Cookies;
use crate::{
    config::Authenticates,
    config::CookieTerms,
    credential::Keyring,
    key_set::KeySets,
    login::{Policy, StepName},
    method::{Bulkhead, Method},
    router::{self, Permissions, Router},
};

/// One immutable, complete configuration of a realm.
pub struct Generation {
    /// Counts a realm's generations, from 1 on.
    pub number: u64,
    pub policy: Arc<Policy>,
    /// One for each step that the policy names.
    pub methods: HashMap<StepName, Arc<Method>>,
    pub key_sets: KeySets,
    /// What its logins may take of the router.
    pub bulkhead: Arc<Bulkhead>,
    pub permissions: Arc<Permissions>,
    /// What browsers get that ask to be remembered. None: nobody is.
    pub cookie: Option<CookieTerms>,
    pub keyring: Keyring,
    pub(super) authenticates: Vec<Authenticates>,
}

/// A realm: its present generation, and its router, which outlives generations.
pub struct Realm {
    pub name: Arc<str>,
    pub router: Router,
    pub cookies: Cookies,
    generation: watch::Sender<Arc<Generation>>,
    closing: watch::Sender<Option<&'static str>>,
}

impl Generation {
    /// Whether clients of another realm may be authenticated by a procedure of this one.
    pub(super) fn authenticates(&self, realm: &str, procedure: &str) -> bool {
        let mut agreed = self.authenticates.iter();
        agreed.any(|authenticates| authenticates.allows(realm, procedure))
    }
}

impl Realm {
    pub(super) fn new(name: Arc<str>, generation: Generation) -> Self {
        let permissions = Arc::clone(&generation.permissions);
        Self {
            name,
            cookies: Cookies::default(),
            router: Router::new(permissions, router::Limits::default(), random),
            generation: watch::Sender::new(Arc::new(generation)),
            closing: watch::Sender::new(None),
        }
    }

    /// The generation that a login which begins now goes through.
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.generation.borrow())
    }

    /// Tells of every generation that is put in place from now on.
    pub fn generations(&self) -> watch::Receiver<Arc<Generation>> {
        self.generation.subscribe()
    }

    pub(super) fn put_in_place(&self, generation: Generation) {
        self.router
            .set_permissions(Arc::clone(&generation.permissions));
        self.generation.send_replace(Arc::new(generation));
    }

    /// Tells when the realm's sessions must end, and with what reason.
    pub fn closing(&self) -> watch::Receiver<Option<&'static str>> {
        self.closing.subscribe()
    }

    /// Ends all sessions of the realm, with a reason for GOODBYE.
    pub fn close(&self, reason: &'static str) {
        self.closing.send_replace(Some(reason));
    }
}

/// For publication ids and the choice among callees; nothing secret depends on it.
fn random() -> u64 {
    // Without the system's randomness there is no nonce either, and so no session that could ask.
    getrandom::u64().unwrap_or_default()
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("policy", &self.policy)
            .field("methods", &self.methods)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm")
            .field("name", &self.name)
            .field("generation", &*self.generation.borrow())
            .finish_non_exhaustive()
    }
}
