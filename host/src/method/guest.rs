use std::{fmt, sync::Arc};

use thiserror::Error;
use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::WasiCtx;

use super::{Evidence, Limit, Limits, capability::Log};
use crate::{
    credential::{Keyring, StoreError, VerifyError},
    login::StepName,
    transport::Connection,
};

/// What the host holds for one call: it lives as long as the instance does.
pub(super) struct Guest {
    pub(super) keyring: Keyring,
    pub(super) connection: Arc<Connection>,
    pub(super) evidence: Arc<Evidence>,
    pub(super) log: Log,
    pub(super) table: ResourceTable,
    pub(super) wasi: Option<Box<WasiCtx>>,
    pub(super) memory: Memory,
    /// Ticks that the guest has run for.
    pub(super) ticks: u128,
}

/// Handles that an instance can have open at one time.
const MOST_HANDLES: usize = 64;

impl Guest {
    pub(super) fn new(
        label: &Arc<Label>,
        keyring: &Keyring,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
        limits: &Limits,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_HANDLES);
        Self {
            keyring: keyring.clone(),
            connection: Arc::clone(connection),
            evidence: Arc::clone(evidence),
            log: Log::new(Arc::clone(label), limits.log),
            table,
            wasi: None,
            memory: Memory::new(limits),
            ticks: 0,
        }
    }
}

/// Whose words a line of the log are.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) realm: Arc<str>,
    pub(super) step: StepName,
    pub(super) revision: Arc<str>,
}

/// Counts all memories and tables of an instance together: wasmtime's own limits are for each
/// memory by itself.
#[derive(Debug)]
pub(super) struct Memory {
    used: usize,
    limit: usize,
}

/// What one entry of a table takes in the host.
const TABLE_ENTRY_OCTETS: usize = 16;

impl Memory {
    const fn new(limits: &Limits) -> Self {
        Self {
            used: 0,
            limit: limits.memory,
        }
    }

    fn grow(&mut self, current: usize, desired: usize) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            // An error ends the call. Were it only refused, the guest would most likely abort, and
            // the log would say "unreachable" where it should name the limit.
            return Err(Overrun(Limit::Memory).into());
        }
        self.used = used;
        Ok(true)
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(current, desired)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.grow(
            current.saturating_mul(TABLE_ENTRY_OCTETS),
            desired.saturating_mul(TABLE_ENTRY_OCTETS),
        )
    }
}

/// A limit that a call ran into, on its way up through the guest.
#[derive(Clone, Copy, Debug, Error)]
#[error("over its limit: {0}")]
pub(super) struct Overrun(pub(super) Limit);

/// Why a call gave no verdict. The text is for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("it ran into its limit \"{0}\"")]
    Overrun(Limit),
    #[error("it trapped: {0}")]
    Trapped(String),
    #[error("what it returned is not a verdict: {0}")]
    Malformed(String),
    #[error("it could not decide: {0}")]
    Undecided(String),
    #[error("the credentials cannot be read: {0}")]
    Store(String),
    #[error("the router had no room for it: {0}")]
    Overload(String),
}

impl Fault {
    /// A word for logs and metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Overrun(limit) => limit.label(),
            Self::Trapped(_) => "trap",
            Self::Malformed(_) => "malformed",
            Self::Undecided(_) => "undecided",
            Self::Store(_) => "store",
            Self::Overload(_) => "overload",
        }
    }

    /// Whether the router had no room for the call, as opposed to the method having failed.
    pub const fn is_overload(&self) -> bool {
        matches!(self, Self::Overload(_))
    }

    /// What an error that came up through the guest was.
    pub(super) fn from_guest(error: &wasmtime::Error) -> Self {
        if let Some(Overrun(limit)) = error.downcast_ref() {
            return Self::Overrun(*limit);
        }
        if let Some(error) = error.downcast_ref::<VerifyError>() {
            return Self::Overload(error.to_string());
        }
        if let Some(error) = error.downcast_ref::<StoreError>() {
            return Self::Store(error.to_string());
        }
        if error.is::<wasmtime_wasi::I32Exit>() {
            return Self::Trapped("it called exit".into());
        }
        if error.is::<wasmtime::component::ResourceTableError>() {
            return Self::Overrun(Limit::Handles);
        }
        // The error's type is private to wasmtime. A test holds this text against what it says.
        if error
            .root_cause()
            .to_string()
            .contains("fuel allocated for hostcalls")
        {
            return Self::Overrun(Limit::Output);
        }
        Self::Trapped(error.root_cause().to_string())
    }
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest")
            .field("keyring", &self.keyring)
            .finish_non_exhaustive()
    }
}
