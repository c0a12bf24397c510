use wasmtime::component::{HasSelf, Linker, Resource};
use zeroize::Zeroizing;

use crate::{
    credential::{Credential, Hash, Kind},
    method::{HostCall, bindings::countersign::auth::credentials, guest::Guest},
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/credentials"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    credentials::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl credentials::Host for Guest {
    fn find(&mut self, kind: String, authid: String) -> wasmtime::Result<Resource<Credential>> {
        self.host_call(HostCall::Find)?;
        let credential = self.keyring.find(&Kind::from(kind), &authid.into())?;
        self.push(credential)
    }

    fn find_by_key(
        &mut self,
        kind: String,
        public_key: Vec<u8>,
    ) -> wasmtime::Result<Resource<Credential>> {
        self.host_call(HostCall::Find)?;
        let credential = self.keyring.find_by_key(&Kind::from(kind), &public_key)?;
        self.push(credential)
    }
}

impl credentials::HostCredential for Guest {
    fn authid(&mut self, credential: Resource<Credential>) -> wasmtime::Result<String> {
        self.host_call(HostCall::Look)?;
        Ok(self
            .credentials
            .get(&credential)?
            .authid()
            .as_str()
            .to_owned())
    }

    fn authrole(&mut self, credential: Resource<Credential>) -> wasmtime::Result<String> {
        self.host_call(HostCall::Look)?;
        Ok(self
            .credentials
            .get(&credential)?
            .authrole()
            .as_str()
            .to_owned())
    }

    fn parameters(&mut self, credential: Resource<Credential>) -> wasmtime::Result<String> {
        self.host_call(HostCall::Look)?;
        Ok(self.credentials.get(&credential)?.parameters().to_owned())
    }

    async fn verify_password(
        &mut self,
        credential: Resource<Credential>,
        candidate: String,
    ) -> wasmtime::Result<bool> {
        self.host_call(HostCall::Password)?;
        let credential = self.credentials.get(&credential)?;
        Ok(credential
            .verify_password(Zeroizing::new(candidate))
            .await?)
    }

    fn verify_hmac(
        &mut self,
        credential: Resource<Credential>,
        hash: credentials::Hash,
        message: Vec<u8>,
        tag: Vec<u8>,
    ) -> wasmtime::Result<bool> {
        self.host_call(HostCall::Mac)?;
        Ok(self
            .credentials
            .get(&credential)?
            .verify_hmac(hash.into(), &message, &tag))
    }

    fn hmac(
        &mut self,
        credential: Resource<Credential>,
        hash: credentials::Hash,
        message: Vec<u8>,
    ) -> wasmtime::Result<Vec<u8>> {
        self.host_call(HostCall::Mac)?;
        Ok(self
            .credentials
            .get(&credential)?
            .hmac(hash.into(), &message))
    }

    fn public_keys(&mut self, credential: Resource<Credential>) -> wasmtime::Result<Vec<Vec<u8>>> {
        self.host_call(HostCall::Look)?;
        let credential = self.credentials.get(&credential)?;
        let keys = credential.public_keys().iter();
        let enrolled = credential.enrolled_keys().iter();
        Ok(keys
            .map(|key| key.octets().to_vec())
            .chain(enrolled.map(|key| key.public_key().to_vec()))
            .collect())
    }

    fn drop(&mut self, credential: Resource<Credential>) -> wasmtime::Result<()> {
        self.host_call(HostCall::Release)?;
        self.credentials.release(&credential);
        Ok(())
    }
}

impl From<credentials::Hash> for Hash {
    fn from(hash: credentials::Hash) -> Self {
        match hash {
            credentials::Hash::Sha1 => Self::Sha1,
            credentials::Hash::Sha256 => Self::Sha256,
            credentials::Hash::Sha512 => Self::Sha512,
        }
    }
}
