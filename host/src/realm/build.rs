mod error;
mod policy;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use error::{MethodError, RealmError};

use super::{
    ComponentError, Generation, Ledger, Realm, Realms,
    callees::{self, Turns},
    components::{self, Components, Wanted},
    generation::Made,
    ledger::Rollback,
    revisions::{self, Chosen, Held, Terms},
    trials::{self, Table, Trials},
};
use crate::{
    config::{self, Ceilings, Conform},
    credential::{Bounds, Keyring, Vault},
    egress::{Door, Egress},
    key_set::{KeySets, Remotes},
    login::StepName,
    method::{
        Alarm, Bulkhead, Bulkheads, Digest, Grant, Limits, Method, MethodParts, OutcomesOfSteps,
        Probation, Reach, Revision, Runtime, Signers, Stage, Trail,
    },
};

/// Where generations are made.
#[derive(Debug)]
pub struct Workshop {
    runtime: Arc<Runtime>,
    vault: Vault,
    egress: Arc<Egress>,
    remotes: Remotes,
    /// The directory of the components.
    methods: PathBuf,
    components: Components,
    turns: Turns,
    trials: Trials,
    outcomes: OutcomesOfSteps,
    pub(super) bulkheads: Bulkheads,
    pub(super) ceilings: Ceilings,
}

impl Workshop {
    pub fn new(runtime: Arc<Runtime>, vault: Vault, egress: Arc<Egress>, methods: PathBuf) -> Self {
        Self {
            runtime,
            vault,
            remotes: Remotes::new(Arc::<Egress>::clone(&egress)),
            egress,
            methods,
            components: Components::default(),
            turns: Turns::default(),
            trials: Trials::default(),
            outcomes: OutcomesOfSteps::default(),
            bulkheads: Bulkheads::default(),
            ceilings: Ceilings::default(),
        }
    }

    /// Runs components only that one of these has signed, if there are any.
    #[must_use]
    pub fn requiring(mut self, signers: Signers) -> Self {
        self.components.require(signers);
        self
    }

    /// Heeds what operators have decided before.
    #[must_use]
    pub fn heeding(mut self, ledger: Arc<Ledger>) -> Self {
        self.components.ledger = ledger;
        self
    }

    /// The same, where no component goes live that does not stand what every method must.
    #[must_use]
    pub fn requiring_conformance(mut self, required: bool) -> Self {
        self.trials.conform = required;
        self
    }

    /// Lets no realm have more than the operator does.
    #[must_use]
    pub fn under(mut self, ceilings: Ceilings) -> Self {
        self.ceilings = ceilings;
        self
    }

    pub(super) fn component_path(&self, method: &config::MethodConfig) -> PathBuf {
        self.methods.join(method.component.as_str())
    }

    /// All that a method is made from, but for the realm's file.
    pub(super) fn files(&self, realm: &str, method: &config::MethodConfig) -> Vec<PathBuf> {
        let secret = method.authorization.as_ref();
        let secret = secret.map(|secret| self.egress.secret_of(realm, secret));
        let component = self.component_path(method);
        let table = trials::table_of(&component);
        let is_signed = !self.components.signers().is_empty();
        let signature = is_signed.then(|| components::signature_path(&component));
        let others = secret.into_iter().chain(signature);
        [component, table].into_iter().chain(others).collect()
    }

    /// Makes a generation, or tells of every method that stands in the way. `realms` are those
    /// whose callees methods may ask; `present` is the realm, if it is in place already.
    pub(super) async fn build(
        &self,
        realm: &config::Realm,
        realms: &Arc<Realms>,
        present: Option<&Realm>,
    ) -> Result<Made, RealmError> {
        let name: Arc<str> = realm.name.as_str().into();
        let roles = policy::roles(realm);
        let default_role = roles.first().map_or("", |role| &*role.name);
        let keyring = self.vault.keyring((&*name).into(), default_role.into());
        let key_sets = KeySets::open(&name, &realm.key_sets, &self.remotes)?;
        let bulkhead = self.bulkheads.of(&name, realm.limits);
        let mut methods = HashMap::new();
        let mut instead_of = HashMap::new();
        let mut errors = Vec::new();
        let frame = Frame {
            config: realm,
            name: &name,
            keyring: &keyring,
            key_sets: &key_sets,
            bulkhead: &bulkhead,
            realms,
        };
        for (step, method) in &realm.methods {
            let step = StepName::new(step.as_str());
            let path = self.component_path(method);
            let choose = |terms: &Terms, found: &_| {
                let held = present?.held.lock();
                held.choose(terms, found)
            };
            let mut trail = Trail::default();
            let candidate = Candidate {
                path: &path,
                table: None,
            };
            let made = self.method(&frame, &step, method, candidate, choose, &mut trail);
            match made.await {
                Ok((method, other)) => {
                    if let Some(other) = other {
                        instead_of.insert(step.clone(), other);
                    }
                    methods.insert(step, Arc::new(method));
                }
                Err(problem) => errors.push(MethodError {
                    realm: Arc::clone(&name),
                    step,
                    path,
                    problem,
                }),
            }
        }
        if !errors.is_empty() {
            return Err(RealmError::Methods(errors));
        }
        let policy = policy::of(realm, roles, &methods);
        let permissions = policy::permissions(realm);
        let aside = match present {
            Some(present) => aside(present, &methods).await,
            None => HashMap::new(),
        };
        let generation = Generation {
            // It is given one when it is put in place.
            number: 0,
            aside,
            policy: Arc::new(policy),
            methods,
            key_sets,
            bulkhead,
            permissions: Arc::new(permissions),
            cookie: realm.cookie,
            keyring,
            authenticates: realm.authenticates.clone(),
        };
        Ok(Made {
            generation,
            instead_of,
            ledger: Arc::clone(&self.components.ledger),
        })
    }

    /// What does a step, with the component in a file or the revision that is chosen instead; then
    /// the other value is what the file holds.
    pub(super) async fn method(
        &self,
        frame: &Frame<'_>,
        step: &StepName,
        method: &config::MethodConfig,
        Candidate { path, table }: Candidate<'_>,
        choose: impl FnOnce(&Terms, &Arc<Revision>) -> Option<Chosen>,
        trail: &mut Trail,
    ) -> Result<(Method, Option<Held>), ComponentError> {
        let Frame {
            name: realm,
            keyring,
            key_sets,
            bulkhead,
            realms,
            ..
        } = *frame;
        let limits = Limits::from(&method.limits);
        let grant: Grant = method.imports.iter().copied().collect();
        let wanted = Wanted {
            path,
            digest: method.digest.as_ref().map(Digest::from),
            grant,
            limits: &limits,
        };
        let components = &self.components;
        let found = components.revision(wanted, &self.runtime, keyring, trail);
        let ledger = &components.ledger;
        let terms = Terms {
            realm: Arc::clone(realm),
            step: step.clone(),
            probation: probation(method.rollback),
            alarm: alarm(realms),
            outcomes: self.outcomes.of(realm, step),
            withdrawn: ledger.withdrawn(realm, step),
        };
        let found = found.await?;
        let Chosen { held, instead_of } = match choose(&terms, &found) {
            Some(chosen) => chosen,
            None => self.recall(&terms, found, wanted, keyring).await?,
        };
        let revision = held.revision.granted(&self.runtime, grant)?;
        let granted = method.procedures.as_ref();
        let procedures =
            granted.map(|granted| callees::procedures(realm, granted, realms, &self.turns));
        let parts = MethodParts {
            realm: Arc::clone(realm),
            step: step.clone(),
            settings: method.settings.to_json(),
            limits,
            keyring: keyring.clone(),
            reach: Reach {
                procedures: procedures.map(Arc::new),
                door: self.door(realm, method)?,
                key_sets: key_sets.clone(),
            },
            guesses: bounds(&method.guesses),
            counts_first: method.guesses.first_step == config::FirstStep::Counted,
            instances: method.instances,
            bulkhead: Arc::clone(bulkhead),
        };
        let made = Method::new(Arc::clone(&self.runtime), revision, parts).await?;
        let made = usable(frame.config, step, made)?.in_tenure(held.tenure);
        trail.pass(Stage::Check, "");
        // What the operator has chosen instead of the file's has stood it, and the table is the file's.
        if instead_of.is_none() {
            let conform = method.conform == Conform::Required;
            let trials = &self.trials;
            let table = Table::of(path, table);
            let tried = trials.stand(&self.runtime, &made.revision, path, table, conform);
            trail.pass(Stage::Probe, tried.await?.words());
        }
        Ok((made, instead_of))
    }

    /// What a step is asked by of which the router knows nothing yet: what its file holds, unless the
    /// step was rolled back from that before the router started.
    async fn recall(
        &self,
        terms: &Terms,
        found: Arc<Revision>,
        wanted: Wanted<'_>,
        keyring: &Keyring,
    ) -> Result<Chosen, ComponentError> {
        let ledger = &self.components.ledger;
        let rollback = ledger.rollback(&terms.realm, &terms.step);
        let rollback = rollback.filter(|rollback| rollback.from == found.digest);
        let Some((Rollback { from, to }, path)) =
            rollback.and_then(|rollback| Some((rollback, ledger.kept(rollback.to)?)))
        else {
            return Ok(terms.fresh(found).into());
        };
        let wanted = Wanted {
            path: &path,
            digest: Some(to),
            ..wanted
        };
        let mut trail = Trail::default();
        let components = &self.components;
        let earlier = components.revision(wanted, &self.runtime, keyring, &mut trail);
        let earlier = earlier.await.map_err(|why| ComponentError::NotRecalled {
            from: from.short(),
            to: to.short(),
            why: Box::new(why),
        })?;
        let (realm, step) = (&terms.realm, &terms.step);
        let [was, is] = [from, to].map(|it| it.short());
        tracing::warn!(%realm, %step, was, is, "rolled back before this start, and so it stays");
        Ok(Chosen {
            held: terms.fresh(earlier),
            instead_of: Some(terms.fresh(found)),
        })
    }

    /// None where the realm grants no requests.
    fn door(
        &self,
        realm: &Arc<str>,
        method: &config::MethodConfig,
    ) -> Result<Option<Arc<Door>>, ComponentError> {
        if method.origins.is_empty() {
            return Ok(None);
        }
        let authorization = method.authorization.as_ref();
        let door = self.egress.door(realm, &method.origins, authorization)?;
        Ok(Some(Arc::new(door)))
    }
}

/// The files that a method is made from.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// The component.
    pub(super) path: &'a Path,
    /// None: beside it, if there is one.
    pub(super) table: Option<&'a Path>,
}

/// What all methods of a generation have in common.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) config: &'a config::Realm,
    pub(super) name: &'a Arc<str>,
    pub(super) keyring: &'a Keyring,
    pub(super) key_sets: &'a KeySets,
    pub(super) bulkhead: &'a Arc<Bulkhead>,
    pub(super) realms: &'a Arc<Realms>,
}

/// The staged revisions that logins meet go on doing so, if they can with the new settings.
async fn aside(
    present: &Realm,
    methods: &HashMap<StepName, Arc<Method>>,
) -> HashMap<StepName, revisions::Aside> {
    let mut all = HashMap::new();
    let staged = present.held.lock().aside();
    for (step, held, part) in staged {
        let Some(method) = methods.get(&step) else {
            continue;
        };
        if method.revision.digest == held.revision.digest {
            continue;
        }
        match revisions::aside(method, &held, part).await {
            Ok(Some(aside)) => _ = all.insert(step, aside),
            Ok(None) => {}
            Err(error) => tracing::warn!(
                realm = %present.name, %step, revision = held.revision.digest.short(), %error,
                "a staged revision waits: the new generation cannot take it along"
            ),
        }
    }
    all
}

fn probation(terms: config::RollbackTerms) -> Option<Probation> {
    if terms.of == 0 {
        return None;
    }
    Some(Probation {
        faults: terms.faults.into(),
        of: terms.of.into(),
    })
}

/// Has the realm of a revision that fails its first logins ask another one.
fn alarm(realms: &Arc<Realms>) -> Alarm {
    let realms = Arc::downgrade(realms);
    Arc::new(move |tenure| {
        let realm = realms
            .upgrade()
            .and_then(|realms| realms.find(&tenure.realm));
        let Some(realm) = realm else { return };
        let (step, digest) = (tenure.step.clone(), tenure.digest);
        tokio::spawn(async move { realm.fail_probation(&step, digest).await });
    })
}

/// A step that is for the enrolled needs a method that says what they are enrolled for: without it
/// the step would be skipped for everyone.
fn usable(
    realm: &config::Realm,
    step: &StepName,
    method: Method,
) -> Result<Method, ComponentError> {
    let steps = realm.logins.iter().flat_map(|login| &login.steps);
    let is_for_enrolled = steps
        .filter(|it| it.name.as_str() == step.as_str())
        .any(|it| it.when == config::When::Enrolled);
    if is_for_enrolled && method.revision.manifest.credential_kinds.is_empty() {
        return Err(ComponentError::NobodyEnrolled);
    }
    Ok(method)
}

fn bounds(guesses: &config::GuessLimits) -> Bounds {
    Bounds {
        most: guesses.most,
        lock: guesses.lock,
        longest: guesses.longest,
        total: guesses.total,
    }
}
