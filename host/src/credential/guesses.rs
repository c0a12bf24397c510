//! Wrong answers: how many of them there were in a row, and when there may be another.
//!
//! A store keeps the [`Tally`] of each authid, so that neither a restart nor another process makes
//! it forget. The [`Book`] beside it holds the guesses that are being looked at: of any number that
//! come at the same time, only so many are looked at as would not exceed the bounds if all of them
//! were wrong. The others wait, since those before them may be right.
//!
//! Whoever comes from where a right answer has come from lately is counted apart from all others. So
//! strangers who guess lock out strangers, and not the one whose name they guess with.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use super::{Authid, Kind, Realm, Store, StoreError};

/// What wrong answers lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Wrong answers in a row that lead to the first lock. At least 1.
    pub most: u32,
    /// How long that lasts; each further wrong answer makes the next lock twice as long.
    pub lock: Duration,
    /// No lock lasts longer,
    pub longest: Duration,
    /// but for the one after so many wrong answers in a row, which stays until it is lifted.
    pub total: u32,
}

/// When no answer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    Until(SystemTime),
    UntilLifted,
}

/// The wrong answers of one authid to methods of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Since the last right one.
    pub wrong: u32,
    /// Answers that came during a lock, which may have been right or wrong.
    pub refused: u32,
    /// The lock that the last wrong answer led to. It may be over.
    pub lock: Option<Lock>,
}

/// How long a source is known after its last right answer.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// How old that may become before another one is taken note of, which is a write to the disk.
const NOTED_FOR: Duration = Duration::from_hours(24);

/// Where an answer comes from: two that are told apart are two texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GuessSource(Arc<str>);

impl GuessSource {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose answers are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guesser {
    pub realm: Realm,
    /// The kind of credential that is guessed at. For a method without credentials, its step's name.
    pub kind: Kind,
    pub authid: Authid,
    /// The source, where it is known. None: those of all others.
    pub known: Option<GuessSource>,
}

impl Bounds {
    /// The lock that so many wrong answers in a row lead to.
    #[must_use]
    pub fn lock_after(&self, wrong: u32, now: SystemTime) -> Option<Lock> {
        let further = wrong.checked_sub(self.most)?;
        if wrong >= self.total {
            return Some(Lock::UntilLifted);
        }
        let factor = 2_u32.checked_pow(further).unwrap_or(u32::MAX);
        let time = self.lock.saturating_mul(factor).min(self.longest);
        Some(now.checked_add(time).map_or(Lock::UntilLifted, Lock::Until))
    }
}

impl Tally {
    /// The tally after one more wrong answer.
    #[must_use]
    pub fn one_more(self, bounds: &Bounds, now: SystemTime) -> Self {
        let wrong = self.wrong.saturating_add(1);
        Self {
            wrong,
            lock: bounds.lock_after(wrong, now),
            ..self
        }
    }

    /// The lock, unless it is over.
    #[must_use]
    pub fn locked(&self, now: SystemTime) -> Option<Lock> {
        self.lock.filter(|lock| lock.holds(now))
    }
}

impl Lock {
    fn holds(self, now: SystemTime) -> bool {
        match self {
            Self::Until(end) => now < end,
            Self::UntilLifted => true,
        }
    }
}

/// For the operator: completes "it is locked".
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until(end) => {
                let left = end.duration_since(SystemTime::now()).unwrap_or_default();
                write!(f, "for {} s more", left.as_secs() + 1)
            }
            Self::UntilLifted => f.write_str("until an operator lifts it"),
        }
    }
}

/// The guesses that are being looked at in this process.
#[derive(Default)]
pub(super) struct Book(Mutex<HashMap<Guesser, UnderWay>>);

#[derive(Default)]
struct UnderWay {
    guesses: u32,
    /// Wrong answers that the store could not take in, and until when they are kept here instead.
    unwritten: Option<(u32, SystemTime)>,
    settled: Arc<Notify>,
}

impl UnderWay {
    fn unwritten(&self, now: SystemTime) -> u32 {
        self.unwritten
            .filter(|(_, end)| now < *end)
            .map_or(0, |(wrong, _)| wrong)
    }
}

impl Book {
    /// Waits for its turn. A guess that comes during a lock need not wait: it is not looked at.
    pub(super) async fn begin(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        stranger: Guesser,
        source: &GuessSource,
        bounds: &Bounds,
        clock: fn() -> SystemTime,
    ) -> Result<Guess, StoreError> {
        loop {
            let settled = {
                let mut book = self.0.lock();
                let now = clock();
                let last_right = store.last_right(&stranger, source)?;
                let is_younger = |than: Duration| {
                    last_right
                        .is_some_and(|then| now.duration_since(then).is_ok_and(|age| age < than))
                };
                let guesser = Guesser {
                    known: is_younger(KNOWN_FOR).then(|| source.clone()),
                    ..stranger.clone()
                };
                // Under the lock: a wrong answer is in the store before it leaves the book.
                let mut tally = store.tally(&guesser)?;
                let (under_way, unwritten) = book.get(&guesser).map_or((0, 0), |under_way| {
                    (under_way.guesses, under_way.unwritten(now))
                });
                if unwritten > 0 {
                    tally.wrong = tally.wrong.saturating_add(unwritten);
                    let lock = bounds.lock_after(tally.wrong, now);
                    tally.lock = tally.locked(now).or(lock);
                }
                let lock = tally.locked(now);
                let room = bounds.most.saturating_sub(tally.wrong).max(1);
                if lock.is_some() || under_way < room {
                    if lock.is_none() {
                        book.entry(guesser.clone()).or_default().guesses += 1;
                    }
                    return Ok(Guess {
                        book: Arc::clone(self),
                        store: Arc::clone(store),
                        guesser,
                        source: source.clone(),
                        is_noted: is_younger(NOTED_FOR),
                        bounds: *bounds,
                        clock,
                        tally,
                        lock,
                    });
                }
                let under_way = book.entry(guesser.clone()).or_default();
                Arc::clone(&under_way.settled).notified_owned()
            };
            settled.await;
        }
    }

    fn end(&self, guesser: &Guesser) {
        let mut book = self.0.lock();
        let Some(under_way) = book.get_mut(guesser) else {
            return;
        };
        under_way.guesses = under_way.guesses.saturating_sub(1);
        under_way.settled.notify_waiters();
        if under_way.guesses == 0 && under_way.unwritten.is_none() {
            book.remove(guesser);
        }
    }

    fn keep(&self, guesser: &Guesser, bounds: &Bounds, now: SystemTime) {
        let mut book = self.0.lock();
        let under_way = book.entry(guesser.clone()).or_default();
        let wrong = under_way.unwritten(now).saturating_add(1);
        let end = now.checked_add(bounds.longest).unwrap_or(now);
        under_way.unwritten = Some((wrong, end));
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").finish_non_exhaustive()
    }
}

/// An answer that may be looked at, or one that comes during a lock and is refused whatever it is.
/// Dropped without a word it counts as none: nothing was guessed.
#[derive(Debug)]
pub struct Guess {
    book: Arc<Book>,
    store: Arc<dyn Store>,
    guesser: Guesser,
    source: GuessSource,
    /// A right answer from there was taken note of lately.
    is_noted: bool,
    bounds: Bounds,
    clock: fn() -> SystemTime,
    /// As it was at the beginning.
    tally: Tally,
    lock: Option<Lock>,
}

impl Guess {
    /// The lock during which it comes.
    #[must_use]
    pub fn lock(&self) -> Option<Lock> {
        self.lock
    }

    /// The wrong answers in a row before it.
    #[must_use]
    pub fn wrong_before(&self) -> u32 {
        self.tally.wrong
    }

    /// The answer was right, and its source is known from now on. During a lock nobody knows whether
    /// it was, so then it counts as one that was refused.
    ///
    /// # Errors
    /// If the store cannot be written: then the count stays as it was.
    pub async fn right(self) -> Result<(), StoreError> {
        if self.lock.is_some() {
            return self.wrong().await.map(|_| ());
        }
        if self.tally == Tally::default() && self.is_noted {
            return Ok(());
        }
        self.write(|store, guess| store.note_right(&guess.guesser, &guess.source, (guess.clock)()))
            .await
    }

    /// The answer was wrong, or came during a lock. Returns what that leads to; it is on the disk
    /// then.
    ///
    /// # Errors
    /// If the store cannot be written: then this process remembers the answer.
    pub async fn wrong(self) -> Result<Tally, StoreError> {
        self.write(|store, guess| {
            let now = (guess.clock)();
            if guess.lock.is_some() {
                return store.count_refused(&guess.guesser).map(|()| guess.tally);
            }
            let counted = store.count_wrong(&guess.guesser, &guess.bounds, now);
            if counted.is_err() {
                guess.book.keep(&guess.guesser, &guess.bounds, now);
            }
            counted
        })
        .await
    }

    /// Changes the store on a thread that may wait for a disk, and then leaves the book.
    async fn write<T: Send + 'static>(
        self,
        change: impl FnOnce(&dyn Store, &Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        spawn_blocking(move || change(&*self.store, &self))
            .await
            .map_err(|stopped| StoreError::Failed {
                place: "the credential store".into(),
                doing: "finish a change",
                source: Box::new(stopped),
            })?
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        if self.lock.is_none() {
            self.book.end(&self.guesser);
        }
    }
}

#[cfg(test)]
mod tests;
