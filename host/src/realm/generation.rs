use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::{Mutex, RwLock};
use tokio::sync::SetOnce;

use super::{
    Cookies, Ledger,
    revisions::{Aside, Held, Revisions},
    roll::Roll,
};
use crate::{
    config::Authenticates,
    config::CookieTerms,
    credential::Keyring,
    key_set::KeySets,
    login::{Policy, StepName},
    method::{Bulkhead, Method},
    observe::LoginTally,
    router::{self, Permissions, Router},
};

/// One immutable, complete configuration of a realm.
#[derive(Clone)]
pub struct Generation {
    /// Counts a realm's generations, from 1 on.
    pub number: u64,
    pub policy: Arc<Policy>,
    /// One for each step that the policy names.
    pub methods: HashMap<StepName, Arc<Method>>,
    /// Staged revisions that some logins meet.
    pub aside: HashMap<StepName, Aside>,
    pub key_sets: KeySets,
    /// What its logins may take of the router.
    pub bulkhead: Arc<Bulkhead>,
    pub permissions: Arc<Permissions>,
    /// What browsers get that ask to be remembered. None: nobody is.
    pub cookie: Option<CookieTerms>,
    pub keyring: Keyring,
    pub(super) authenticates: Vec<Authenticates>,
}

/// A generation that was made from files.
pub(super) struct Made {
    pub(super) generation: Generation,
    /// What the files hold of steps that were rolled back.
    pub(super) instead_of: HashMap<StepName, Held>,
    /// Where it is written down what operators decide.
    pub(super) ledger: Arc<Ledger>,
}

impl From<Generation> for Made {
    fn from(generation: Generation) -> Self {
        Self {
            generation,
            instead_of: HashMap::new(),
            ledger: Arc::default(),
        }
    }
}

/// A realm: its present generation, and its router, which outlives generations.
pub struct Realm {
    pub name: Arc<str>,
    pub router: Router,
    pub cookies: Cookies,
    pub logins: LoginTally,
    /// Whoever puts a generation in place holds it.
    pub(super) held: Mutex<Revisions>,
    pub(super) roll: Roll,
    generation: RwLock<Arc<Generation>>,
    closing: SetOnce<&'static str>,
}

impl Generation {
    /// Whether clients of another realm may be authenticated by a procedure of this one.
    pub(super) fn authenticates(&self, realm: &str, procedure: &str) -> bool {
        let mut agreed = self.authenticates.iter();
        agreed.any(|authenticates| authenticates.allows(realm, procedure))
    }
}

impl Realm {
    pub(super) fn new(name: Arc<str>, made: Made) -> Self {
        let Made {
            mut generation,
            instead_of,
            ledger,
        } = made;
        generation.number = 1;
        let mut held = Revisions::heeding(ledger);
        held.settle(&generation, instead_of);
        let permissions = Arc::clone(&generation.permissions);
        Self {
            name,
            cookies: Cookies::default(),
            logins: LoginTally::default(),
            held: Mutex::new(held),
            roll: Roll::default(),
            router: Router::new(permissions, router::Limits::default(), random),
            generation: RwLock::new(Arc::new(generation)),
            closing: SetOnce::new(),
        }
    }

    /// The generation that a login which begins now goes through.
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.generation.read())
    }

    /// How often operators have changed which revisions are asked.
    pub(super) fn changes(&self) -> u64 {
        self.held.lock().changes
    }

    /// False, and nothing is done, if an operator has changed anything since `changes`, when the
    /// generation was begun to be made.
    pub(super) fn put_in_place(&self, made: Made, changes: u64) -> bool {
        let mut held = self.held.lock();
        if held.changes != changes {
            return false;
        }
        let Made {
            mut generation,
            instead_of,
            ..
        } = made;
        held.settle(&generation, instead_of);
        generation.number = self.generation().number + 1;
        self.router
            .set_permissions(Arc::clone(&generation.permissions));
        self.welcome(&generation);
        *self.generation.write() = Arc::new(generation);
        drop(held);
        // After that: whoever comes in meanwhile is judged by it or found by this.
        self.end_roleless();
        true
    }

    /// Puts a changed copy of the present generation in place.
    pub(super) fn replace(
        &self,
        held: &mut Revisions,
        change: impl FnOnce(&mut Generation, &mut Revisions),
    ) {
        let mut generation = Generation::clone(&self.generation());
        change(&mut generation, held);
        generation.number += 1;
        self.welcome(&generation);
        let generation = Arc::new(generation);
        *self.generation.write() = Arc::clone(&generation);
        self.announce(&generation);
    }

    /// The revisions of a generation let people in, unless they were withdrawn.
    fn welcome(&self, generation: &Generation) {
        let methods = generation.methods.values();
        let asked = methods.filter(|method| !method.tenure.is_withdrawn());
        self.roll
            .welcome(asked.map(|method| method.revision.digest));
    }

    pub(super) fn announce(&self, generation: &Generation) {
        let mut methods: Vec<_> = generation
            .methods
            .iter()
            .map(|(step, method)| format!("{step}@{}", method.revision.digest.short()))
            .collect();
        methods.sort();
        let methods = methods.join(" ");
        tracing::info!(
            realm = %self.name, generation = generation.number, %methods,
            "the realm is in place"
        );
    }

    /// Waits until the realm's sessions must end, and says with what reason.
    pub async fn closed(&self) -> &'static str {
        self.closing.wait().await
    }

    /// Ends all sessions of the realm, with a reason for GOODBYE. The first one holds.
    pub fn close(&self, reason: &'static str) {
        _ = self.closing.set(reason);
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
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
