//! `[methods]`: where components come from, whose may be run, and what compiling one may take.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    document::{Reported, Table, values},
    method::Conform,
    quantity::Octets,
    scalar::{Scalar, Written},
};

/// What is said of components for the whole router, but for where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadingConfig {
    /// Whose signature a component needs. None: anybody's component is run.
    pub signers: Vec<Signer>,
    /// The directory of compiled components.
    pub cache: PathBuf,
    /// The directory of what operators have decided about revisions.
    pub revisions: PathBuf,
    /// What compiling one component may take on the CPU.
    pub compile_time: Duration,
    pub compile_memory: Octets,
    /// Whether every method must stand what every one must before it goes live.
    pub conform: Conform,
}

/// The Ed25519 public key of somebody who signs components.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signer(ed25519_dalek::VerifyingKey);

impl LoadingConfig {
    /// Yields the directory of the components too. Paths start from `base`.
    pub(super) fn take(mut table: Table<'_>, base: &Path) -> Result<(PathBuf, Self), Reported> {
        let directory = table.optional::<PathBuf>("directory");
        let signers = table.list::<Signer>("signers");
        let cache = table.optional::<PathBuf>("cache");
        let revisions = table.optional::<PathBuf>("revisions");
        let compile_time = table.within_or(
            "compile_time",
            Duration::from_mins(1),
            Duration::from_secs(1)..=Duration::from_hours(1),
        );
        let compile_memory = table.within_or(
            "compile_memory",
            Octets::mib(1024),
            Octets::mib(128)..=Octets::mib(64 << 10),
        );
        let conform = table.optional::<Conform>("conform");
        let path = |found: Option<PathBuf>, default| base.join(found.unwrap_or(default));
        let directory = path(directory?.map(|found| found.value), "methods".into());
        let loading = Self {
            signers: values(signers?.unwrap_or_default()).collect(),
            cache: path(cache?.map(|found| found.value), "cache".into()),
            revisions: path(revisions?.map(|found| found.value), "revisions".into()),
            compile_time,
            compile_memory,
            conform: conform?.map(|found| found.value).unwrap_or_default(),
        };
        Ok((directory, loading))
    }
}

impl Signer {
    /// The key in this text, unless it is a weak one, which signs anything.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut octets = [0; 32];
        hex::decode_to_slice(text, &mut octets).ok()?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&octets).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &ed25519_dalek::VerifyingKey {
        &self.0
    }
}

impl Ord for Signer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_bytes().cmp(other.0.as_bytes())
    }
}

impl PartialOrd for Signer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl Scalar for Signer {
    const FORM: &'static str =
        "an Ed25519 public key of 64 hex digits, as countersign method keygen prints it";

    fn read(written: &Written<'_>) -> Option<Self> {
        Self::new(written.text()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_key_is_no_signers() {
        for bad in ["", "00", &"00".repeat(32), &"zz".repeat(32)] {
            assert_eq!(Signer::new(bad), None, "{bad}");
        }
        let good = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(format!("{:?}", Signer::new(good).unwrap()), good);
    }
}
