use wasmtime::component::{HasSelf, Linker};

use crate::method::{HostCall, bindings::countersign::auth::transport, guest::Guest};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/transport"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    transport::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl transport::Host for Guest {
    fn peer(&mut self) -> wasmtime::Result<String> {
        self.host_call(HostCall::Connection)?;
        Ok(self.connection.peer.clone())
    }

    fn confidential(&mut self) -> wasmtime::Result<bool> {
        self.host_call(HostCall::Connection)?;
        Ok(self.connection.confidential)
    }

    fn certificates(&mut self) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.host_call(HostCall::Connection)?;
        let tls = self.connection.tls.as_ref();
        let certificates = tls.map_or(&[][..], |tls| &tls.certificates);
        Ok(certificates.iter().map(|it| it.to_vec()).collect())
    }

    fn channel_binding(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.host_call(HostCall::Connection)?;
        let tls = self.connection.tls.as_ref();
        Ok(tls.and_then(|tls| tls.exporter).map(Vec::from))
    }

    fn local(&mut self) -> wasmtime::Result<Option<transport::LocalPeer>> {
        self.host_call(HostCall::Connection)?;
        Ok(self.connection.unix.map(|peer| transport::LocalPeer {
            uid: peer.user,
            gid: peer.group,
            pid: peer.process,
        }))
    }
}
