//! Ending sessions when the credentials that they rest on end, whoever ends those.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::{LiveSession, Realm, Realms, Selection};
use crate::{
    credential::{CredentialVersion, Standing, Store, StoreError},
    router::Farewell,
    wamp::reason,
};

/// How often it is asked whether any credential has changed: one number is read from the store.
const LOOK: Duration = Duration::from_millis(250);

/// How many credentials are looked at together. Logins wait for that: for 3 ms where nothing is
/// optimised and the machine is busy.
const BATCH: usize = 128;

/// Follows the changes of credentials for as long as it is polled. Only after a change the credentials
/// are looked at, and only those that sessions rest on.
pub async fn follow(store: Arc<dyn Store>, realms: Arc<Realms>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = None;
    let mut has_failed = false;
    loop {
        looks.tick().await;
        match look(&store, &realms, seen).await {
            Ok(change) => {
                seen = Some(change);
                has_failed = false;
            }
            // Once is enough until it works again.
            Err(error) if !has_failed => {
                has_failed = true;
                tracing::error!(
                    %error,
                    "it cannot be seen whether credentials have changed, so no session ends for \
                     that now; it is tried again"
                );
            }
            Err(_) => {}
        }
    }
}

/// Yields the change up to which everything was looked at.
async fn look(
    store: &Arc<dyn Store>,
    realms: &Arc<Realms>,
    seen: Option<u64>,
) -> Result<u64, StoreError> {
    let change = store.last_change()?;
    if seen == Some(change) {
        return Ok(change);
    }
    let noticed = seen.map_or(0, |seen| change.saturating_sub(seen));
    realms.credential_changes.fetch_add(noticed, Relaxed);
    // After the change was read: what changes meanwhile is found by the next look.
    let realms = realms.all();
    let ending = spawn_blocking(move || realms.iter().try_for_each(|realm| realm.end_unfounded()));
    // A panic in there would have been told already, and the next change is another chance.
    ending.await.unwrap_or(Ok(()))?;
    Ok(change)
}

impl Realm {
    /// Ends the sessions that rest on credentials that are removed, changed, disabled or expired.
    pub(super) fn end_unfounded(&self) -> Result<(), StoreError> {
        let mut resting: HashMap<CredentialVersion, Vec<Arc<LiveSession>>> = HashMap::new();
        for session in self.sessions(&Selection::everyone()) {
            for credential in &session.rests_on {
                let sessions = resting.entry(credential.clone()).or_default();
                sessions.push(Arc::clone(&session));
            }
        }
        let keyring = self.generation().keyring.clone();
        let credentials: Vec<_> = resting.keys().cloned().collect();
        for batch in credentials.chunks(BATCH) {
            let standing = keyring.standing(batch, SystemTime::now())?;
            for (credential, standing) in batch.iter().zip(standing) {
                let Standing::Ended(how) = standing else {
                    continue;
                };
                let CredentialVersion { kind, authid, .. } = credential;
                let farewell = Farewell::new(
                    reason::CLOSE_REVOKED,
                    "a credential that this session rests on has ended or changed",
                    format!("the {kind} credential of {authid} was {how}"),
                );
                for session in resting.get(credential).into_iter().flatten() {
                    self.end(session, farewell.clone());
                }
            }
        }
        Ok(())
    }

    /// Ends the sessions that the realm's present file does not give their role any more, and tells of
    /// those that came by a step that no login has now.
    pub(super) fn end_roleless(&self) {
        let policy = Arc::clone(&self.generation().policy);
        let mut by_former_step: HashMap<_, usize> = HashMap::new();
        for session in self.sessions(&Selection::everyone()) {
            if !policy.may_have(&session.authrole, &session.steps()) {
                let farewell = Farewell::new(
                    reason::CLOSE_REVOKED,
                    "the realm does not give this session its role any more",
                    "the realm's file",
                );
                self.end(&session, farewell);
                continue;
            }
            for step in session.steps().filter(|step| !policy.has_step(step)) {
                *by_former_step.entry(step.clone()).or_default() += 1;
            }
        }
        for (step, sessions) in by_former_step {
            tracing::warn!(
                realm = %self.name, %step, sessions,
                "sessions go on that came by a step which no login of the realm has any more; to end \
                 them: countersign session kill --realm {} --method {step}", self.name
            );
        }
    }
}
