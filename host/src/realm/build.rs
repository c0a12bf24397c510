use std::{collections::HashMap, fmt, path::PathBuf, sync::Arc};

use thiserror::Error;

use super::{ComponentError, Generation, components::Components};
use crate::{
    config::{self, ConfigError},
    credential::{Keyring, Vault},
    login::{Alternative, Policy, StepName},
    method::{Grant, Limits, Method, MethodParts, Runtime},
    router::Permission,
};

/// Why a realm's files give no generation. Each line of it names a file and says what to do.
#[derive(Debug, Error)]
pub enum RealmError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}", lines(.0))]
    Methods(Vec<MethodError>),
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
    /// The directory of the components.
    methods: PathBuf,
    components: Components,
}

impl Workshop {
    pub fn new(runtime: Arc<Runtime>, vault: Vault, methods: PathBuf) -> Self {
        Self {
            runtime,
            vault,
            methods,
            components: Components::default(),
        }
    }

    pub(super) fn component_path(&self, method: &config::MethodConfig) -> PathBuf {
        self.methods.join(method.component.as_str())
    }

    /// Makes a generation, or tells of every method that stands in the way.
    pub async fn build(
        &self,
        realm: &config::Realm,
        number: u64,
    ) -> Result<Generation, RealmError> {
        let name: Arc<str> = realm.name.as_str().into();
        let roles: Vec<Arc<str>> = realm
            .roles
            .iter()
            .map(|role| role.as_str().into())
            .collect();
        let default_role = roles.first().map_or("", |role| &**role);
        let keyring = self.vault.keyring((&*name).into(), default_role.into());
        let mut methods = HashMap::new();
        let mut errors = Vec::new();
        for (step, method) in &realm.methods {
            let step = StepName::new(step.as_str());
            match self.method(&name, &step, method, &keyring).await {
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
            alternatives: realm.logins.iter().filter_map(alternative).collect(),
            roles,
            longest_session: realm.longest_session,
        };
        let permissions = realm.permissions.iter().map(permission).collect();
        Ok(Generation {
            number,
            policy: Arc::new(policy),
            methods,
            permissions: Arc::new(permissions),
            cookie: realm.cookie,
            keyring,
        })
    }

    async fn method(
        &self,
        realm: &Arc<str>,
        step: &StepName,
        method: &config::MethodConfig,
        keyring: &Keyring,
    ) -> Result<Method, ComponentError> {
        let limits = Limits::from(&method.limits);
        let grant: Grant = method.imports.iter().copied().collect();
        let path = self.component_path(method);
        let revision = self
            .components
            .revision(&path, &self.runtime, keyring, grant, &limits)
            .await?;
        let parts = MethodParts {
            realm: Arc::clone(realm),
            step: step.clone(),
            settings: method.settings.to_json(),
            limits,
            keyring: keyring.clone(),
        };
        Ok(Method::new(Arc::clone(&self.runtime), revision, parts).await?)
    }
}

/// None for an alternative without steps, which the configuration does not let through.
fn alternative(login: &config::Login) -> Option<Alternative> {
    let mut steps = login.steps.iter().map(|step| StepName::new(step.as_str()));
    Some(Alternative {
        first: steps.next()?,
        rest: steps.collect(),
    })
}

fn permission(permission: &config::Permission) -> Permission {
    Permission {
        role: permission.role.as_str().to_owned(),
        pattern: permission.pattern.clone(),
        allow: permission.allow,
    }
}
