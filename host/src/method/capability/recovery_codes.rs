use wasmtime::component::{HasSelf, Linker, Resource};
use zeroize::Zeroizing;

use crate::{
    credential::Credential,
    method::{HostCall, bindings::countersign::auth::recovery_codes, guest::Guest},
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/recovery-codes"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    recovery_codes::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl recovery_codes::Host for Guest {
    async fn redeem(
        &mut self,
        credential: Resource<Credential>,
        code: String,
    ) -> wasmtime::Result<bool> {
        self.host_call(HostCall::Code)?;
        let credential = self.credentials.get(&credential)?;
        Ok(credential.redeem(&Zeroizing::new(code)).await?)
    }
}
