use std::sync::Arc;

use super::capability::Procedures;
use crate::{egress::Door, key_set::KeySets};

/// What a method can reach beyond its arguments and the realm's credentials: as much as its realm
/// grants.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// None: it may ask no procedure.
    pub procedures: Option<Arc<Procedures>>,
    /// Where its requests over HTTP may go. None: nowhere.
    pub door: Option<Arc<Door>>,
    pub key_sets: KeySets,
}

impl Reach {
    /// What there is without asking anybody outside: for a look at the settings, which is no login.
    pub(super) fn at_hand(&self) -> Self {
        Self {
            procedures: None,
            door: self.door.clone(),
            key_sets: self.key_sets.at_hand(),
        }
    }
}
