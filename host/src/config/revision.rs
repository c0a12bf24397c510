//! What a realm says of the revisions of a method: which one it takes, and when it goes back.

use super::{
    document::{Reported, Table},
    scalar::{Scalar, Written},
};

/// The SHA-256 of a component's octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ComponentDigest([u8; 32]);

/// How many of a new revision's first logins may be faults of its own, before the one that was
/// before it is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollbackTerms {
    pub faults: u32,
    /// 0: a new revision stays, whatever it does.
    pub of: u32,
}

impl ComponentDigest {
    /// The octets.
    #[must_use]
    pub const fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for ComponentDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl Scalar for ComponentDigest {
    const FORM: &'static str =
        "the SHA-256 of the component, such as \"sha256:\" and 64 hex digits";

    fn read(written: &Written<'_>) -> Option<Self> {
        let mut octets = [0; 32];
        let digits = written.text()?.strip_prefix("sha256:")?;
        hex::decode_to_slice(digits, &mut octets).ok()?;
        Some(Self(octets))
    }

    fn advice(written: &Written<'_>) -> String {
        let is_bare = |text: &str| hex::decode_to_slice(text, &mut [0; 32]).is_ok();
        match written.text() {
            Some(text) if is_bare(text) => format!("did you mean \"sha256:{text}\"?"),
            _ => format!("it must be {}", Self::FORM),
        }
    }
}

impl RollbackTerms {
    pub(super) fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let default = Self::default();
        let taken = Self {
            faults: table.within_or("faults", default.faults, 1..=10_000),
            of: table.within_or("of", default.of, 0..=10_000),
        };
        if taken.of != 0 && taken.faults > taken.of {
            let Self { faults, of } = taken;
            return Err(table.problems.report(table.at, || {
                format!(
                    "so many faults ({faults}) cannot be among the first {of} logins; write of = \
                     {faults} or more, or of = 0 for a method that is never rolled back by itself"
                )
            }));
        }
        Ok(taken)
    }
}

impl Default for RollbackTerms {
    fn default() -> Self {
        Self { faults: 5, of: 20 }
    }
}
