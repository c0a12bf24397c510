use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::credential::FamilyId;

/// The families that somebody holds just now: sessions, and codes.
#[derive(Debug, Default)]
pub(super) struct Families(Mutex<HashMap<FamilyId, Weak<Family>>>);

/// All that goes back to one login of one browser.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) id: FamilyId,
    ended: CancellationToken,
}

/// From so many on, those that nobody holds any more are looked for.
const TIDY: usize = 64;

impl Families {
    pub(super) fn join(&self, id: FamilyId) -> Arc<Family> {
        let mut families = self.0.lock();
        if let Some(family) = families.get(&id).and_then(Weak::upgrade) {
            return family;
        }
        // Only before the map would grow: so each look over all of it is paid for by many that were
        // put in since.
        if families.len() >= TIDY && families.len() == families.capacity() {
            families.retain(|_, family| family.strong_count() > 0);
        }
        let family = Arc::new(Family {
            id,
            ended: CancellationToken::new(),
        });
        families.insert(id, Arc::downgrade(&family));
        family
    }

    pub(super) fn end(&self, id: FamilyId) {
        let family = self.0.lock().remove(&id).and_then(|it| it.upgrade());
        if let Some(family) = family {
            family.end();
        }
    }
}

impl Family {
    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_a_family_learns_of_its_end() {
        let families = Families::default();
        let [ours, theirs] = [(); 2].map(|()| FamilyId::generate().unwrap());
        let (one, two, other) = (
            families.join(ours),
            families.join(ours),
            families.join(theirs),
        );
        families.end(ours);
        assert!(one.has_ended() && two.has_ended());
        assert!(!other.has_ended());
        families.end(FamilyId::generate().unwrap());
    }

    #[test]
    fn families_that_nobody_holds_are_forgotten() {
        let families = Families::default();
        let held = families.join(FamilyId::generate().unwrap());
        for _ in 0..100 * TIDY {
            families.join(FamilyId::generate().unwrap());
        }
        assert!(families.0.lock().len() <= 4 * TIDY);
        families.end(held.id);
        assert!(held.has_ended());
    }
}
