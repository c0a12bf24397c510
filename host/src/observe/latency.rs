use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Four to each power of two: a percentile is told 25 % too high at most.
const TO_THE_DOUBLE: u32 = 4;

/// From 1 µs to 2^26 µs, which is a minute; the last has all that took longer.
const BUCKETS: usize = 26 * TO_THE_DOUBLE as usize;

/// The bounds that a [`Spread`] has: 2^6 µs to 2^24 µs, each four times the one before.
const BOUNDS: [u32; 10] = [6, 8, 10, 12, 14, 16, 18, 20, 22, 24];

/// How long calls took: counts in buckets of fixed bounds, so that it costs a call two additions,
/// and half a kilobyte for each revision that is asked at all.
#[derive(Debug, Default)]
pub struct Latency {
    buckets: OnceLock<Box<Buckets>>,
    total_us: AtomicU64,
}

type Buckets = [AtomicU32; BUCKETS];

/// Of what was never asked.
static NONE: Buckets = [const { AtomicU32::new(0) }; BUCKETS];

/// How many calls took how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Those between the bound before and this one, in seconds.
    pub buckets: [(f64, u64); BOUNDS.len()],
    /// Those above the last bound.
    pub longer: u64,
    pub sum: Duration,
}

impl Spread {
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum::<u64>() + self.longer
    }
}

impl Latency {
    pub fn note(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let buckets = self
            .buckets
            .get_or_init(|| Box::new([const { AtomicU32::new(0) }; BUCKETS]));
        if let Some(bucket) = buckets.get(bucket(us)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.total_us.fetch_add(us, Relaxed);
    }

    /// None where there were no calls.
    pub fn mean(&self) -> Option<Duration> {
        let total = self.total_us.load(Relaxed);
        total.checked_div(self.count()).map(Duration::from_micros)
    }

    /// What so many of a hundred calls did not take longer than.
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = (count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = self.buckets().iter().position(|bucket| {
            seen += u64::from(bucket.load(Relaxed));
            seen >= wanted
        });
        Some(Duration::from_micros(above(reached.unwrap_or(BUCKETS - 1))))
    }

    /// The same in a few buckets, for those who add up many of these.
    pub fn spread(&self) -> Spread {
        let mut counts = self.buckets().iter().map(|it| u64::from(it.load(Relaxed)));
        let mut below = 0;
        let mut buckets = [(0.0, 0); BOUNDS.len()];
        for (bucket, bound) in buckets.iter_mut().zip(BOUNDS) {
            let wanted = (bound * TO_THE_DOUBLE) as usize;
            let count = counts.by_ref().take(wanted - below).sum();
            below = wanted;
            *bucket = (Duration::from_micros(1 << bound).as_secs_f64(), count);
        }
        Spread {
            buckets,
            longer: counts.sum(),
            sum: Duration::from_micros(self.total_us.load(Relaxed)),
        }
    }

    fn buckets(&self) -> &Buckets {
        self.buckets.get().map_or(&NONE, |buckets| buckets)
    }

    fn count(&self) -> u64 {
        let counts = self.buckets().iter().map(|it| u64::from(it.load(Relaxed)));
        counts.sum()
    }
}

/// Which bucket a time is counted in.
fn bucket(us: u64) -> usize {
    let us = us.max(1);
    let double = us.ilog2();
    // The two bits below the leading one.
    let quarter = if double >= 2 {
        (us >> (double - 2)) & 3
    } else {
        (us << (2 - double)) & 3
    };
    let index = double * TO_THE_DOUBLE + u32::try_from(quarter).unwrap_or_default();
    (index as usize).min(BUCKETS - 1)
}

/// The least time, in microseconds, that is above a bucket.
fn above(bucket: usize) -> u64 {
    let next = bucket as u64 + 1;
    let (double, quarter) = (
        next / u64::from(TO_THE_DOUBLE),
        next % u64::from(TO_THE_DOUBLE),
    );
    // (4 + quarter) quarters of 2^double, rounded up.
    ((4 + quarter) << double).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_told_a_quarter_too_high_at_most(us in 1_u64..60_000_000) {
            let latency = Latency::default();
            latency.note(Duration::from_micros(us));
            let told = latency.percentile(99).unwrap();
            let told = u64::try_from(told.as_micros()).unwrap();
            prop_assert!(told >= us, "{us} µs are told as {told}");
            prop_assert!(told <= us + us / 4 + 1, "{us} µs are told as {told}");
            prop_assert_eq!(latency.mean(), Some(Duration::from_micros(us)));
        }
    }

    proptest! {
        #[test]
        fn a_spread_has_every_call_in_the_bucket_of_its_time(
            times in proptest::collection::vec(1_u64..100_000_000, 0..100)
        ) {
            let latency = Latency::default();
            for us in &times {
                latency.note(Duration::from_micros(*us));
            }
            let spread = latency.spread();
            let mut least = 0.0;
            for (bound, count) in spread.buckets {
                let within = |us: &&u64| {
                    let time = Duration::from_micros(**us).as_secs_f64();
                    time >= least && time < bound
                };
                prop_assert_eq!(count, times.iter().filter(within).count() as u64);
                least = bound;
            }
            prop_assert_eq!(spread.count(), times.len() as u64);
            prop_assert_eq!(spread.sum, Duration::from_micros(times.iter().sum()));
        }
    }

    #[test]
    fn one_slow_call_of_a_hundred_is_above_the_99th_percentile() {
        let latency = Latency::default();
        assert_eq!(latency.percentile(99), None);
        assert_eq!(latency.mean(), None);
        for _ in 0..99 {
            latency.note(Duration::from_micros(100));
        }
        latency.note(Duration::from_hours(1));
        assert_eq!(latency.percentile(99), Some(Duration::from_micros(112)));
        assert!(latency.percentile(100) > Some(Duration::from_mins(1)));
    }
}
