//! Where a call runs: among all others for as long as it is short, and behind them when it takes long.
//!
//! Most calls take less than a millisecond. One that takes its whole limit would, with a few dozen of
//! its like, keep everybody's logins waiting for seconds: each is within its limits, and they take turns.
//! So a call that is found to be long goes on on threads that the kernel lets run when the others leave
//! it time, and so do the next calls of its method from their beginning, until one is short again. A
//! method that computes much is none the slower where there is time.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use tokio::{runtime, sync::Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::priority;

/// What a short call takes of the CPU at most, after its first tick. A tick by itself tells nothing: it
/// may come just after the call has begun, or while the kernel has let somebody else run.
const SHORT: Duration = Duration::from_millis(5);

/// Ticks that a guest has run for.
pub(super) type Ticks = Arc<AtomicU32>;

/// What is to be polled until a call is over.
pub(super) type Running<T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send>>;

/// Whether a method's calls are short, as far as was seen lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    is_slow: AtomicBool,
}

impl Pace {
    pub(super) fn is_slow(&self) -> bool {
        self.is_slow.load(Relaxed)
    }

    /// A call was long, or it has failed: what fails may cost much without running for long, such as
    /// one that has the kernel find it memory.
    pub(super) fn slow(&self) {
        self.set(true);
    }

    fn set(&self, is_slow: bool) {
        // Hardly ever another value than before, and many threads read it.
        if self.is_slow() != is_slow {
            self.is_slow.store(is_slow, Relaxed);
        }
    }
}

/// Threads that make way for all others.
pub(super) struct Threads {
    /// There until this is dropped.
    runtime: Option<runtime::Runtime>,
    handle: runtime::Handle,
}

impl Threads {
    pub(super) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let others = priority::nice()?;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name(name)
            .enable_all()
            .on_thread_start(move || {
                if let Err(error) = priority::make_way(others) {
                    tracing::warn!(%error, "what can wait cannot be made to wait for logins");
                }
            })
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Has them do what they are given, for as long as the handle is there.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        AbortOnDropHandle::new(self.handle.spawn(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // What they do is aborted. Waiting for that is not for a thread that serves.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Where long calls run.
pub(super) struct Behind {
    threads: Threads,
    /// For the calls of slow methods: all instances must not be theirs.
    places: Arc<Semaphore>,
}

impl Behind {
    pub(super) fn start(places: usize) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, Into::into);
        Ok(Self {
            threads: Threads::start("behind", threads)?,
            places: Arc::new(Semaphore::new(places)),
        })
    }

    pub(super) const fn places(&self) -> &Arc<Semaphore> {
        &self.places
    }

    /// Runs a call of a method with this pace. Whoever drops the future ends the call: at once, or at
    /// its next tick.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        pace: &Pace,
        ticks: &Ticks,
        mut call: Running<T>,
    ) -> wasmtime::Result<T> {
        if !pace.is_slow() {
            let mut used = Duration::ZERO;
            let short = std::future::poll_fn(|context| {
                // Asking for the time is a system call, and most calls are over before the first tick.
                let polled = match ticks.load(Relaxed) {
                    0 => call.as_mut().poll(context),
                    _ => timed(&mut call, context, &mut used),
                };
                match polled {
                    Poll::Ready(returned) => Poll::Ready(Some(returned)),
                    Poll::Pending if used > SHORT => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            if let Some(returned) = short.await {
                return returned;
            }
            pace.slow();
        }
        let timed = async move {
            let mut used = Duration::ZERO;
            let returned = std::future::poll_fn(|context| timed(&mut call, context, &mut used));
            (returned.await, used)
        };
        match self.threads.spawn(timed).await {
            Ok((returned, used)) => {
                if used <= SHORT {
                    pace.set(false);
                }
                returned
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(wasmtime::Error::msg("the router is stopping")),
            },
        }
    }
}

/// Polls a call, and adds what that took of the CPU.
fn timed<T>(
    call: &mut Running<T>,
    context: &mut Context<'_>,
    used: &mut Duration,
) -> Poll<wasmtime::Result<T>> {
    let since = cpu_time();
    let polled = call.as_mut().poll(context);
    *used += cpu_time().saturating_sub(since);
    polled
}

/// Of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(time.tv_nsec.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;

    use super::*;

    fn thread_name() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    /// A guest that runs for so many ticks and takes so long for each, and where it has ended.
    fn guest(ticks: &Ticks, runs: u32, each: Duration) -> Running<String> {
        let ticks = Arc::clone(ticks);
        Box::pin(async move {
            for _ in 0..runs {
                let since = cpu_time();
                while cpu_time().saturating_sub(since) <= each {}
                ticks.fetch_add(1, Relaxed);
                yield_now().await;
            }
            Ok(thread_name())
        })
    }

    #[tokio::test]
    async fn a_call_goes_behind_when_it_is_found_to_be_long() {
        let (behind, pace) = (Behind::start(1).unwrap(), Pace::default());
        for (runs, each, is_behind, is_slow) in [
            (0, SHORT, false, false),
            (1, SHORT, false, false),
            // Many ticks, and little done: others had the CPU.
            (9, Duration::ZERO, false, false),
            (3, SHORT, true, true),
            (2, SHORT, true, true),
            // From its beginning, and the next no more.
            (1, Duration::ZERO, true, false),
            (1, Duration::ZERO, false, false),
        ] {
            let ticks = Ticks::default();
            let call = guest(&ticks, runs, each);
            let ended_on = behind.run(&pace, &ticks, call).await.unwrap();
            let found = (ended_on == "behind", pace.is_slow());
            assert_eq!(found, (is_behind, is_slow), "{runs} of {each:?}");
        }
    }

    #[tokio::test]
    async fn a_call_that_only_waits_is_not_long() {
        let (behind, pace) = (Behind::start(1).unwrap(), Pace::default());
        let ticks = Ticks::default();
        let waiting = Box::pin(async {
            for _ in 0..100 {
                yield_now().await;
            }
            Ok(thread_name())
        });
        let ended_on = behind.run(&pace, &ticks, waiting).await.unwrap();
        assert_ne!(ended_on, "behind");
        assert!(!pace.is_slow());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_ended_behind_too() {
        let (behind, pace) = (Behind::start(1).unwrap(), Pace::default());
        pace.slow();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let held = Arc::new(());
        let call: Running<()> = {
            let held = Arc::clone(&held);
            Box::pin(async move {
                begun.send(()).unwrap();
                std::future::pending::<()>().await;
                drop(held);
                Ok(())
            })
        };
        let ticks = Ticks::default();
        tokio::select! {
            _ = behind.run(&pace, &ticks, call) => unreachable!("it does not end"),
            begun = has_begun => begun.unwrap(),
        }
        while Arc::strong_count(&held) > 1 {
            yield_now().await;
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_make_way() {
        let nice = || priority::nice().unwrap();
        let (behind, pace) = (Behind::start(1).unwrap(), Pace::default());
        pace.slow();
        let wanted = priority::behind(nice());
        let ticks = Ticks::default();
        let call = behind.run(&pace, &ticks, Box::pin(async move { Ok(nice()) }));
        assert_eq!(call.await.unwrap(), wanted);

        // Those for what blocks are started by one of these: they do not make way twice.
        let chores = Threads::start("chores", 1).unwrap();
        let blocking = async move { tokio::task::spawn_blocking(nice).await.unwrap() };
        assert_eq!(chores.spawn(blocking).await.unwrap(), wanted);
    }
}
