use std::{collections::HashMap, iter, sync::Arc};

use super::patterns::Patterns;
use crate::wamp::{Action, Actions, MatchPolicy, Pattern, is_reserved};

/// Members of `role` may do `allow`, and nothing else, to the URIs that `pattern` matches and no
/// more specific permission of the role does.
#[derive(Clone, Debug)]
pub struct Permission {
    pub role: String,
    pub pattern: Pattern,
    pub allow: Actions,
}

/// All permissions of a realm. What is not listed is not allowed. Where one role lists one pattern
/// twice, both lists count.
#[derive(Debug, Default)]
pub struct Permissions {
    roles: HashMap<String, Arc<Grants>>,
}

/// The permissions of one role.
#[derive(Debug, Default)]
pub(super) struct Grants(Patterns<(Pattern, Actions)>);

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut roles: HashMap<String, Grants> = HashMap::new();
        for Permission {
            role,
            pattern,
            allow,
        } in permissions
        {
            let grants = roles.entry(role).or_default();
            let (_, actions) = grants
                .0
                .entry(&pattern, || (pattern.clone(), Actions::default()));
            *actions = actions.or(allow);
        }
        Self {
            roles: roles
                .into_iter()
                .map(|(role, grants)| (role, Arc::new(grants)))
                .collect(),
        }
    }
}

impl Permissions {
    pub(super) fn role(&self, role: &str) -> Arc<Grants> {
        self.roles.get(role).cloned().unwrap_or_default()
    }
}

impl Grants {
    /// What is the protocol's own must be named as such: who may call everything may not end
    /// everybody's sessions by that.
    pub fn allow(&self, action: Action, uri: &str) -> bool {
        self.0.best(uri).is_some_and(|(pattern, actions)| {
            actions.contains(action) && (pattern.is_reserved() || !is_reserved(uri))
        })
    }

    /// Whether the action is allowed on every URI that the pattern matches.
    ///
    /// For that, one permission must cover the pattern as a whole; the most specific that does
    /// decides for it. Any that is more specific and concerns only a part must allow the action
    /// too.
    pub fn allow_all(&self, action: Action, asked: &Pattern) -> bool {
        if asked.policy() == MatchPolicy::Exact {
            return self.allow(action, asked.as_str());
        }
        let covering = self
            .0
            .values()
            .filter(|(pattern, _)| covers(pattern, asked))
            .filter(|(pattern, _)| pattern.is_reserved() || !asked.is_reserved())
            .max_by_key(|(pattern, _)| pattern.specificity());
        let Some((covering, _)) = covering else {
            return false;
        };
        // Among them is the covering one itself.
        self.0
            .values()
            .filter(|(pattern, _)| pattern.specificity() >= covering.specificity())
            .filter(|(pattern, _)| overlap(pattern, asked))
            .all(|(_, actions)| actions.contains(action))
    }
}

/// Whether `outer` matches every URI that `inner` matches.
fn covers(outer: &Pattern, inner: &Pattern) -> bool {
    let (outer_text, inner_text) = (outer.as_str(), inner.as_str());
    match (outer.policy(), inner.policy()) {
        (_, MatchPolicy::Exact) => outer.matches(inner_text),
        // A prefix matches URIs of any length; the others do not.
        (MatchPolicy::Exact | MatchPolicy::Wildcard, MatchPolicy::Prefix) => false,
        (MatchPolicy::Prefix, MatchPolicy::Prefix) => inner_text.starts_with(outer_text),
        (MatchPolicy::Exact, MatchPolicy::Wildcard) => inner_text == outer_text,
        (MatchPolicy::Prefix, MatchPolicy::Wildcard) => {
            fixed_start(inner_text).starts_with(outer_text)
        }
        (MatchPolicy::Wildcard, MatchPolicy::Wildcard) => {
            same_length(outer_text, inner_text)
                && iter::zip(outer_text.split('.'), inner_text.split('.'))
                    .all(|(outer, inner)| outer.is_empty() || outer == inner)
        }
    }
}

/// Whether there is a URI that both match.
fn overlap(a: &Pattern, b: &Pattern) -> bool {
    let (a_text, b_text) = (a.as_str(), b.as_str());
    match (a.policy(), b.policy()) {
        (MatchPolicy::Exact, _) => b.matches(a_text),
        (_, MatchPolicy::Exact) => a.matches(b_text),
        (MatchPolicy::Prefix, MatchPolicy::Prefix) => {
            a_text.starts_with(b_text) || b_text.starts_with(a_text)
        }
        (MatchPolicy::Wildcard, MatchPolicy::Wildcard) => {
            same_length(a_text, b_text)
                && iter::zip(a_text.split('.'), b_text.split('.'))
                    .all(|(a, b)| a.is_empty() || b.is_empty() || a == b)
        }
        (MatchPolicy::Prefix, MatchPolicy::Wildcard) => prefix_and_wildcard(a_text, b_text),
        (MatchPolicy::Wildcard, MatchPolicy::Prefix) => prefix_and_wildcard(b_text, a_text),
    }
}

fn prefix_and_wildcard(prefix: &str, wildcard: &str) -> bool {
    let mut components = wildcard.split('.');
    let mut parts = prefix.split('.').peekable();
    while let Some(part) = parts.next() {
        let Some(component) = components.next() else {
            return false;
        };
        // The prefix may end within its last component.
        let fits = match parts.peek() {
            Some(_) => component == part,
            None => component.starts_with(part),
        };
        if !fits && !component.is_empty() {
            return false;
        }
    }
    true
}

/// What every URI that the wildcard matches begins with.
fn fixed_start(wildcard: &str) -> &str {
    let fixed: usize = wildcard
        .split_inclusive('.')
        .take_while(|part| *part != ".")
        .map(str::len)
        .sum();
    wildcard.get(..fixed).unwrap_or_default()
}

fn same_length(a: &str, b: &str) -> bool {
    a.split('.').count() == b.split('.').count()
}

#[cfg(test)]
mod tests;
