use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{PasswordHash, Realm};

/// Where password checks wait their turn. One for the whole process, since what it shares out is
/// the machine: every check takes a core for tens of milliseconds and 19 MiB of memory.
///
/// Realms take turns, and each realm's checks are served in the order they came. So a realm with
/// many of them waits for itself: another's first check comes after one of each other realm at most.
/// While others wait no realm runs more than half of all, and none ever takes more than half of the
/// places to wait in. A check that has begun runs to its end and holds its turn until then, also when
/// nobody waits for it any more; one that still waits leaves when its future is dropped.
#[derive(Clone, Debug)]
pub struct PasswordQueue(Arc<Mutex<Lines>>, Lane);

/// Whose checks they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// Those of logins.
    Usual,
    /// Those that nobody waits for. One at a time, and none begins while a login's runs or waits; it
    /// takes no place of theirs, so a login that comes meanwhile begins at once.
    Beside,
}

/// What is in a queue, and what was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLoad {
    pub running: usize,
    pub waiting: usize,
    /// Checks that there was no place for,
    pub overloaded: u64,
    /// and whose turn did not come in time.
    pub late: u64,
}

/// What the queue may take of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueBounds {
    /// Checks that run at one time.
    pub running: usize,
    /// Checks that wait.
    pub waiting: usize,
    /// How long one waits at most.
    pub wait: Duration,
    /// Octets that the checks have together that run at one time. One alone may have more.
    pub memory: usize,
}

/// Why a password was not checked. Neither says anything about the password or about whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Too many checks wait already, or there is no memory for another one.
    #[error("too many passwords wait to be checked")]
    Overloaded,
    /// The check waited for as long as it may.
    #[error("the password's turn to be checked did not come within {} ms", .0.as_millis())]
    Late(Duration),
    /// The router is shutting down.
    #[error("the password check was stopped")]
    Stopped,
}

/// Those that run and those that wait.
#[derive(Debug)]
struct Lines {
    bounds: QueueBounds,
    running: usize,
    /// Octets that those have that run.
    memory: usize,
    waiting: usize,
    /// Of each realm that has a check here.
    realms: HashMap<Realm, Line>,
    /// Realms with checks that wait. The first one is next.
    round: VecDeque<Realm>,
    /// Each check that waits has a number of its own.
    last: u64,
    /// Whether one runs that nobody waits for.
    has_one_beside: bool,
    overloaded: u64,
    late: u64,
}

#[derive(Debug, Default)]
struct Line {
    running: usize,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    memory: usize,
    called: oneshot::Sender<Turn>,
}

/// The right to run, until it is dropped.
#[derive(Debug)]
struct Turn {
    queue: PasswordQueue,
    realm: Realm,
    memory: usize,
}

/// A place in the queue: it is given up when this is dropped.
struct Place<'a> {
    queue: &'a PasswordQueue,
    realm: &'a Realm,
    number: u64,
}

impl PasswordQueue {
    #[must_use]
    pub fn new(bounds: QueueBounds) -> Self {
        let running = bounds.running.max(1);
        Self(
            Arc::new(Mutex::new(Lines {
                bounds: QueueBounds { running, ..bounds },
                running: 0,
                memory: 0,
                waiting: 0,
                realms: HashMap::new(),
                round: VecDeque::new(),
                last: 0,
                has_one_beside: false,
                overloaded: 0,
                late: 0,
            })),
            Lane::Usual,
        )
    }

    /// The same for what nobody waits for: its checks run while there are no others, or not at all.
    #[must_use]
    pub(super) fn beside(&self) -> Self {
        Self(Arc::clone(&self.0), Lane::Beside)
    }

    #[must_use]
    pub fn load(&self) -> QueueLoad {
        let lines = self.0.lock();
        QueueLoad {
            running: lines.running,
            waiting: lines.waiting,
            overloaded: lines.overloaded,
            late: lines.late,
        }
    }

    pub(super) async fn verify(
        &self,
        realm: &Realm,
        hash: PasswordHash,
        candidate: Zeroizing<String>,
    ) -> Result<bool, VerifyError> {
        self.run(realm, hash.memory(), move || {
            hash.verify(&candidate).map_err(|error| {
                tracing::error!(%error, "a password could not be checked");
                VerifyError::Overloaded
            })
        })
        .await?
    }

    /// Runs slow work, which needs so many octets, on a thread for such when its turn comes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        realm: &Realm,
        memory: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, VerifyError> {
        let turn = self.turn(realm, memory).await?;
        spawn_blocking(move || {
            let outcome = work();
            drop(turn);
            outcome
        })
        .await
        .map_err(|_| VerifyError::Stopped)
    }

    async fn turn(&self, realm: &Realm, memory: usize) -> Result<Turn, VerifyError> {
        if self.1 == Lane::Beside {
            return self.turn_beside(realm);
        }
        let (called, call) = oneshot::channel();
        let (number, wait, next) = {
            let mut lines = self.0.lock();
            let joined = lines.join(realm, memory, called);
            lines.overloaded += u64::from(joined.is_err());
            let number = joined?;
            (number, lines.bounds.wait, lines.next())
        };
        self.call(next);
        let _place = Place {
            queue: self,
            realm,
            number,
        };
        let Ok(turn) = timeout(wait, call).await else {
            self.0.lock().late += 1;
            return Err(VerifyError::Late(wait));
        };
        turn.map_err(|_| VerifyError::Stopped)
    }

    fn turn_beside(&self, realm: &Realm) -> Result<Turn, VerifyError> {
        let mut lines = self.0.lock();
        if lines.has_one_beside || lines.running > 0 || lines.waiting > 0 {
            return Err(VerifyError::Overloaded);
        }
        lines.has_one_beside = true;
        drop(lines);
        Ok(Turn {
            queue: self.clone(),
            realm: realm.clone(),
            memory: 0,
        })
    }

    /// Lets run whose turn it is. Not under the lock: who left meanwhile gives the turn back.
    fn call(&self, next: Vec<(Realm, Waiting)>) {
        for (realm, waiting) in next {
            let turn = Turn {
                queue: self.clone(),
                realm,
                memory: waiting.memory,
            };
            _ = waiting.called.send(turn);
        }
    }
}

impl Lines {
    fn join(
        &mut self,
        realm: &Realm,
        memory: usize,
        called: oneshot::Sender<Turn>,
    ) -> Result<u64, VerifyError> {
        let line = self.realms.entry(realm.clone()).or_default();
        let runs_at_once = self.waiting == 0
            && self.running < self.bounds.running
            && (self.running == 0 || self.memory.saturating_add(memory) <= self.bounds.memory);
        let has_place = self.waiting < self.bounds.waiting
            && line.waiting.len() < self.bounds.waiting.div_ceil(2);
        if !runs_at_once && !has_place {
            self.forget(realm);
            return Err(VerifyError::Overloaded);
        }
        self.last += 1;
        if line.waiting.is_empty() {
            self.round.push_back(realm.clone());
        }
        line.waiting.push_back(Waiting {
            number: self.last,
            memory,
            called,
        });
        self.waiting += 1;
        Ok(self.last)
    }

    /// Takes out those who may run now.
    fn next(&mut self) -> Vec<(Realm, Waiting)> {
        let mut next = Vec::new();
        while self.running < self.bounds.running {
            let Some(place) = self.whose_turn() else {
                break;
            };
            let Some(realm) = self.round.get(place).cloned() else {
                break;
            };
            let Some(line) = self.realms.get_mut(&realm) else {
                break;
            };
            let Some(first) = line.waiting.front() else {
                break;
            };
            // Those behind it, who may need less, do not go first: it would never have its turn.
            let memory = self.memory.saturating_add(first.memory);
            if self.running > 0 && memory > self.bounds.memory {
                break;
            }
            let Some(first) = line.waiting.pop_front() else {
                break;
            };
            line.running += 1;
            let has_more = !line.waiting.is_empty();
            self.round.remove(place);
            if has_more {
                self.round.push_back(realm.clone());
            }
            self.running += 1;
            self.waiting -= 1;
            self.memory = memory;
            next.push((realm, first));
        }
        next
    }

    /// The first realm that runs less than half of what may run; the first of all if there is none.
    fn whose_turn(&self) -> Option<usize> {
        let half = (self.bounds.running / 2).max(1);
        let runs_less = |realm: &Realm| {
            self.realms
                .get(realm)
                .is_some_and(|line| line.running < half)
        };
        let found = self.round.iter().position(runs_less);
        found.or_else(|| (!self.round.is_empty()).then_some(0))
    }

    fn leave(&mut self, realm: &Realm, number: u64) {
        let Some(line) = self.realms.get_mut(realm) else {
            return;
        };
        let before = line.waiting.len();
        line.waiting.retain(|waiting| waiting.number != number);
        self.waiting -= before - line.waiting.len();
        if line.waiting.is_empty() {
            self.round.retain(|waiting| waiting != realm);
        }
        self.forget(realm);
    }

    fn end(&mut self, realm: &Realm, memory: usize) {
        self.running -= 1;
        self.memory -= memory;
        if let Some(line) = self.realms.get_mut(realm) {
            line.running -= 1;
        }
        self.forget(realm);
    }

    /// Keeps nothing of a realm that has nothing here.
    fn forget(&mut self, realm: &Realm) {
        let is_empty = |line: &Line| line.running == 0 && line.waiting.is_empty();
        if self.realms.get(realm).is_some_and(is_empty) {
            self.realms.remove(realm);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let next = {
            let mut lines = self.queue.0.lock();
            lines.leave(self.realm, self.number);
            // Whoever stands behind one that needed much memory may need less.
            lines.next()
        };
        self.queue.call(next);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut lines = self.queue.0.lock();
            if self.queue.1 == Lane::Beside {
                lines.has_one_beside = false;
                return;
            }
            lines.end(&self.realm, self.memory);
            lines.next()
        };
        self.queue.call(next);
    }
}

impl QueueBounds {
    /// As many octets as checks of the usual cost take, but always enough for the dearest one.
    #[must_use]
    pub fn usual_memory(running: usize) -> usize {
        let dearest = PasswordHash::MAX_M as usize * 1024;
        running
            .saturating_mul(PasswordHash::USUAL_MEMORY)
            .max(dearest)
    }
}

impl Default for QueueBounds {
    /// All cores but one check passwords, so that other logins go on beside them. 64 wait for each:
    /// at 27 ms a check the last one waits for less than 2 s, which clients bear.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let running = cores.saturating_sub(1).max(1);
        Self {
            running,
            waiting: 64 * running,
            wait: Duration::from_secs(5),
            memory: Self::usual_memory(running),
        }
    }
}

impl Default for PasswordQueue {
    fn default() -> Self {
        Self::new(QueueBounds::default())
    }
}

#[cfg(test)]
mod tests;
