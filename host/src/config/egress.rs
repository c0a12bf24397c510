//! `[egress]`: what requests of the router's own may do, whoever has it make them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;

use super::{
    document::{Reported, Table, values},
    origin::Origin,
    quantity::Octets,
};

/// The ceiling above what realms grant, and the bounds of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressConfig {
    /// What a realm may name. None: any origin with `https`.
    pub origins: Option<BTreeSet<Origin>>,
    /// Networks that may be connected to although they are not public.
    pub networks: BTreeSet<IpNet>,
    /// Certificate authorities in PEM, trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The directory of what requests are signed with: `REALM/NAME`.
    pub secrets: PathBuf,
    /// From the start of a request to the end of its response.
    pub time: Duration,
    /// The largest body of a response.
    pub response_size: Octets,
    /// Requests of one realm under way at one time.
    pub parallel: u32,
}

impl EgressConfig {
    /// What holds where the file says nothing. Paths start from `base`.
    #[must_use]
    pub fn new(base: &Path) -> Self {
        Self {
            origins: None,
            networks: BTreeSet::new(),
            ca_file: None,
            secrets: base.join("secrets"),
            time: Duration::from_secs(5),
            response_size: Octets::kib(64),
            parallel: 32,
        }
    }

    pub(super) fn take(mut table: Table<'_>, base: &Path) -> Result<Self, Reported> {
        let default = Self::new(base);
        let origins = table.list::<Origin>("origins");
        let networks = table.list::<IpNet>("networks");
        let ca_file = table.optional::<PathBuf>("ca_file");
        let secrets = table.optional::<PathBuf>("secrets");
        let times = Duration::from_millis(10)..=Duration::from_mins(1);
        let sizes = Octets::kib(1)..=Octets::mib(1);
        Ok(Self {
            time: table.within_or("time", default.time, times),
            response_size: table.within_or("response_size", default.response_size, sizes),
            parallel: table.within_or("parallel", default.parallel, 1..=128),
            origins: origins?.map(|found| values(found).collect()),
            networks: values(networks?.unwrap_or_default()).collect(),
            ca_file: ca_file?.map(|found| base.join(found.value)),
            secrets: secrets?.map_or(default.secrets, |found| base.join(found.value)),
        })
    }
}
