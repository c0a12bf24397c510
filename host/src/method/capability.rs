//! What a component may import. What a grant does not name is not linked, so a component that asks
//! for it does not load. One file for each capability.

mod cookies;
mod counters;
mod credentials;
mod enrolments;
mod http;
mod key_sets;
mod logging;
mod procedures;
mod recovery_codes;
mod scram_keys;
mod sockets;
mod transport;
mod wasi;

use std::fmt;

pub(super) use logging::Log;
pub use procedures::{Callees, Calling, Procedures, Unsuccessful};
pub(super) use wasi::Wasi;
use wasmtime::{Engine, component::Linker};

pub use crate::config::Capability;

use super::guest::Guest;

impl Capability {
    /// Whether an interface belongs to it. Names are compared without their version: a linker finds
    /// compatible versions by itself, and refuses others.
    fn provides(self, interface: &str) -> bool {
        let interface = interface
            .split_once('@')
            .map_or(interface, |(name, _)| name);
        match self {
            Self::Credentials => credentials::INTERFACES.contains(&interface),
            Self::Counters => counters::INTERFACES.contains(&interface),
            Self::RecoveryCodes => recovery_codes::INTERFACES.contains(&interface),
            Self::ScramKeys => scram_keys::INTERFACES.contains(&interface),
            Self::Enrolments => enrolments::INTERFACES.contains(&interface),
            Self::Cookies => cookies::INTERFACES.contains(&interface),
            Self::Transport => transport::INTERFACES.contains(&interface),
            Self::Logging => logging::INTERFACES.contains(&interface),
            Self::Wasi => {
                wasi::INTERFACES.contains(&interface) || sockets::INTERFACES.contains(&interface)
            }
            Self::Procedures => procedures::INTERFACES.contains(&interface),
            Self::Http => http::INTERFACES.contains(&interface),
            Self::KeySets => key_sets::INTERFACES.contains(&interface),
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grant(u16);

impl Grant {
    /// The capability that an interface belongs to, if this router has it at all.
    pub(super) fn capability_of(interface: &str) -> Option<Capability> {
        Capability::ALL
            .into_iter()
            .find(|capability| capability.provides(interface))
    }

    /// `types` is in every component that has the contract; it holds no functions.
    pub(super) fn allows(self, interface: &str) -> bool {
        interface.starts_with("countersign:auth/types@")
            || Self::capability_of(interface).is_some_and(|capability| self.has(capability))
    }

    const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    pub(super) fn link(self, engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
        let mut linker = Linker::new(engine);
        for capability in Capability::ALL {
            if self.has(capability) {
                match capability {
                    Capability::Credentials => credentials::link(&mut linker)?,
                    Capability::Counters => counters::link(&mut linker)?,
                    Capability::RecoveryCodes => recovery_codes::link(&mut linker)?,
                    Capability::ScramKeys => scram_keys::link(&mut linker)?,
                    Capability::Enrolments => enrolments::link(&mut linker)?,
                    Capability::Cookies => cookies::link(&mut linker)?,
                    Capability::Transport => transport::link(&mut linker)?,
                    Capability::Logging => logging::link(&mut linker)?,
                    Capability::Wasi => {
                        wasi::link(&mut linker)?;
                        sockets::link(&mut linker)?;
                    }
                    Capability::Procedures => procedures::link(&mut linker)?,
                    Capability::Http => http::link(&mut linker)?,
                    Capability::KeySets => key_sets::link(&mut linker)?,
                }
            }
        }
        Ok(linker)
    }
}

impl FromIterator<Capability> for Grant {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(
            capabilities
                .into_iter()
                .fold(0, |bits, capability| bits | capability.bit()),
        )
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let granted = Capability::ALL
            .into_iter()
            .filter(|capability| self.has(*capability));
        f.debug_set().entries(granted).finish()
    }
}
