use std::{collections::HashMap, fmt, path::PathBuf, sync::Arc};

use thiserror::Error;

use super::{
    ComponentError, ConsentError, Generation, Realms,
    callees::{self, Turns},
    components::Components,
};
use crate::{
    config::{self, Ceilings, Cleartext, ConfigError},
    credential::{Bounds, Keyring, Vault},
    egress::{Door, Egress},
    key_set::{KeySetError, KeySets, Remotes},
    login::{Alternative, Policy, Role, Step, StepName, When},
    method::{Bulkhead, Bulkheads, Grant, Limits, Method, MethodParts, Reach, Runtime},
    router::Permission,
};

/// Why a realm's files give no generation. Each line of it names a file and says what to do.
#[derive(Debug, Error)]
pub enum RealmError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    #[error("{}", lines(.0))]
    Methods(Vec<MethodError>),
    #[error(transparent)]
    Consent(#[from] ConsentError),
}

/// One method of a realm that cannot be used.
#[derive(Debug)]
pub struct MethodError {
    pub realm: Arc<str>,
    pub step: StepName,
    pub path: PathBuf,
    pub problem: ComponentError,
}

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            realm,
            step,
            path,
            problem,
        } = self;
        write!(
            f,
            "{}: the method {step} of {realm} cannot be used: {problem}",
            path.display()
        )
    }
}

fn lines(errors: &[MethodError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

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
    bulkheads: Bulkheads,
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
            bulkheads: Bulkheads::default(),
            ceilings: Ceilings::default(),
        }
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
        [component].into_iter().chain(secret).collect()
    }

    /// Makes a generation, or tells of every method that stands in the way. `realms` are those
    /// whose callees methods may ask.
    pub async fn build(
        &self,
        realm: &config::Realm,
        number: u64,
        realms: &Arc<Realms>,
    ) -> Result<Generation, RealmError> {
        let name: Arc<str> = realm.name.as_str().into();
        let roles: Vec<Role> = realm.roles.iter().map(|name| role(realm, name)).collect();
        let default_role = roles.first().map_or("", |role| &*role.name);
        let keyring = self.vault.keyring((&*name).into(), default_role.into());
        let key_sets = KeySets::open(&name, &realm.key_sets, &self.remotes)?;
        let bulkhead = self.bulkheads.of(&name, realm.limits);
        let shared = Shared {
            keyring: &keyring,
            key_sets: &key_sets,
            bulkhead: &bulkhead,
            realms,
        };
        let mut methods = HashMap::new();
        let mut errors = Vec::new();
        for (step, method) in &realm.methods {
            let step = StepName::new(step.as_str());
            let made = self.method(&name, &step, method, shared);
            match made.await.and_then(|method| usable(realm, &step, method)) {
                Ok(method) => _ = methods.insert(step, Arc::new(method)),
                Err(problem) => errors.push(MethodError {
                    realm: Arc::clone(&name),
                    step,
                    path: self.component_path(method),
                    problem,
                }),
            }
        }
        if !errors.is_empty() {
            return Err(RealmError::Methods(errors));
        }
        let policy = Policy {
            alternatives: realm
                .logins
                .iter()
                .filter_map(|login| alternative(realm, login, &methods))
                .collect(),
            roles,
            longest_session: realm.longest_session,
            confidential: realm.cleartext == Cleartext::Refuse,
            rounds: realm.methods.iter().map(rounds).collect(),
        };
        let permissions = realm.permissions.iter().map(permission).collect();
        Ok(Generation {
            number,
            policy: Arc::new(policy),
            methods,
            key_sets,
            bulkhead,
            permissions: Arc::new(permissions),
            cookie: realm.cookie,
            keyring,
            authenticates: realm.authenticates.clone(),
        })
    }

    async fn method(
        &self,
        realm: &Arc<str>,
        step: &StepName,
        method: &config::MethodConfig,
        shared: Shared<'_>,
    ) -> Result<Method, ComponentError> {
        let Shared {
            keyring,
            key_sets,
            bulkhead,
            realms,
        } = shared;
        let limits = Limits::from(&method.limits);
        let grant: Grant = method.imports.iter().copied().collect();
        let path = self.component_path(method);
        let revision = self
            .components
            .revision(&path, &self.runtime, keyring, grant, &limits)
            .await?;
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
        Ok(Method::new(Arc::clone(&self.runtime), revision, parts).await?)
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

/// What the methods of one generation share.
#[derive(Clone, Copy)]
struct Shared<'a> {
    keyring: &'a Keyring,
    key_sets: &'a KeySets,
    bulkhead: &'a Arc<Bulkhead>,
    realms: &'a Arc<Realms>,
}

fn rounds((step, method): (&config::StepName, &config::MethodConfig)) -> (StepName, u32) {
    (StepName::new(step.as_str()), method.limits.rounds)
}

fn role(realm: &config::Realm, name: &config::RoleName) -> Role {
    let requires = realm.assurance.get(name).into_iter().flatten();
    Role {
        name: name.as_str().into(),
        requires: requires.map(|step| StepName::new(step.as_str())).collect(),
    }
}

/// None for an alternative without steps, which the configuration does not let through.
fn alternative(
    realm: &config::Realm,
    login: &config::Login,
    methods: &HashMap<StepName, Arc<Method>>,
) -> Option<Alternative> {
    let (first, rest) = login.steps.split_first()?;
    Some(Alternative {
        first: StepName::new(first.name.as_str()),
        rest: rest.iter().map(later).collect(),
        confidential: login
            .names()
            .any(|name| is_confidential(realm, name, methods)),
    })
}

/// Whether a step is not gone through where others could read along: as the realm says, else where
/// clients send their secret as it is.
fn is_confidential(
    realm: &config::Realm,
    name: &config::StepName,
    methods: &HashMap<StepName, Arc<Method>>,
) -> bool {
    let said = realm.methods.get(name).and_then(|method| method.cleartext);
    match said {
        Some(said) => said == Cleartext::Refuse,
        None => methods
            .get(&StepName::new(name.as_str()))
            .is_none_or(|method| method.revision.manifest.clear_secret),
    }
}

fn later(step: &config::Step) -> Step {
    Step {
        name: StepName::new(step.name.as_str()),
        when: match step.when {
            config::When::Always => When::Always,
            config::When::Enrolled => When::Enrolled,
        },
        may_change_role: step.may_change.contains(&config::Change::Role),
    }
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

fn permission(permission: &config::Permission) -> Permission {
    Permission {
        role: permission.role.as_str().to_owned(),
        pattern: permission.pattern.clone(),
        allow: permission.allow,
    }
}
