//! `[audit]`: where logins are put on record, and what becomes of one that cannot be.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    document::{Reported, Table},
    scalar::Word,
};

/// How logins are put on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// The file that a line is added to for each.
    pub file: PathBuf,
    /// What becomes of a client whose login cannot be put on record.
    pub unrecorded: Unrecorded,
    /// How long a login waits for its line to be written.
    pub wait: Duration,
    pub sync: AuditSync,
}

/// Whether a login may go on that is not on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unrecorded {
    #[default]
    Refuse,
    Allow,
}

/// Whether a line is on the disk before its client is let in: then it is still there after the machine
/// has failed, and not only after the router has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditSync {
    #[default]
    Never,
    Always,
}

impl Word for Unrecorded {
    const FORM: &'static str = "\"refuse\" or \"allow\"";
    const WORDS: &'static [(&'static str, Self)] =
        &[("refuse", Self::Refuse), ("allow", Self::Allow)];
}

impl Word for AuditSync {
    const FORM: &'static str = "\"never\" or \"always\"";
    const WORDS: &'static [(&'static str, Self)] =
        &[("never", Self::Never), ("always", Self::Always)];
}

impl AuditConfig {
    /// None: there is no such table. Paths start from `base`.
    pub(super) fn take(top: &mut Table<'_>, base: &Path) -> Result<Option<Self>, Reported> {
        let Some(mut table) = top.optional_table("audit")? else {
            return Ok(None);
        };
        // Required: a slip in this one line must not leave logins without records.
        let file = table.required::<PathBuf>("file");
        let unrecorded = table.optional::<Unrecorded>("unrecorded");
        let sync = table.optional::<AuditSync>("sync");
        let wait = table.within_or(
            "wait",
            Duration::from_secs(1),
            Duration::from_millis(10)..=Duration::from_mins(1),
        );
        let (file, unrecorded, sync) = (file?, unrecorded?, sync?);
        Ok(Some(Self {
            file: base.join(file.value),
            unrecorded: unrecorded.map(|found| found.value).unwrap_or_default(),
            wait,
            sync: sync.map(|found| found.value).unwrap_or_default(),
        }))
    }
}
