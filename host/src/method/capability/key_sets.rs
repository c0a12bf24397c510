use wasmtime::component::{HasSelf, Linker};

use crate::{
    key_set::Found,
    method::{HostCall, bindings::countersign::auth::key_sets, guest::Guest},
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/key-sets"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    key_sets::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl key_sets::Host for Guest {
    async fn get(
        &mut self,
        name: String,
        kid: Option<String>,
    ) -> wasmtime::Result<Result<String, key_sets::Problem>> {
        self.host_call(HostCall::KeySet)?;
        Ok(match self.reach.key_sets.get(&name, kid.as_deref()).await {
            Found::Keys(text) => Ok(text),
            Found::NotNamed => Err(key_sets::Problem::NotNamed),
            Found::Unavailable(why) => Err(key_sets::Problem::Unavailable(why)),
        })
    }
}
