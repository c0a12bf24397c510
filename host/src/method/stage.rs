use std::{
    fmt,
    time::{Duration, Instant},
};

/// What a component goes through before logins are handed to it, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The whole file.
    Read,
    /// Against the one that the realm's file names, if it does.
    Digest,
    /// Against the operator's keys, if there are any.
    Signature,
    Compile,
    /// Against what the realm grants.
    Link,
    /// It says who it is.
    Describe,
    /// It looks at the realm's settings.
    Check,
    /// Its own table of attempts, and what every method must stand, where that is required.
    Probe,
}

impl Stage {
    /// For logs and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Digest => "digest",
            Self::Signature => "signature",
            Self::Compile => "compile",
            Self::Link => "link",
            Self::Describe => "describe",
            Self::Check => "check",
            Self::Probe => "probe",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The stages that a component has passed, and how long each took.
#[derive(Debug)]
pub struct Trail {
    passed: Vec<Passed>,
    since: Instant,
}

/// A stage that was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub stage: Stage,
    pub took: Duration,
    /// What there is to say of it.
    pub how: String,
}

impl Default for Trail {
    fn default() -> Self {
        Self {
            passed: Vec::new(),
            since: Instant::now(),
        }
    }
}

impl Trail {
    /// The stage that was under way since the one before is passed.
    pub fn pass(&mut self, stage: Stage, how: impl Into<String>) {
        let now = Instant::now();
        let passed = Passed {
            stage,
            took: now - self.since,
            how: how.into(),
        };
        self.since = now;
        let took_us = u64::try_from(passed.took.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(
            stage = stage.name(),
            took_us,
            how = passed.how,
            "a stage is passed"
        );
        self.passed.push(passed);
    }

    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }
}
