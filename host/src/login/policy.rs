use std::{fmt, sync::Arc, time::Duration};

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

/// One way to log in: steps that must all be passed, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    pub first: StepName,
    pub rest: Vec<StepName>,
}

impl Alternative {
    pub(super) fn step(&self, index: usize) -> Option<&StepName> {
        match index.checked_sub(1) {
            None => Some(&self.first),
            Some(index) => self.rest.get(index),
        }
    }
}

/// What a realm says of who may join it and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// In the realm's order. None: nobody can log in.
    pub alternatives: Vec<Alternative>,
    /// The roles that an identity may have.
    pub roles: Vec<Arc<str>>,
    /// However long a method lets a session last, it ends after this time.
    pub longest_session: Option<Duration>,
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
        from: usize,
    ) -> Option<(usize, &Alternative)> {
        self.alternatives
            .iter()
            .enumerate()
            .skip(from)
            .find(|(_, alternative)| {
                announced
                    .iter()
                    .any(|method| method == alternative.first.as_str())
            })
    }

    pub(super) fn allows_role(&self, role: &str) -> bool {
        self.roles.iter().any(|allowed| **allowed == *role)
    }
}
