use wasmtime::component::{HasSelf, Linker, Resource};

use crate::{
    credential::{Credential, scram::Dialect},
    method::{HostCall, bindings::countersign::auth::scram_keys, guest::Guest},
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/scram-keys"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    scram_keys::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl scram_keys::Host for Guest {
    fn verify(
        &mut self,
        credential: Resource<Credential>,
        dialect: scram_keys::Dialect,
        auth_message: Vec<u8>,
        client_proof: Vec<u8>,
    ) -> wasmtime::Result<Option<Vec<u8>>> {
        self.host_call(HostCall::Mac)?;
        let signature = self.credentials.get(&credential)?.scram_signature(
            dialect.into(),
            &auth_message,
            &client_proof,
        );
        Ok(signature.map(Vec::from))
    }
}

impl From<scram_keys::Dialect> for Dialect {
    fn from(dialect: scram_keys::Dialect) -> Self {
        match dialect {
            scram_keys::Dialect::Wamp => Self::Wamp,
            scram_keys::Dialect::Autobahn => Self::Autobahn,
        }
    }
}
