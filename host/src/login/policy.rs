use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

/// The name of a step, which is the authmethod that a client announces for it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepName(Arc<str>);

impl StepName {
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, for someone else to keep.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One way to log in: steps that are gone through one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// It names the user, so it is never skipped, and has nothing to change.
    pub first: StepName,
    pub rest: Vec<Step>,
    /// Whether one of its steps may not be gone through where others could read along.
    pub confidential: bool,
}

/// A step after the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: StepName,
    pub when: When,
    /// Whether it may give another role than the steps before it. Another authid it can never give.
    pub may_change_role: bool,
}

/// Whom a step is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    #[default]
    Always,
    /// Those who have a credential for it.
    Enrolled,
}

impl Alternative {
    pub(super) fn name(&self, index: usize) -> Option<&StepName> {
        if index == 0 {
            return Some(&self.first);
        }
        self.later(index).map(|step| &step.name)
    }

    /// What is said of a step, which for the first one is nothing.
    pub(super) fn later(&self, index: usize) -> Option<&Step> {
        self.rest.get(index.checked_sub(1)?)
    }
}

/// What a session can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: Arc<str>,
    /// What a login must have passed to get it.
    pub requires: Vec<StepName>,
}

/// What a realm says of who may join it and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the realm's order. None: nobody can log in.
    pub alternatives: Vec<Alternative>,
    /// The roles that an identity may have.
    pub roles: Vec<Role>,
    /// However long a method lets a session last, it ends after this time.
    pub longest_session: Option<Duration>,
    /// Whether nobody may log in where others could read along.
    pub confidential: bool,
    /// Challenges of a step, for those that the realm bounds.
    pub rounds: HashMap<StepName, u32>,
}

impl Policy {
    /// The first alternative from `from` on that the client can begin, and its place.
    ///
    /// The client's list only narrows: its order means nothing, and it cannot choose among
    /// alternatives that begin with the same step. What comes after the first step the realm
    /// demands whether the client announced it or not, so leaving a name out gets nobody past it.
    pub(super) fn open_to(
        &self,
        announced: &[String],
        is_confidential: bool,
        from: usize,
    ) -> Option<(usize, &Alternative)> {
        self.alternatives
            .iter()
            .enumerate()
            .skip(from)
            .filter(|(_, alternative)| is_confidential || !alternative.confidential)
            .find(|(_, alternative)| {
                announced
                    .iter()
                    .any(|method| method == alternative.first.as_str())
            })
    }

    /// Whether somebody who has passed these steps can have a role.
    pub fn may_have<'a>(
        &self,
        role: &str,
        passed: impl Iterator<Item = &'a StepName> + Clone,
    ) -> bool {
        self.role(role).is_some_and(|role| {
            let mut required = role.requires.iter();
            required.all(|required| passed.clone().any(|step| step == required))
        })
    }

    /// Whether some login has this step.
    pub fn has_step(&self, step: &StepName) -> bool {
        self.alternatives.iter().any(|alternative| {
            let mut rest = alternative.rest.iter();
            alternative.first == *step || rest.any(|later| later.name == *step)
        })
    }

    pub(super) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| *role.name == *name)
    }
}
