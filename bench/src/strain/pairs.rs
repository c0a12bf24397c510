//! Figures that are taken by turns: without a strain, then with it.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Finding, Ratio, median};

/// How long one of a pair is measured, where it is a figure of many logins. Short: what else happens
/// on the machine meanwhile mostly happens to both.
pub const SLICE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Pairs(Vec<(Duration, Duration)>);

impl Pairs {
    pub fn add(&mut self, quiet: Duration, strained: Duration) {
        self.0.push((quiet, strained));
    }

    /// The medians, and the ratio within a pair.
    pub fn finding(self, what: impl Into<String>) -> Result<Finding> {
        let ratios = self.0.iter().map(|(quiet, strained)| {
            // A login takes some time.
            strained.as_secs_f64() / quiet.as_secs_f64()
        });
        let ratio = Ratio::of(ratios.collect()).context("nothing was measured")?;
        let (quiet, strained) = self.0.into_iter().unzip();
        let (quiet, strained) = (median(quiet), median(strained));
        Ok(Finding {
            what: what.into(),
            quiet: quiet.map(super::written),
            strained: strained.map(super::written).unwrap_or_default(),
            ratio: Some(ratio),
        })
    }
}
