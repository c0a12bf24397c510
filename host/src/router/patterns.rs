use std::{
    collections::{BTreeMap, HashMap},
    iter,
    ops::Bound,
};

use crate::wamp::{MatchPolicy, Pattern};

/// Values by pattern, found by the URIs that they match.
///
/// An exact match costs one hash lookup. Prefixes cost one tree descent for each that matches, and
/// at most one for each octet of the URI that none shares. Wildcards are compared one after the
/// other, those with as many components as the URI.
#[derive(Debug)]
pub(super) struct Patterns<T> {
    exact: HashMap<Box<str>, T>,
    prefix: BTreeMap<Box<str>, T>,
    /// By the number of components, then by text.
    wildcard: BTreeMap<usize, BTreeMap<Box<str>, (Pattern, T)>>,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            prefix: BTreeMap::new(),
            wildcard: BTreeMap::new(),
        }
    }
}

impl<T> Patterns<T> {
    pub fn best(&self, uri: &str) -> Option<&T> {
        if let Some(value) = self.exact.get(uri) {
            return Some(value);
        }
        // The walk begins with the longest.
        if let Some(value) = self.prefixes(uri).next() {
            return Some(value);
        }
        self.wildcards(uri)
            .max_by_key(|(pattern, _)| pattern.specificity())
            .map(|(_, value)| value)
    }

    pub fn matches<'a, 'u>(&'a self, uri: &'u str) -> impl Iterator<Item = &'a T> + use<'a, 'u, T> {
        let wildcards = self.wildcards(uri).map(|(_, value)| value);
        self.exact
            .get(uri)
            .into_iter()
            .chain(self.prefixes(uri))
            .chain(wildcards)
    }

    pub fn get_mut(&mut self, pattern: &Pattern) -> Option<&mut T> {
        let text = pattern.as_str();
        match pattern.policy() {
            MatchPolicy::Exact => self.exact.get_mut(text),
            MatchPolicy::Prefix => self.prefix.get_mut(text),
            MatchPolicy::Wildcard => {
                let bucket = self.wildcard.get_mut(&components(text))?;
                bucket.get_mut(text).map(|(_, value)| value)
            }
        }
    }

    pub fn entry(&mut self, pattern: &Pattern, create: impl FnOnce() -> T) -> &mut T {
        let text = pattern.as_str();
        match pattern.policy() {
            MatchPolicy::Exact => self.exact.entry(text.into()).or_insert_with(create),
            MatchPolicy::Prefix => self.prefix.entry(text.into()).or_insert_with(create),
            MatchPolicy::Wildcard => {
                let bucket = self.wildcard.entry(components(text)).or_default();
                let (_, value) = bucket
                    .entry(text.into())
                    .or_insert_with(|| (pattern.clone(), create()));
                value
            }
        }
    }

    pub fn remove(&mut self, pattern: &Pattern) {
        let text = pattern.as_str();
        match pattern.policy() {
            MatchPolicy::Exact => {
                self.exact.remove(text);
            }
            MatchPolicy::Prefix => {
                self.prefix.remove(text);
            }
            MatchPolicy::Wildcard => {
                let components = components(text);
                if let Some(bucket) = self.wildcard.get_mut(&components) {
                    bucket.remove(text);
                    if bucket.is_empty() {
                        self.wildcard.remove(&components);
                    }
                }
            }
        }
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        let wildcards = self.wildcard.values().flat_map(BTreeMap::values);
        self.exact
            .values()
            .chain(self.prefix.values())
            .chain(wildcards.map(|(_, value)| value))
    }

    /// The longest first.
    fn prefixes<'a, 'u>(&'a self, uri: &'u str) -> impl Iterator<Item = &'a T> + use<'a, 'u, T> {
        // What is left to find is a prefix of `rest`, so it does not sort after it.
        let mut left = Some(uri);
        iter::from_fn(move || {
            loop {
                let rest = left?;
                let not_after = (Bound::Unbounded, Bound::Included(rest));
                let (key, value) = self.prefix.range::<str, _>(not_after).next_back()?;
                let shared = shared_octets(key, rest);
                if shared == key.len() {
                    // The next one is shorter than this one. The empty one is the last.
                    left = shared.checked_sub(1).map(|shorter| up_to(rest, shorter));
                    return Some(value);
                }
                left = Some(up_to(rest, shared));
            }
        })
    }

    fn wildcards<'a, 'u>(
        &'a self,
        uri: &'u str,
    ) -> impl Iterator<Item = &'a (Pattern, T)> + use<'a, 'u, T> {
        let bucket = if self.wildcard.is_empty() {
            None
        } else {
            self.wildcard.get(&components(uri))
        };
        bucket
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(move |(pattern, _)| pattern.matches(uri))
    }
}

fn components(text: &str) -> usize {
    text.bytes().filter(|octet| *octet == b'.').count() + 1
}

fn shared_octets(a: &str, b: &str) -> usize {
    iter::zip(a.bytes(), b.bytes())
        .take_while(|(a, b)| a == b)
        .count()
}

fn up_to(text: &str, octets: usize) -> &str {
    text.get(..text.floor_char_boundary(octets))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns() -> impl Strategy<Value = Vec<Pattern>> {
        let policy = prop_oneof![
            Just(MatchPolicy::Exact),
            Just(MatchPolicy::Prefix),
            Just(MatchPolicy::Wildcard)
        ];
        proptest::collection::vec(("[abü.]{0,6}", policy), 0..12).prop_map(|texts| {
            texts
                .into_iter()
                .filter_map(|(text, policy)| Pattern::parse(&text, policy).ok())
                .collect()
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_a_scan_of_all_patterns_finds(all in patterns(), uri in "[abü.]{1,8}") {
            let mut index = Patterns::default();
            for pattern in &all {
                index.entry(pattern, || pattern.clone());
            }
            let mut expected: Vec<_> = all.iter().filter(|pattern| pattern.matches(&uri)).collect();
            expected.sort();
            expected.dedup();
            let mut found: Vec<_> = index.matches(&uri).collect();
            found.sort();
            prop_assert_eq!(&found, &expected);
            let best = expected.into_iter().max_by_key(|pattern| pattern.specificity());
            prop_assert_eq!(index.best(&uri), best);

            for pattern in &all {
                index.remove(pattern);
            }
            prop_assert!(index.values().next().is_none() && index.wildcard.is_empty());
        }
    }
}
