//! Logins at a fixed rate, whatever becomes of those before.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::{JoinSet, yield_now};

use crate::load::Sample;

/// What became of logins that came at a fixed rate.
#[derive(Debug, Default)]
pub struct Paced {
    /// From when each login was due to when it was over: who had to wait waits in here too.
    pub latencies: Vec<Duration>,
    pub failed: u64,
}

impl Paced {
    pub fn p99(&self) -> Result<Duration> {
        let sample = Sample {
            operations: 0,
            wall: Duration::ZERO,
            latencies: self.latencies.clone(),
        };
        sample.percentile(99).context("no login came about")
    }
}

/// Begins so many logins a second, until told to end.
pub async fn paced<L>(
    rate: u32,
    mut goes_on: impl FnMut() -> bool,
    login: impl Fn() -> L,
) -> Result<Paced>
where
    L: Future<Output = Result<()>> + Send + 'static,
{
    let gap = Duration::from_secs(1) / rate;
    let mut logins = JoinSet::new();
    let mut due = Instant::now();
    while goes_on() {
        // Timers are for whole milliseconds, which is about what a login takes.
        while Instant::now() < due {
            yield_now().await;
        }
        let (login, since) = (login(), due);
        logins.spawn(async move { login.await.map(|()| since.elapsed()) });
        due += gap;
    }
    let mut paced = Paced {
        latencies: Vec::new(),
        failed: 0,
    };
    while let Some(login) = logins.join_next().await {
        match login? {
            Ok(latency) => paced.latencies.push(latency),
            Err(error) => {
                if paced.failed == 0 {
                    xtask::say(format_args!("a login failed: {error:#}"));
                }
                paced.failed += 1;
            }
        }
    }
    Ok(paced)
}

/// For so long from now on.
pub fn lasting(length: Duration) -> impl FnMut() -> bool {
    let end = Instant::now() + length;
    move || Instant::now() < end
}
