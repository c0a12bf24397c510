use wasmtime::component::{HasSelf, Linker, Resource};
use zeroize::Zeroizing;

use crate::{
    credential::{Credential, EnrolledKey, NotEnrolled},
    method::{
        HostCall,
        bindings::countersign::auth::enrolments::{self, Key, Refusal},
        guest::Guest,
    },
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/enrolments"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    enrolments::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl enrolments::Host for Guest {
    fn is_open(
        &mut self,
        credential: Resource<Credential>,
        code: String,
    ) -> wasmtime::Result<bool> {
        self.host_call(HostCall::Code)?;
        let code = Zeroizing::new(code);
        Ok(self.credentials.get(&credential)?.is_open(&code)?)
    }

    async fn redeem(
        &mut self,
        credential: Resource<Credential>,
        code: String,
        key: Key,
    ) -> wasmtime::Result<Result<(), Refusal>> {
        self.host_call(HostCall::Code)?;
        let code = Zeroizing::new(code);
        let Key {
            id,
            public_key,
            counter,
            about,
        } = key;
        // Beyond the contract's bounds: a defect of the method's, which ends the call.
        let key = EnrolledKey::new(&id, &public_key, counter, &about)?;
        let credential = self.credentials.get(&credential)?;
        let (kind, authid) = (credential.kind().clone(), credential.owner().clone());
        let enrolled = credential.enrol(&code, key).await?;
        if enrolled.is_ok() {
            // It is another version now, if it was there at all.
            self.evidence.renewed(&self.keyring.find(&kind, &authid)?);
        }
        Ok(enrolled.map_err(Refusal::from))
    }
}

impl From<NotEnrolled> for Refusal {
    fn from(refused: NotEnrolled) -> Self {
        match refused {
            NotEnrolled::NotOpen => Self::NotOpen,
            NotEnrolled::Taken => Self::Taken,
            NotEnrolled::Full => Self::Full,
        }
    }
}
