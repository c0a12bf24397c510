//! `[metrics]`: where a router that runs is asked for its counts.

use std::net::SocketAddr;

use super::{
    document::{Reported, Table},
    scalar::Word,
};

/// Where metrics are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// None: nowhere. Port 0 asks the system for a free one.
    pub address: Option<SocketAddr>,
}

/// Whether others than this machine may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Remote {
    #[default]
    Refuse,
    Allow,
}

impl Word for Remote {
    const FORM: &'static str = "\"refuse\" or \"allow\"";
    const WORDS: &'static [(&'static str, Self)] =
        &[("refuse", Self::Refuse), ("allow", Self::Allow)];
}

impl MetricsConfig {
    pub(super) fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let address = table.optional::<SocketAddr>("address");
        let remote = table.optional::<Remote>("remote");
        let (Some(address), remote) = (address?, remote?) else {
            return Ok(Self::default());
        };
        let remote = remote.map(|found| found.value).unwrap_or_default();
        if remote == Remote::Refuse && !address.value.ip().is_loopback() {
            return Err(table.problems.report(address.at, || {
                format!(
                    "{} is not this machine's own (loopback), and whoever reaches it may read the \
                     names of all realms and how many log in to them, without a password; write \
                     \"127.0.0.1:{}\", or add remote = \"allow\" if nobody else reaches it",
                    address.value,
                    address.value.port()
                )
            }));
        }
        Ok(Self {
            address: Some(address.value),
        })
    }
}
