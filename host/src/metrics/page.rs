use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

use crate::observe::Spread;

/// Writes families of metrics.
pub(super) struct Page<'a>(DescriptorEncoder<'a>);

/// What tells the samples of a family apart.
pub(super) type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

impl<'a> Page<'a> {
    pub(super) const fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    /// What there is now.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let write = |mut encoder: MetricEncoder<'_>, value: &u64| encoder.encode_gauge(value);
        self.family(name, help, MetricType::Gauge, samples, write)
    }

    /// What there was since the beginning. The name is without its `_total`.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let write = |mut encoder: MetricEncoder<'_>, value: &u64| {
            encoder.encode_counter::<NoLabelSet, u64, u64>(value, None)
        };
        self.family(name, help, MetricType::Counter, samples, write)
    }

    /// How long something took, in seconds.
    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, Spread)>,
    ) -> fmt::Result {
        let write = |mut encoder: MetricEncoder<'_>, spread: &Spread| {
            encoder.encode_histogram::<NoLabelSet>(
                spread.sum.as_secs_f64(),
                spread.count(),
                &spread.buckets,
                None,
            )
        };
        self.family(name, help, MetricType::Histogram, samples, write)
    }

    /// A family without samples is left out.
    fn family<'l, const N: usize, T>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels<'l, N>, T)>,
        write: impl Fn(MetricEncoder<'_>, &T) -> fmt::Result,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            write(family.encode_family(&labels)?, &value)?;
        }
        Ok(())
    }
}
