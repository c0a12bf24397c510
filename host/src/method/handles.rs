use smallvec::SmallVec;
use thiserror::Error;
use wasmtime::component::Resource;

use super::{Limit, guest::Overrun};
use crate::credential::Credential;

/// Credentials by the handles that a guest has for them. No number is ever given twice: in an
/// instance that stays, a handle that was kept from an earlier login is none to this one's
/// credentials.
#[derive(Default)]
pub(super) struct Handles {
    next: u32,
    open: SmallVec<[(u32, Credential); 2]>,
    most: usize,
}

/// Only a guest that kept a handle over the end of a call has such.
#[derive(Clone, Copy, Debug, Error)]
#[error("it used a handle to a credential of an earlier call")]
pub(super) struct Stale;

impl Handles {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Empty, and with other numbers than before.
    pub(super) fn renewed(&self) -> Self {
        Self {
            next: self.next,
            ..Self::new(self.most)
        }
    }

    pub(super) fn push(&mut self, credential: Credential) -> Result<Resource<Credential>, Overrun> {
        if self.open.len() >= self.most {
            return Err(Overrun(Limit::Handles));
        }
        let number = self.next;
        self.next = number.checked_add(1).ok_or(Overrun(Limit::Handles))?;
        self.open.push((number, credential));
        Ok(Resource::new_own(number))
    }

    pub(super) fn get(&self, handle: &Resource<Credential>) -> Result<&Credential, Stale> {
        let mut open = self.open.iter();
        open.find(|(number, _)| *number == handle.rep())
            .map(|(_, credential)| credential)
            .ok_or(Stale)
    }

    /// What is stale is gone already.
    pub(super) fn release(&mut self, handle: &Resource<Credential>) {
        self.open.retain(|(number, _)| *number != handle.rep());
    }
}
