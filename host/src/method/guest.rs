use std::{
    fmt, mem,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use thiserror::Error;
use wasmtime::{
    ResourceLimiter,
    component::{Resource, ResourceTable},
};

use super::{
    Evidence, HostCall, HostCalls, Limit, Limits, Reach, Spent, World,
    capability::{Log, Wasi},
    handles::Handles,
    pace::Ticks,
};
use crate::{
    credential::{Credential, Keyring, StoreError, VerifyError, Withheld},
    egress::EgressError,
    login::StepName,
    transport::Connection,
};

/// What the host holds for one call. In an instance that stays it is renewed for each.
pub(super) struct Guest {
    pub(super) keyring: Keyring,
    pub(super) connection: Arc<Connection>,
    pub(super) evidence: Arc<Evidence>,
    pub(super) reach: Reach,
    pub(super) log: Log,
    /// When a request must have come to an end, so that the method can still say so.
    pub(super) requests_until: Instant,
    pub(super) credentials: Handles,
    /// What the standard interfaces have handed out.
    pub(super) table: ResourceTable,
    pub(super) wasi: Option<Box<Wasi>>,
    /// What stands in for clocks and randomness in a trial. None: there are real ones.
    pub(super) world: Option<World>,
    pub(super) memory: Memory,
    /// Why no answer fits a credential that the guest has found: for the operator.
    pub(super) withheld: Option<String>,
    pub(super) ticks: Ticks,
    host_calls: HostCalls,
    most: Most,
    is_settled: bool,
}

/// How often what may be called.
#[derive(Clone, Copy)]
struct Most {
    host_calls: u32,
    passwords: u32,
    requests: u32,
}

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
        table.set_max_capacity(limits.handles);
        Self {
            keyring: keyring.clone(),
            connection: Arc::clone(connection),
            evidence: Arc::clone(evidence),
            reach,
            log: Log::new(Arc::clone(label), limits.log),
            requests_until: Instant::now() + limits.wall * 9 / 10,
            credentials: Handles::new(limits.handles),
            table,
            wasi: None,
            world: None,
            memory: Memory::new(limits),
            withheld: None,
            ticks: Ticks::default(),
            host_calls: HostCalls::default(),
            most: Most {
                host_calls: limits.host_calls,
                passwords: limits.passwords,
                requests: limits.requests,
            },
            is_settled: false,
        }
    }
}

impl Guest {
    /// Counts a call of the guest's. Every function that it can call begins with it.
    pub(super) fn host_call(&mut self, kind: HostCall) -> Result<(), Overrun> {
        self.host_calls.count(kind);
        let (most, limit) = match kind {
            HostCall::Password => (self.most.passwords, Limit::Passwords),
            HostCall::Request => (self.most.requests, Limit::Requests),
            _ => return self.check_host_calls(),
        };
        if self.host_calls.of(kind) > most {
            return Err(Overrun(limit));
        }
        self.check_host_calls()
    }

    /// Whether there were too many host calls. Asked at each tick and at the end of a call too, for
    /// those that cannot be refused where they are counted.
    pub(super) fn check_host_calls(&self) -> Result<(), Overrun> {
        if self.host_calls.total() > self.most.host_calls {
            return Err(Overrun(Limit::HostCalls));
        }
        Ok(())
    }

    /// The guest has returned. What it printed and did not end with a line's end is written.
    pub(super) fn end(&mut self) -> Result<(), Overrun> {
        self.check_host_calls()?;
        if let Some(wasi) = &self.wasi {
            wasi.end_lines(&self.log)?;
        }
        self.settle();
        Ok(())
    }

    /// Lets go of the login whose call is over, while the instance waits for another.
    pub(super) fn rest(&mut self) {
        self.connection = Arc::default();
        self.evidence = Arc::default();
        self.credentials = self.credentials.renewed();
    }

    /// Makes ready for another call in the same instance. All is new but for what belongs to the
    /// instance: its memory, and what the standard library of its language holds on to, such as the
    /// streams that it prints to.
    pub(super) fn renew(&mut self, fresh: Self) {
        let mut old = mem::replace(self, fresh);
        self.credentials = old.credentials.renewed();
        mem::swap(&mut self.table, &mut old.table);
        self.wasi = old.wasi.take();
        self.memory.used = old.memory.used;
        // The streams have the earlier one.
        self.log = old.log.refilled(&self.log);
    }

    /// Counts a call of a function that is not ours: it cannot be refused here.
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
                ticks: self.ticks.load(Relaxed),
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
        Ok(self.credentials.push(credential)?)
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
    const fn new(limits: &Limits) -> Self {
        Self {
            used: 0,
            limit: limits.memory,
        }
    }

    /// Octets that the instance has: they never become fewer.
    pub(super) const fn used(&self) -> usize {
        self.used
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
    #[error("it is not asked for the next {} ms, since it only failed lately", .0.as_millis())]
    Stopped(Duration),
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
            Self::Stopped(_) => "stopped",
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
            Self::Undecided(_)
            | Self::Store(_)
            | Self::Overload(_)
            | Self::Withdrawn
            | Self::Stopped(_) => false,
        }
    }

    /// Whether the method has failed, be it that a client has led it there; as opposed to the client
    /// or the router.
    pub(super) const fn is_of_the_method(&self) -> bool {
        match self {
            Self::Overrun(limit) => !matches!(limit, Limit::Input),
            Self::Trapped(_) | Self::Malformed(_) => true,
            Self::Undecided(_)
            | Self::Store(_)
            | Self::Overload(_)
            | Self::Withdrawn
            | Self::Stopped(_) => false,
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
