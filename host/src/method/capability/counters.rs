use wasmtime::component::{HasSelf, Linker, Resource};

use crate::{
    credential::Credential,
    method::{HostCall, bindings::countersign::auth::counters, guest::Guest},
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/counters"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    counters::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl counters::Host for Guest {
    async fn advance(
        &mut self,
        credential: Resource<Credential>,
        counter: u64,
    ) -> wasmtime::Result<bool> {
        self.host_call(HostCall::Counter)?;
        let credential = self.credentials.get(&credential)?;
        Ok(credential.advance(counter).await?)
    }
}
