use std::{cell::Cell, sync::Arc};

use super::{Invoke, MatchPolicy, Member, Random};
use crate::wamp::Id;

/// A pattern and whoever serves it: at least one callee, none of them twice.
pub(super) struct Registration {
    pub(super) id: Id,
    pub(super) policy: MatchPolicy,
    pub(super) invoke: Invoke,
    /// In the order in which they registered.
    pub(super) callees: Vec<Arc<Member>>,
    /// Whose turn it is, where they take turns.
    pub(super) turn: Cell<usize>,
}

impl Registration {
    pub(super) fn admits(&self, session: Id, invoke: Invoke) -> bool {
        invoke != Invoke::Single
            && invoke == self.invoke
            && self.callees.iter().all(|callee| callee.id != session)
    }

    pub(super) fn choose(&self, random: &mut Random) -> Option<&Arc<Member>> {
        match self.invoke {
            Invoke::Single | Invoke::First => self.callees.first(),
            Invoke::Last => self.callees.last(),
            Invoke::RoundRobin => {
                let callee = self.turn.get() % self.callees.len().max(1);
                self.turn.set(callee + 1);
                self.callees.get(callee)
            }
            Invoke::Random => {
                let callee = random.bits() % (self.callees.len() as u64).max(1);
                self.callees.get(usize::try_from(callee).ok()?)
            }
        }
    }

    pub(super) fn remove(&mut self, session: Id) {
        let position = self.callees.iter().position(|callee| callee.id == session);
        let Some(position) = position else {
            return;
        };
        self.callees.remove(position);
        // The others keep their order.
        if position < self.turn.get() {
            self.turn.set(self.turn.get() - 1);
        }
    }
}
