//! Right answers in the wrong place.

use super::{Accepted, Check, Suite};
use crate::{
    config::{RealmName, TestTable},
    trial::{play::Said, scene::TrialError, script::Script},
};

impl Suite<'_> {
    /// An answer that was accepted, given to another challenge.
    pub(super) async fn takes_no_answer_twice(&mut self) -> Result<(), TrialError> {
        if self.clear_secret() {
            return Ok(());
        }
        for (name, script) in self.shown() {
            // Each on a scene of its own, so that what is good once is good for this.
            let scene = self.scene(self.table).await?;
            if scene.play(&script).await.identity().is_none() {
                // It rests on what an earlier attempt of the table has done.
                continue;
            }
            self.look(Check::Replay);
            let later = Script {
                shift: 100,
                ..script
            };
            if let Said::Accept(identity) = scene.play(&later).await.said() {
                self.fail(
                    Check::Replay,
                    format!(
                        "{name}: the same answer let {} in again, in a login with another nonce; \
                         bind it to the challenge, or say in the manifest that clients send their \
                         secret as it is (\"clear-secret\")",
                        identity.authid
                    ),
                );
            }
        }
        Ok(())
    }

    /// The same in a realm that has none of the credentials.
    pub(super) async fn takes_no_answer_elsewhere(&mut self) -> Result<(), TrialError> {
        if !self.works_with_credentials() {
            return Ok(());
        }
        let mut elsewhere: TestTable = self.table.clone();
        elsewhere.credentials.clear();
        if let Some(realm) = RealmName::new("conform.elsewhere") {
            elsewhere.realm = realm;
        }
        let scene = self.scene(&elsewhere).await?;
        for (name, script) in self.shown() {
            self.look(Check::Realm);
            if let Said::Accept(identity) = scene.play(&script).await.said() {
                self.fail(
                    Check::Realm,
                    format!(
                        "{name}: the answer let {} into another realm, where nobody has a credential",
                        identity.authid
                    ),
                );
            }
        }
        Ok(())
    }

    /// With an earlier step that has found somebody else.
    pub(super) async fn proves_anew(&mut self) -> Result<(), TrialError> {
        let scene = self.scene(self.table).await?;
        for (name, script) in self.shown() {
            let Some(authid) = script.user() else {
                continue;
            };
            let other = super::enumeration::unknown(&authid);
            self.look(Check::Proven);
            let script = script.proven_as(&other);
            if let Said::Accept(identity) = scene.play(&script).await.said()
                && identity.authid == other
            {
                self.fail(
                    Check::Proven,
                    format!(
                        "{name}: the step before had found {other}, and the answer of {authid} let \
                         {other} in"
                    ),
                );
            }
        }
        Ok(())
    }

    /// The accepted attempts in which the client has shown something.
    pub(super) fn shown(&self) -> Vec<(String, Script)> {
        let has_shown = |it: &&Accepted<'_>| {
            !it.script.replies.is_empty() || it.script.authextra.as_ref() != "{}"
        };
        let shown = self.accepted.iter().filter(has_shown);
        shown
            .map(|it| (it.attempt.name.clone(), it.script.clone()))
            .collect()
    }
}
