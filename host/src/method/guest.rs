use std::{fmt, mem, sync::Arc, time::Instant};

use thiserror::Error;
use wasmtime::{
    ResourceLimiter,
    component::{Resource, ResourceTable},
};
use wasmtime_wasi::WasiCtx;

use super::{
    Evidence, HostCall, HostCalls, Limit, Limits, Reach, Spent, World,
    capability::{Log, MOST_REQUESTS},
};
use crate::{
    credential::{Credential, Keyring, StoreError, VerifyError, Withheld},
    egress::EgressError,
    login::StepName,
    transport::Connection,
};

/// What the host holds for one call: it lives as long as the instance does.
pub(super) struct Guest {
    pub(super) keyring: Keyring,
    pub(super) connection: Arc<Connection>,
    pub(super) evidence: Arc<Evidence>,
    pub(super) reach: Reach,
    pub(super) log: Log,
    pub(super) requests_left: u32,
    /// When a request must have come to an end, so that the method can still say so.
    pub(super) requests_until: Instant,
    pub(super) table: ResourceTable,
    pub(super) wasi: Option<Box<WasiCtx>>,
    /// What stands in for clocks and randomness in a trial. None: there are real ones.
    pub(super) world: Option<World>,
    pub(super) memory: Memory,
    /// Why no answer fits a credential that the guest has found: for the operator.
    pub(super) withheld: Option<String>,
    /// Ticks that the guest has run for.
    pub(super) ticks: u32,
    host_calls: HostCalls,
    is_settled: bool,
}

/// Handles that an instance can have open at one time.
const MOST_HANDLES: usize = 64;

impl Guest {
    pub(super) fn new(
        label: &Arc<Label>,
        keyring: &Keyring,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
        reach: Reach,
        limits: &Limits,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_HANDLES);
        Self {
            keyring: keyring.clone(),
            connection: Arc::clone(connection),
            evidence: Arc::clone(evidence),
            reach,
            log: Log::new(Arc::clone(label), limits.log),
            requests_left: MOST_REQUESTS,
            requests_until: Instant::now() + limits.wall * 9 / 10,
            table,
            wasi: None,
            world: None,
            memory: Memory::new(limits),
            withheld: None,
            ticks: 0,
            host_calls: HostCalls::default(),
            is_settled: false,
        }
    }
}

impl Guest {
    /// Counts a call of the guest's. Every function that it can call begins with it.
    pub(super) fn host_call(&mut self, kind: HostCall) -> Result<(), Overrun> {
        self.host_calls.count(kind);
        Ok(())
    }

    /// The same for functions that are not ours: their count cannot be refused where it is made.
    pub(super) const fn foreign_call(&mut self) -> &mut Self {
        self.host_calls.count(HostCall::Wasi);
        self
    }

    pub(super) const fn host_calls(&self) -> HostCalls {
        self.host_calls
    }

    /// Takes note of what the call has used.
    fn settle(&mut self) {
        if !mem::replace(&mut self.is_settled, true) {
            self.evidence.spent(&Spent {
                host_calls: self.host_calls,
                ticks: self.ticks,
                memory: self.memory.used,
            });
        }
    }

    /// Hands out a credential, and takes note of it.
    pub(super) fn push(
        &mut self,
        credential: Credential,
    ) -> wasmtime::Result<Resource<Credential>> {
        // Of a lock the caller knows, who has made it.
        if let Some(withheld @ (Withheld::Disabled | Withheld::Expired)) = credential.withheld() {
            let (kind, authid) = (credential.kind(), credential.owner());
            self.withheld = Some(format!("the {kind} credential of {authid} is {withheld}"));
        }
        self.evidence.credential(&credential);
        Ok(self.table.push(credential)?)
    }
}

impl Drop for Guest {
    /// However the call has ended: also where nobody waited for its end.
    fn drop(&mut self) {
        self.settle();
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
    /// Octets that the instance has now.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

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
    #[error("its revision was withdrawn: put another component in its place")]
    Withdrawn,
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
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the method was not asked, as opposed to having failed: the client may come again.
    pub const fn is_overload(&self) -> bool {
        matches!(self, Self::Overload(_) | Self::Withdrawn)
    }

    /// Whether the client's answer may have led to it, so that it counts as a wrong one. What cannot
    /// decide, or is not asked at all, is nobody's guess.
    pub(super) const fn may_be_guess(&self) -> bool {
        match self {
            Self::Overrun(_) | Self::Trapped(_) | Self::Malformed(_) => true,
            Self::Undecided(_) | Self::Store(_) | Self::Overload(_) | Self::Withdrawn => false,
        }
    }

    /// What an error that came up through the guest was.
    pub(super) fn from_guest(error: &wasmtime::Error) -> Self {
        if let Some(Overrun(limit)) = error.downcast_ref() {
            return Self::Overrun(*limit);
        }
        if let Some(error) = error.downcast_ref::<VerifyError>() {
            return Self::Overload(error.to_string());
        }
        if let Some(error) = error.downcast_ref::<EgressError>() {
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
