use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

use super::store::Stamp;

/// Answers of a store, good until it changes. Bounded: it holds the answers asked for last, at
/// least half of its capacity and at most all of it.
pub(super) struct Cache<K, V> {
    stamp: Option<Stamp>,
    /// What was asked for lately, at most half of the capacity. Once full it becomes `older`, and
    /// the former `older` is dropped.
    recent: HashMap<K, V>,
    older: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            stamp: None,
            recent: HashMap::new(),
            older: HashMap::new(),
            half: capacity.div_ceil(2).max(1),
        }
    }

    /// The answer, if it is known at this stamp. A stamp that the cache has not seen empties it.
    pub(super) fn find(&mut self, stamp: Stamp, question: &K) -> Option<V> {
        if self.stamp != Some(stamp) {
            self.recent.clear();
            self.older.clear();
            self.stamp = Some(stamp);
        }
        if let Some(answer) = self.recent.get(question) {
            return Some(answer.clone());
        }
        let (question, answer) = self.older.remove_entry(question)?;
        self.keep(question, answer.clone());
        Some(answer)
    }

    /// Keeps an answer that was fetched after the store had this stamp. Dropped if the cache has
    /// moved on meanwhile: the answer may be older than what it would then stand for.
    pub(super) fn insert(&mut self, stamp: Stamp, question: K, answer: V) {
        if self.stamp == Some(stamp) {
            self.keep(question, answer);
        }
    }

    fn keep(&mut self, question: K, answer: V) {
        if self.recent.len() >= self.half {
            self.older = mem::take(&mut self.recent);
        }
        self.recent.insert(question, answer);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_empties_it() {
        let mut cache = Cache::new(8);
        assert_eq!(cache.find(Stamp(1), &"alice"), None);
        cache.insert(Stamp(1), "alice", 1);
        assert_eq!(cache.find(Stamp(1), &"alice"), Some(1));
        assert_eq!(cache.find(Stamp(2), &"alice"), None);
        assert_eq!(cache.find(Stamp(1), &"alice"), None);
    }

    #[test]
    fn an_answer_that_comes_late_is_not_kept() {
        let mut cache = Cache::new(8);
        assert_eq!(cache.find(Stamp(1), &"alice"), None);
        assert_eq!(cache.find(Stamp(2), &"bob"), None);
        cache.insert(Stamp(1), "alice", 1);
        assert_eq!(cache.find(Stamp(2), &"alice"), None);
    }

    #[test]
    fn what_is_asked_for_again_stays() {
        let mut cache = Cache::new(8);
        cache.find(Stamp(1), &0);
        cache.insert(Stamp(1), 0, 0);
        for n in 1..100 {
            cache.insert(Stamp(1), n, n);
            assert_eq!(cache.find(Stamp(1), &0), Some(0));
        }
        assert_eq!(cache.find(Stamp(1), &1), None);
    }

    proptest! {
        /// Against a store in which the answer to a question is the number of its last change.
        #[test]
        fn never_stale_and_never_too_large(
            capacity in 0_usize..10,
            steps in prop::collection::vec((any::<bool>(), 0_u64..20), 0..200),
        ) {
            let mut cache = Cache::new(capacity);
            let mut stamp = 0;
            for (change, question) in steps {
                if change {
                    stamp += 1;
                }
                match cache.find(Stamp(stamp), &question) {
                    Some(answer) => prop_assert_eq!(answer, stamp),
                    None => cache.insert(Stamp(stamp), question, stamp),
                }
                prop_assert!(cache.recent.len() + cache.older.len() <= capacity.max(1) + 1);
            }
        }
    }
}
