use wasmtime::{
    Store,
    component::{Component, Instance, InstancePre},
};

use super::{
    bindings::exports::countersign::auth::{about, method},
    guest::Guest,
};

/// A component that is compiled and linked: instances can be made of it. What it exports is found by
/// interface: a call needs one of them only, and finding takes time for each.
#[derive(Clone)]
pub(super) struct Linked {
    pre: InstancePre<Guest>,
    about: about::GuestIndices,
    method: method::GuestIndices,
}

impl Linked {
    /// An error: it does not export what a method must.
    pub(super) fn new(pre: InstancePre<Guest>) -> wasmtime::Result<Self> {
        Ok(Self {
            about: about::GuestIndices::new(&pre)?,
            method: method::GuestIndices::new(&pre)?,
            pre,
        })
    }

    pub(super) fn component(&self) -> &Component {
        self.pre.component()
    }

    pub(super) async fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Instance> {
        self.pre.instantiate_async(store).await
    }

    /// What an instance says of itself.
    pub(super) fn about(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> wasmtime::Result<about::Guest> {
        self.about.load(store, instance)
    }

    /// What it decides.
    pub(super) fn method(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> wasmtime::Result<method::Guest> {
        self.method.load(store, instance)
    }
}
