//! What a session can be in a realm.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::{Item, Placed, Problems, Reported, Table, all},
    login::Login,
    name::{RoleName, StepName},
    scalar::{quoted, suggestion},
};

const MOST_ROLES: usize = 256;

/// The steps that a login must have passed to get a role, for each role that requires any.
pub type Assurance = BTreeMap<RoleName, BTreeSet<StepName>>;

/// A role as the file has it, before it is known which steps there are.
pub(super) struct Written {
    name: Placed<RoleName>,
    requires: Vec<Placed<StepName>>,
}

/// Takes `roles`.
pub(super) fn take(top: &mut Table<'_>) -> Result<Vec<Written>, Reported> {
    let problems = top.problems;
    let mut seen = BTreeSet::new();
    let roles = top.required_items("roles", |_, item| {
        let role = match item {
            Item::Short(name) => Written {
                name,
                requires: Vec::new(),
            },
            Item::Long(table) => Written::take(table)?,
        };
        if seen.insert(role.name.value.clone()) {
            return Ok(role);
        }
        Err(problems.report(role.name.at, || {
            let name = quoted(role.name.value.as_str());
            format!("{name} is in \"roles\" twice; remove one")
        }))
    })?;
    match roles.value.len() {
        0 => Err(problems.report(roles.at, || {
            "\"roles\" is empty; list the roles that a session can have, such as \"user\"".into()
        })),
        1..=MOST_ROLES => Ok(roles.value),
        count => Err(problems.report(roles.at, || {
            format!("\"roles\" has {count} items; use at most {MOST_ROLES}")
        })),
    }
}

pub(super) fn names(roles: &[Written]) -> BTreeSet<RoleName> {
    roles.iter().map(|role| role.name.value.clone()).collect()
}

/// What the roles require, if the realm's logins can give it.
pub(super) fn assurance(
    roles: Vec<Written>,
    logins: &[Login],
    problems: &Problems,
) -> Result<Assurance, Reported> {
    let demanding = roles.into_iter().filter(|role| !role.requires.is_empty());
    all(demanding.map(|role| role.check(logins, problems)))
}

impl Written {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let name = table.required("role");
        let requires = table.list("requires");
        Ok(Self {
            name: name?,
            requires: requires?.unwrap_or_default(),
        })
    }

    fn check(
        self,
        logins: &[Login],
        problems: &Problems,
    ) -> Result<(RoleName, BTreeSet<StepName>), Reported> {
        let Self { name, requires } = self;
        let known: BTreeSet<&StepName> = logins.iter().flat_map(Login::names).collect();
        let requires: BTreeSet<StepName> =
            all(requires.into_iter().map(|Placed { at, value: step }| {
                if known.contains(&step) {
                    return Ok(step);
                }
                Err(problems.report(at, || {
                    let advice = match known.len() {
                        0 => "add one".to_owned(),
                        _ => suggestion(step.as_str(), || known.iter().map(|step| step.as_str())),
                    };
                    format!("no [[login]] has the step \"{step}\"; {advice}")
                }))
            }))?;
        let has_all = |login: &Login| {
            let names: BTreeSet<_> = login.names().collect();
            requires.iter().all(|step| names.contains(step))
        };
        if !logins.iter().any(has_all) {
            return Err(problems.report(name.at, || {
                format!(
                    "no [[login]] has all steps that {} requires, so nobody could have it; put \
                     them into one, or require fewer",
                    quoted(name.value.as_str())
                )
            }));
        }
        Ok((name.value, requires))
    }
}
