use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::PasswordHash;

/// Where password checks wait their turn. One for the whole process, since what it shares out is
/// the machine: every check takes a core for tens of milliseconds and 19 MiB of memory.
///
/// First come, first served. A check that has begun runs to its end and holds its place until then,
/// also when nobody waits for it any more; one that still waits leaves when its future is dropped.
#[derive(Clone, Debug)]
pub struct PasswordQueue {
    /// A place for each check that runs or waits.
    places: Arc<Semaphore>,
    /// A turn for each check that runs.
    turns: Arc<Semaphore>,
}

/// Why a password was not checked. Neither says anything about the password or about whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Too many checks wait already, or there is no memory for another one.
    #[error("too many passwords wait to be checked")]
    Overloaded,
    /// The router is shutting down.
    #[error("the password check was stopped")]
    Stopped,
}

impl PasswordQueue {
    /// Lets `running` checks run at once, and `waiting` more wait.
    #[must_use]
    pub fn new(running: usize, waiting: usize) -> Self {
        let running = running.clamp(1, Semaphore::MAX_PERMITS);
        let places = running.saturating_add(waiting).min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            turns: Arc::new(Semaphore::new(running)),
        }
    }

    pub(super) async fn verify(
        &self,
        hash: PasswordHash,
        candidate: Zeroizing<String>,
    ) -> Result<bool, VerifyError> {
        self.run(move || {
            hash.verify(&candidate).map_err(|error| {
                tracing::error!(%error, "a password could not be checked");
                VerifyError::Overloaded
            })
        })
        .await?
    }

    /// Runs slow work on a thread for such when its turn comes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, VerifyError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| VerifyError::Overloaded)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| VerifyError::Stopped)?;
        spawn_blocking(move || {
            let outcome = work();
            drop((turn, place));
            outcome
        })
        .await
        .map_err(|_| VerifyError::Stopped)
    }
}

impl Default for PasswordQueue {
    /// All cores but one check passwords, so that other logins go on beside them. 64 wait for each:
    /// at 27 ms a check the last one waits for less than 2 s, which clients bear.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let running = cores.saturating_sub(1).max(1);
        Self::new(running, 64 * running)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::task::Poll;

    use super::*;

    /// Polls once; a check that got a place is then running or waiting.
    async fn begin<F: Future + Unpin>(check: &mut F) -> Poll<F::Output> {
        poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *check).poll(cx))).await
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_serves_the_others_in_turn() {
        let queue = PasswordQueue::new(1, 1);
        let (release, released) = mpsc::channel::<()>();
        let mut first = pin!(queue.run(move || released.recv().is_ok()));
        let mut second = pin!(queue.run(|| "second"));
        assert!(begin(&mut first).await.is_pending());
        assert!(begin(&mut second).await.is_pending());

        assert_eq!(queue.run(|| ()).await, Err(VerifyError::Overloaded));

        release.send(()).unwrap();
        assert_eq!(first.await, Ok(true));
        assert_eq!(second.await, Ok("second"));
        assert_eq!(queue.run(|| "again").await, Ok("again"));
    }

    #[tokio::test]
    async fn one_who_leaves_while_waiting_frees_the_place() {
        let queue = PasswordQueue::new(1, 1);
        let (release, released) = mpsc::channel::<()>();
        let mut first = pin!(queue.run(move || released.recv().is_ok()));
        assert!(begin(&mut first).await.is_pending());
        {
            let mut second = pin!(queue.run(|| ()));
            assert!(begin(&mut second).await.is_pending());
        }
        let mut third = pin!(queue.run(|| "third"));
        assert!(begin(&mut third).await.is_pending());
        release.send(()).unwrap();
        assert_eq!(third.await, Ok("third"));
    }

    #[tokio::test]
    async fn one_who_leaves_while_running_keeps_the_turn_until_the_end() {
        let queue = PasswordQueue::new(1, 0);
        let (release, released) = mpsc::channel::<()>();
        {
            let mut first = pin!(queue.run(move || released.recv().is_ok()));
            assert!(begin(&mut first).await.is_pending());
        }
        assert_eq!(queue.run(|| ()).await, Err(VerifyError::Overloaded));
        release.send(()).unwrap();
        // The turn comes back when the work ends, and with it the place.
        drop(queue.turns.acquire().await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_run_than_have_turns() {
        let queue = PasswordQueue::new(2, 100);
        let running = Arc::new(AtomicUsize::new(0));
        let checks: Vec<_> = (0..100)
            .map(|_| {
                let (queue, running) = (queue.clone(), Arc::clone(&running));
                tokio::spawn(async move {
                    queue
                        .run(move || {
                            let at_once = running.fetch_add(1, Ordering::SeqCst) + 1;
                            std::thread::yield_now();
                            running.fetch_sub(1, Ordering::SeqCst);
                            at_once
                        })
                        .await
                })
            })
            .collect();
        for check in checks {
            assert!(check.await.unwrap().unwrap() <= 2);
        }
    }

    #[tokio::test]
    async fn a_panic_in_the_work_frees_its_place() {
        let queue = PasswordQueue::new(1, 0);
        assert_eq!(
            queue.run(|| panic!("broken")).await,
            Err::<(), _>(VerifyError::Stopped)
        );
        assert_eq!(queue.run(|| "next").await, Ok("next"));
    }
}
