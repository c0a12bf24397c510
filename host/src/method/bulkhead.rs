//! What one realm may take of the router, so that the rest is there for the others.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{Fault, Runtime, runtime::permit};
use crate::config::RealmLimits;

/// Warm instances that a realm may keep, of all its methods together.
const WARM: usize = 8;

/// One for a realm, over its generations. Where a generation has other limits it gets another one,
/// and what is under way ends in the one that it began in.
pub struct Bulkhead {
    limits: RealmLimits,
    logins: Arc<Semaphore>,
    /// For each call that is under way or waits.
    places: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    warm: Arc<Semaphore>,
    refused: Refused,
}

/// How many were told that there is no room, by the limit that said so.
#[derive(Debug, Default)]
struct Refused {
    logins: AtomicU64,
    queue: AtomicU64,
    wait: AtomicU64,
}

/// What is taken of what a realm may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadLoad {
    /// Logins that are under way.
    pub logins: usize,
    /// Calls that are under way,
    pub calls: usize,
    /// and that wait.
    pub waiting: usize,
    /// How many there was no room for, by the name of the limit.
    pub refused: [(&'static str, u64); 3],
}

/// A login's place in its realm, until it is over.
#[derive(Debug)]
pub struct LoginPlace(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit);

/// A realm has as many logins under way as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{0} logins to the realm are under way already, the most that there may be (limit: logins)"
)]
pub struct Full(u32);

/// Room for one call.
#[expect(dead_code, reason = "they are held")]
pub(super) struct Room {
    place: OwnedSemaphorePermit,
    of_the_realm: OwnedSemaphorePermit,
    of_the_slow: Option<OwnedSemaphorePermit>,
    of_the_router: OwnedSemaphorePermit,
}

impl Bulkhead {
    pub fn new(limits: RealmLimits) -> Self {
        let count = |limit: u32| (limit as usize).min(Semaphore::MAX_PERMITS);
        Self {
            logins: Arc::new(Semaphore::new(count(limits.logins))),
            places: Arc::new(Semaphore::new(count(
                limits.calls.saturating_add(limits.queue),
            ))),
            calls: Arc::new(Semaphore::new(count(limits.calls))),
            warm: Arc::new(Semaphore::new(WARM)),
            refused: Refused::default(),
            limits,
        }
    }

    /// Lets a login begin, before anything is looked at that it says.
    pub fn enter(&self) -> Result<LoginPlace, Full> {
        Arc::clone(&self.logins)
            .try_acquire_owned()
            .map(LoginPlace)
            .map_err(|_| {
                self.refused.logins.fetch_add(1, Relaxed);
                Full(self.limits.logins)
            })
    }

    pub fn load(&self) -> BulkheadLoad {
        let RealmLimits {
            logins,
            calls,
            queue,
            ..
        } = self.limits;
        let taken = |of: u32, semaphore: &Semaphore| {
            (of as usize).saturating_sub(semaphore.available_permits())
        };
        // Looked at one after the other: those that wait are told one too many or too few at times.
        let places = taken(calls.saturating_add(queue), &self.places);
        let calls = taken(calls, &self.calls);
        BulkheadLoad {
            logins: taken(logins, &self.logins),
            calls,
            waiting: places.saturating_sub(calls),
            refused: [
                ("logins", &self.refused.logins),
                ("queue", &self.refused.queue),
                ("wait", &self.refused.wait),
            ]
            .map(|(limit, count)| (limit, count.load(Relaxed))),
        }
    }

    /// Waits for room for a call, not for long; `is_slow` is one of a method that takes long. It comes
    /// before there is an instance, so before the method can look at any credential.
    pub(super) async fn call(&self, runtime: &Runtime, is_slow: bool) -> Result<Room, Fault> {
        let RealmLimits {
            calls, queue, wait, ..
        } = self.limits;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            self.refused.queue.fetch_add(1, Relaxed);
            Fault::Overload(format!(
                "{calls} calls of the realm's methods are under way, and {queue} wait, the most \
                 that there may be (limit: queue)"
            ))
        })?;
        let room = async {
            Ok(Room {
                place,
                of_the_realm: permit(&self.calls).await?,
                of_the_slow: if is_slow {
                    Some(permit(runtime.behind().places()).await?)
                } else {
                    None
                },
                of_the_router: runtime.permit().await?,
            })
        };
        timeout(wait, room).await.unwrap_or_else(|_| {
            self.refused.wait.fetch_add(1, Relaxed);
            Err(Fault::Overload(format!(
                "there was no room for a call within {} ms (limit: wait)",
                wait.as_millis()
            )))
        })
    }

    /// A place for an instance that stays. None: it must go.
    pub(super) fn keep_warm(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.warm).try_acquire_owned().ok()
    }
}

/// The bulkhead of each realm that has one.
#[derive(Debug, Default)]
pub struct Bulkheads(Mutex<HashMap<Arc<str>, Weak<Bulkhead>>>);

impl Bulkheads {
    /// The realm's, if it has one with these limits, or a new one.
    pub fn of(&self, realm: &Arc<str>, limits: RealmLimits) -> Arc<Bulkhead> {
        let mut bulkheads = self.0.lock();
        let known = bulkheads.get(realm).and_then(Weak::upgrade);
        if let Some(bulkhead) = known.filter(|known| known.limits == limits) {
            return bulkhead;
        }
        bulkheads.retain(|_, bulkhead| bulkhead.strong_count() > 0);
        let bulkhead = Arc::new(Bulkhead::new(limits));
        bulkheads.insert(Arc::clone(realm), Arc::downgrade(&bulkhead));
        bulkhead
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
