//! Instances that stay for the next call.

use std::fmt;

use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;

use super::{
    Limits, bindings::exports::countersign::auth::method, bulkhead::Bulkhead, guest::Guest,
    runtime::Runtime,
};

/// Instances that wait for one method's next call. More at a time are only there when many calls
/// were.
const MOST: usize = 4;

/// Calls of one instance: some number between these, another for each, so that nobody can rely on
/// how long what it keeps is kept.
const FEWEST_CALLS: u32 = 64;
const MOST_CALLS: u32 = 128;

/// An instance with what the host holds for it.
pub(super) struct Instance {
    pub(super) store: Store<Guest>,
    pub(super) method: method::Guest,
    /// Set for one that may stay.
    stay: Option<Stay>,
}

struct Stay {
    calls_left: u32,
    _of_the_realm: OwnedSemaphorePermit,
    _of_the_router: OwnedSemaphorePermit,
}

/// The instances of one method that wait. A [`super::Method`] is a step of one generation of one
/// realm, with one revision and its settings: so none of these ever serves another.
///
/// Whoever takes one out has it for themselves. It comes back only after a call that ended well;
/// whatever else happens to a call, to be given up included, drops it.
#[derive(Default)]
pub(super) struct Warm(Mutex<Vec<Instance>>);

impl Warm {
    pub(super) fn take(&self) -> Option<Instance> {
        self.0.lock().pop()
    }

    /// Keeps an instance, if it has calls left, memory for more of them, and if there is room.
    pub(super) fn keep(
        &self,
        mut instance: Instance,
        limits: &Limits,
        bulkhead: &Bulkhead,
        runtime: &Runtime,
    ) {
        let stay = instance.stay.take().or_else(|| {
            Some(Stay {
                calls_left: varied(),
                _of_the_realm: bulkhead.keep_warm()?,
                _of_the_router: runtime.keep_warm()?,
            })
        });
        let Some(mut stay) = stay else { return };
        stay.calls_left = stay.calls_left.saturating_sub(1);
        // Memory never shrinks. With the half of it gone, the next call could fail for want of what
        // earlier ones have taken.
        let has_room = instance.store.data().memory.used() <= limits.memory / 2;
        if stay.calls_left == 0 || !has_room {
            return;
        }
        instance.stay = Some(stay);
        instance.store.data_mut().rest();
        let mut waiting = self.0.lock();
        if waiting.len() < MOST {
            waiting.push(instance);
        } else {
            // Not under the lock: it takes microseconds.
            drop(waiting);
            drop(instance);
        }
    }
}

impl Instance {
    pub(super) const fn new(store: Store<Guest>, method: method::Guest) -> Self {
        Self {
            store,
            method,
            stay: None,
        }
    }
}

/// Without the system's randomness there is no login either, so no call.
fn varied() -> u32 {
    let random = getrandom::u32().unwrap_or_default();
    FEWEST_CALLS + random % (MOST_CALLS - FEWEST_CALLS + 1)
}

impl fmt::Debug for Warm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Warm").field(&self.0.lock().len()).finish()
    }
}
