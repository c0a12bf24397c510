//! How one gets into a realm.

use std::collections::BTreeSet;

use super::{
    document::{Item, Placed, Problems, Reported, Table, all, values},
    name::StepName,
    scalar::{Word, quoted},
};

/// More is a mistake, and each is tried in turn while a client waits.
const MOST_LOGINS: usize = 64;
const MOST_STEPS: usize = 8;

/// One way into a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// In this order. Never empty, each of another name.
    pub steps: Vec<Step>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: StepName,
    /// For the first step, always.
    pub when: When,
    /// What it may say otherwise than the steps before it. For the first step, nothing.
    pub may_change: BTreeSet<Change>,
}

/// Whom a step is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Everyone.
    #[default]
    Always,
    /// Those who have a credential for it; the others pass it by.
    Enrolled,
}

/// What a step may say otherwise than the steps before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Role,
}

impl Login {
    /// The names of its steps.
    pub fn names(&self) -> impl Iterator<Item = &StepName> {
        self.steps.iter().map(|step| &step.name)
    }
}

/// Takes every `[[login]]`.
pub(super) fn take_all(top: &mut Table<'_>) -> Result<Vec<Login>, Reported> {
    let mut seen = BTreeSet::new();
    let logins: Vec<Login> = all(top.tables("login")?.into_iter().map(|mut table| {
        let login = take(&mut table)?;
        if seen.insert(login.names().cloned().collect::<Vec<_>>()) {
            return Ok(login);
        }
        Err(table.problems.report(table.at, || {
            "an earlier [[login]] has the same steps; remove one".to_owned()
        }))
    }))?;
    if logins.len() > MOST_LOGINS {
        return Err(top.problems.report(top.at, || {
            format!(
                "[[login]] is there {} times; use at most {MOST_LOGINS}",
                logins.len()
            )
        }));
    }
    Ok(logins)
}

fn take(table: &mut Table<'_>) -> Result<Login, Reported> {
    let problems = table.problems;
    let mut seen = BTreeSet::new();
    let steps = table.required_items("steps", |index, item| {
        let Placed { at, value: step } = match item {
            Item::Short(Placed { at, value: name }) => Placed {
                at,
                value: Step {
                    name,
                    when: When::Always,
                    may_change: BTreeSet::new(),
                },
            },
            Item::Long(table) => Step::take(table, index == 0)?,
        };
        if seen.insert(step.name.clone()) {
            return Ok(step);
        }
        Err(problems.report(at, || {
            let name = quoted(step.name.as_str());
            format!("{name} is in \"steps\" twice; remove one")
        }))
    })?;
    match steps.value.len() {
        0 => Err(problems.report(steps.at, || {
            "\"steps\" is empty, which would let everyone in; name at least one method".to_owned()
        })),
        1..=MOST_STEPS => Ok(Login { steps: steps.value }),
        count => Err(problems.report(steps.at, || {
            format!("\"steps\" has {count} items; use at most {MOST_STEPS}")
        })),
    }
}

impl Step {
    fn take(mut table: Table<'_>, is_first: bool) -> Result<Placed<Self>, Reported> {
        let method = table.required::<StepName>("method");
        let when = table.optional::<When>("when");
        let may_change = table.list::<Change>("may_change");

        let Placed { at, value: name } = method?;
        let when = when?;
        let may_change = may_change?.unwrap_or_default();
        if is_first {
            let problems = table.problems;
            Self::check_first(&name, when.as_ref(), &may_change, problems)?;
        }
        Ok(Placed {
            at,
            value: Self {
                name,
                when: when.map(|found| found.value).unwrap_or_default(),
                may_change: values(may_change).collect(),
            },
        })
    }

    fn check_first(
        name: &StepName,
        when: Option<&Placed<When>>,
        may_change: &[Placed<Change>],
        problems: &Problems,
    ) -> Result<(), Reported> {
        if let Some(Placed {
            at,
            value: When::Enrolled,
        }) = when
        {
            return Err(problems.report(*at, || {
                format!(
                    "\"{name}\" is the first step, which names the user, so it cannot be skipped; \
                     remove \"when\""
                )
            }));
        }
        if let [change, ..] = may_change {
            return Err(problems.report(change.at, || {
                format!(
                    "\"{name}\" is the first step, so there is nothing yet to change; remove \
                     \"may_change\""
                )
            }));
        }
        Ok(())
    }
}

impl Word for When {
    const FORM: &'static str = r#""always" or "enrolled""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("always", Self::Always), ("enrolled", Self::Enrolled)];
}

impl Word for Change {
    const FORM: &'static str = r#""role""#;
    const WORDS: &'static [(&'static str, Self)] = &[("role", Self::Role)];
}
