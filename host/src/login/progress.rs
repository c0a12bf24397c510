use std::sync::Arc;

use super::{Accepted, Policy, Proof, Step, StepName, hello::Hello};
use crate::wamp::{Dict, Id};

/// A login that has found its alternative.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) hello: Hello,
    pub(super) policy: Arc<Policy>,
    pub(super) alternative: usize,
    /// Which step is due. Not how many are proven: some may have been skipped.
    pub(super) step: usize,
    /// How often it has challenged the client.
    pub(super) rounds: u32,
    pub(super) proven: Vec<Proof>,
}

impl Progress {
    /// The step that is due; None after the last.
    pub(super) fn step(&self) -> Option<&StepName> {
        self.policy
            .alternatives
            .get(self.alternative)?
            .name(self.step)
    }

    /// The same with what the policy says of it; None for the first one too.
    pub(super) fn later(&self) -> Option<&Step> {
        self.policy
            .alternatives
            .get(self.alternative)?
            .later(self.step)
    }

    /// The most challenges of the step that is due, if it has had them.
    pub(super) fn is_out_of_rounds(&self) -> Option<u32> {
        let most = *self.policy.rounds.get(self.step()?)?;
        (self.rounds >= most).then_some(most)
    }

    /// On to the next step.
    pub(super) const fn pass(&mut self) {
        self.step += 1;
        self.rounds = 0;
    }

    pub(super) fn may_change_role(&self) -> bool {
        self.later().is_some_and(|step| step.may_change_role)
    }

    /// The role that the login has come to, and a step that it requires and that is not passed.
    pub(super) fn unmet(&self) -> Option<(&str, &StepName)> {
        let role = self.policy.role(&self.proven.last()?.identity.authrole)?;
        let missing = role
            .requires
            .iter()
            .find(|required| self.proven.iter().all(|proof| proof.step != **required))?;
        Some((&role.name, missing))
    }

    /// None before a step is passed.
    pub(super) fn accepted(self, session: Id) -> Option<Accepted> {
        let mut authextra = Dict::new();
        // From the last to the first, so that what the first returned stays.
        for proof in self.proven.iter().rev() {
            authextra.extend(proof.identity.authextra.clone());
        }
        let expires_at = self
            .proven
            .iter()
            .filter_map(|proof| proof.identity.expires_at)
            .min();
        let authrole = self.proven.last()?.identity.authrole.as_str().into();
        let first = self.proven.into_iter().next()?;
        Some(Accepted {
            realm: self.hello.realm,
            session,
            authid: first.identity.authid,
            authrole,
            authmethod: first.step,
            authprovider: first.identity.authprovider,
            authextra,
            expires_at,
            longest_session: self.policy.longest_session,
            roles: self.hello.roles,
            wants_cookie: self.hello.wants_cookie,
        })
    }
}
