//! What a realm's file says of logins and of sessions, in the words of the rooms that heed it.

use std::{collections::HashMap, sync::Arc};

use crate::{
    config::{self, Cleartext},
    login::{Alternative, Policy, Role, Step, StepName, When},
    method::Method,
    router::{Permission, Permissions},
};

pub(super) fn of(
    realm: &config::Realm,
    roles: Vec<Role>,
    methods: &HashMap<StepName, Arc<Method>>,
) -> Policy {
    Policy {
        alternatives: realm
            .logins
            .iter()
            .filter_map(|login| alternative(realm, login, methods))
            .collect(),
        roles,
        longest_session: realm.longest_session,
        confidential: realm.cleartext == Cleartext::Refuse,
        rounds: realm.methods.iter().map(rounds).collect(),
    }
}

pub(super) fn roles(realm: &config::Realm) -> Vec<Role> {
    realm.roles.iter().map(|name| role(realm, name)).collect()
}

pub(super) fn permissions(realm: &config::Realm) -> Permissions {
    realm.permissions.iter().map(permission).collect()
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

fn permission(permission: &config::Permission) -> Permission {
    Permission {
        role: permission.role.as_str().to_owned(),
        pattern: permission.pattern.clone(),
        allow: permission.allow,
    }
}
