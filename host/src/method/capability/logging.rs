use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime::component::{HasSelf, Linker};

use crate::method::{
    HostCall, Limit,
    bindings::wasi::logging::logging,
    guest::{Guest, Label, Overrun},
};
use crate::observe::Printable;

pub(super) const INTERFACES: &[&str] = &["wasi:logging/logging"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    logging::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl logging::Host for Guest {
    fn log(
        &mut self,
        level: logging::Level,
        context: String,
        message: String,
    ) -> wasmtime::Result<()> {
        self.host_call(HostCall::Log)?;
        let line = if context.is_empty() {
            message
        } else {
            format!("{context}: {message}")
        };
        Ok(self.log.write(level, &line)?)
    }
}

/// Where the words of one call go: to the operator's log, with who said them, and bounded. Control
/// characters are escaped, so that no line of a guest's can pass for one of ours.
#[derive(Clone)]
pub(in crate::method) struct Log {
    label: Arc<Label>,
    octets_left: Arc<Mutex<usize>>,
}

impl Log {
    pub(in crate::method) fn new(label: Arc<Label>, octets: usize) -> Self {
        Self {
            label,
            octets_left: Arc::new(Mutex::new(octets)),
        }
    }

    /// This one with as much left as the other.
    pub(in crate::method) fn refilled(&self, other: &Self) -> Self {
        *self.octets_left.lock() = *other.octets_left.lock();
        self.clone()
    }

    pub(super) fn label(&self) -> &Label {
        &self.label
    }

    /// Takes a line's octets off what the call may log.
    pub(super) fn charge(&self, line: &str) -> Result<(), Overrun> {
        let mut left = self.octets_left.lock();
        *left = left
            .checked_sub(line.len().max(1))
            .ok_or(Overrun(Limit::Log))?;
        Ok(())
    }

    pub(super) fn write(&self, level: logging::Level, line: &str) -> Result<(), Overrun> {
        self.charge(line)?;
        let Label {
            realm,
            step,
            revision,
        } = &*self.label;
        let said = Printable(line);
        match level {
            logging::Level::Trace => {
                tracing::trace!(target: "method", %realm, %step, %revision, %said);
            }
            logging::Level::Debug => {
                tracing::debug!(target: "method", %realm, %step, %revision, %said);
            }
            logging::Level::Info => {
                tracing::info!(target: "method", %realm, %step, %revision, %said);
            }
            logging::Level::Warn => {
                tracing::warn!(target: "method", %realm, %step, %revision, %said);
            }
            logging::Level::Error | logging::Level::Critical => {
                tracing::error!(target: "method", %realm, %step, %revision, %said);
            }
        }
        Ok(())
    }
}
