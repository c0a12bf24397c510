//! What calls of methods have used.

use std::fmt;

/// A kind of what a guest can ask of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostCall {
    /// A credential is looked up.
    Find,
    /// What a credential shows of itself: whose it is, its parameters, its public keys.
    Look,
    /// A handle is given back.
    Release,
    /// A password is checked: tens of milliseconds of a core.
    Password,
    /// A code of a message under a credential's key is made or checked.
    Mac,
    Counter,
    /// A recovery code, or one that allows to enrol a key.
    Code,
    Cookie,
    /// A fact about the client's connection.
    Connection,
    Log,
    /// A WAMP procedure is asked.
    Procedure,
    /// A request over HTTP is made.
    Request,
    /// A URL is judged.
    Url,
    KeySet,
    /// Any function of the standard interfaces.
    Wasi,
}

impl HostCall {
    pub const ALL: [Self; 15] = [
        Self::Find,
        Self::Look,
        Self::Release,
        Self::Password,
        Self::Mac,
        Self::Counter,
        Self::Code,
        Self::Cookie,
        Self::Connection,
        Self::Log,
        Self::Procedure,
        Self::Request,
        Self::Url,
        Self::KeySet,
        Self::Wasi,
    ];

    /// A word for logs and metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Look => "look",
            Self::Release => "release",
            Self::Password => "password",
            Self::Mac => "mac",
            Self::Counter => "counter",
            Self::Code => "code",
            Self::Cookie => "cookie",
            Self::Connection => "connection",
            Self::Log => "log",
            Self::Procedure => "procedure",
            Self::Request => "request",
            Self::Url => "url",
            Self::KeySet => "key-set",
            Self::Wasi => "wasi",
        }
    }
}

/// How often each kind of host call was made.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct HostCalls([u32; HostCall::ALL.len()]);

impl HostCalls {
    #[expect(
        clippy::indexing_slicing,
        reason = "a kind's number is less than there are kinds"
    )]
    pub const fn of(&self, kind: HostCall) -> u32 {
        self.0[kind as usize]
    }

    pub fn total(&self) -> u32 {
        self.0
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a kind's number is less than there are kinds"
    )]
    pub(super) const fn count(&mut self, kind: HostCall) {
        let count = &mut self.0[kind as usize];
        *count = count.saturating_add(1);
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }
}

impl fmt::Debug for HostCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = HostCall::ALL
            .into_iter()
            .map(|kind| (kind.label(), self.of(kind)))
            .filter(|(_, count)| *count > 0);
        f.debug_map().entries(made).finish()
    }
}

/// What the calls of one login's methods have used so far, however they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub host_calls: HostCalls,
    /// Ticks of the epoch that guests have run for.
    pub ticks: u32,
    /// The most memory that one instance had, in octets: all its memories and tables together.
    pub memory: usize,
}

impl Spent {
    pub(super) fn add(&mut self, other: &Self) {
        self.host_calls.add(&other.host_calls);
        self.ticks = self.ticks.saturating_add(other.ticks);
        self.memory = self.memory.max(other.memory);
    }
}
