use wasmtime::component::{HasSelf, Linker};

use crate::method::{bindings::countersign::auth::transport, guest::Guest};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/transport"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    transport::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl transport::Host for Guest {
    fn peer(&mut self) -> wasmtime::Result<String> {
        Ok(self.connection.peer.clone())
    }

    fn confidential(&mut self) -> wasmtime::Result<bool> {
        Ok(self.connection.confidential)
    }
}
