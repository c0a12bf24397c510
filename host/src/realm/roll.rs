//! Who is in a realm now, and what that rests on.
//!
//! ```text
//! login ──admit──▶ on the roll ──once more: does what it rests on still hold?──▶ WELCOME
//! ```
//!
//! The order matters. Whatever ends sessions looks at the roll after it has happened: a credential
//! after it was changed, a realm's file after its generation is in place. So a change that comes
//! before the second look is seen by that, and one that comes after it finds the session on the roll.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::SetOnce;

use super::{Generation, Realm, Selection};
use crate::{
    credential::{CredentialVersion, Ended, Standing, StoreError},
    login::{Accepted, StepName},
    method::{Digest, Seen},
    router::Farewell,
    wamp::Id,
};

/// The live sessions of a realm. Its lock is taken when a session begins or ends and when somebody
/// asks for many of them, and never for what they say to each other.
#[derive(Debug, Default)]
pub(super) struct Roll(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    sessions: HashMap<Id, Arc<LiveSession>>,
    /// Revisions that let nobody in any more.
    barred: HashSet<Digest>,
}

/// A session, and what it rests on. Some 500 octets.
#[derive(Debug)]
pub struct LiveSession {
    pub id: Id,
    pub authid: Arc<str>,
    pub authrole: Arc<str>,
    /// The steps of its login, in their order. One that was skipped is not among them.
    pub passed: Box<[Passed]>,
    /// The credentials that its methods were given; of a login by cookie, those behind the cookie.
    pub rests_on: Box<[CredentialVersion]>,
    /// The number of the generation that let it in.
    pub generation: u64,
    pub since: SystemTime,
    pub peer: Box<str>,
    by_verdict: Option<SystemTime>,
    by_credential: OnceLock<SystemTime>,
    farewell: SetOnce<Farewell>,
}

/// A step that a login has passed, and the revision that said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub step: StepName,
    pub revision: Digest,
}

/// A session's place on the roll. It is free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    pub realm: Arc<Realm>,
    pub session: Arc<LiveSession>,
}

/// Why somebody is not let in who has passed every step.
#[derive(Debug, Error)]
pub enum NotAdmitted {
    #[error("the {} credential of {} was {how} during the login", .credential.kind, .credential.authid)]
    Credential {
        credential: CredentialVersion,
        how: Ended,
    },
    #[error("by the realm's present file the login does not lead to the role {0:?} any more")]
    Role(Arc<str>),
    #[error(
        "revision {} of the step {} was withdrawn during the login", .0.revision.short(), .0.step
    )]
    Barred(Passed),
    #[error("session {0} is there already")]
    Taken(Id),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LiveSession {
    pub fn new(
        accepted: &Accepted,
        passed: Vec<Passed>,
        seen: Seen,
        generation: &Generation,
        peer: &str,
    ) -> Self {
        let mut rests_on = seen.credentials;
        for credential in seen.cookie.into_iter().flat_map(|cookie| cookie.rests_on) {
            if !rests_on.contains(&credential) {
                rests_on.push(credential);
            }
        }
        let since = SystemTime::now();
        let by_method = accepted
            .expires_at
            .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at));
        let by_realm = accepted
            .longest_session
            .and_then(|longest| since.checked_add(longest));
        Self {
            id: accepted.session,
            authid: accepted.authid.shared(),
            authrole: Arc::clone(&accepted.authrole),
            passed: passed.into(),
            rests_on: rests_on.into(),
            generation: generation.number,
            since,
            peer: peer.into(),
            by_verdict: by_method.into_iter().chain(by_realm).min(),
            by_credential: OnceLock::new(),
            farewell: SetOnce::new(),
        }
    }

    /// When it ends by itself.
    pub fn expires(&self) -> Option<SystemTime> {
        let by_credential = self.by_credential.get().copied();
        self.by_verdict.into_iter().chain(by_credential).min()
    }

    /// Ends it. False if somebody else has done so already.
    pub fn end(&self, farewell: Farewell) -> bool {
        self.farewell.set(farewell).is_ok()
    }

    /// Why it ends, once somebody ends it.
    pub async fn ended(&self) -> &Farewell {
        self.farewell.wait().await
    }

    /// The same, if somebody has.
    pub fn farewell(&self) -> Option<&Farewell> {
        self.farewell.get()
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &StepName> + Clone {
        self.passed.iter().map(|passed| &passed.step)
    }
}

#[cfg(test)]
impl LiveSession {
    /// One that rests on nothing.
    pub(crate) fn unfounded() -> Self {
        Self {
            id: Id::MIN,
            authid: "nobody".into(),
            authrole: "guest".into(),
            passed: Box::default(),
            rests_on: Box::default(),
            generation: 1,
            since: SystemTime::UNIX_EPOCH,
            peer: Box::default(),
            by_verdict: None,
            by_credential: OnceLock::new(),
            farewell: SetOnce::new(),
        }
    }
}

impl Roll {
    fn enter(&self, session: &Arc<LiveSession>) -> Result<(), NotAdmitted> {
        let Entries { sessions, barred } = &mut *self.0.lock();
        let mut passed = session.passed.iter();
        if let Some(passed) = passed.find(|passed| barred.contains(&passed.revision)) {
            return Err(NotAdmitted::Barred(passed.clone()));
        }
        match sessions.entry(session.id) {
            Entry::Occupied(_) => Err(NotAdmitted::Taken(session.id)),
            Entry::Vacant(seat) => {
                seat.insert(Arc::clone(session));
                Ok(())
            }
        }
    }

    fn leave(&self, session: Id) {
        self.0.lock().sessions.remove(&session);
    }

    fn all(&self) -> Vec<Arc<LiveSession>> {
        self.0.lock().sessions.values().cloned().collect()
    }

    fn find(&self, session: Id) -> Option<Arc<LiveSession>> {
        self.0.lock().sessions.get(&session).cloned()
    }

    /// What a new generation asks is not barred.
    pub(super) fn welcome(&self, revisions: impl Iterator<Item = Digest>) {
        let barred = &mut self.0.lock().barred;
        for revision in revisions {
            barred.remove(&revision);
        }
    }
}

impl Realm {
    /// Lets somebody in whom the methods have accepted, if what that rests on still holds.
    ///
    /// # Errors
    /// Why not, for the operator's log.
    pub fn admit(self: &Arc<Self>, session: LiveSession) -> Result<Seat, NotAdmitted> {
        let session = Arc::new(session);
        self.roll.enter(&session)?;
        let seat = Seat {
            realm: Arc::clone(self),
            session,
        };
        let session = &*seat.session;
        let generation = self.generation();
        if !generation
            .policy
            .may_have(&session.authrole, &session.steps())
        {
            return Err(NotAdmitted::Role(Arc::clone(&session.authrole)));
        }
        let credentials = &session.rests_on;
        let standing = generation.keyring.standing(credentials, session.since)?;
        let mut ends = None;
        for (credential, standing) in credentials.iter().zip(standing) {
            match standing {
                // What a version says of its end never changes.
                Standing::Good(end) => ends = ends.into_iter().chain(end).min(),
                Standing::Ended(how) => {
                    let credential = credential.clone();
                    return Err(NotAdmitted::Credential { credential, how });
                }
            }
        }
        if let Some(end) = ends {
            // The only one who sets it.
            _ = session.by_credential.set(end);
        }
        Ok(seat)
    }

    /// Lets nobody in any more by a revision, not even by a login that is under way, until a generation
    /// is put in place that asks it again. Who is in stays: [`Self::end_sessions`] is for them, after
    /// this.
    pub fn bar(&self, revision: Digest) {
        self.roll.0.lock().barred.insert(revision);
    }

    /// How many sessions there are.
    pub fn population(&self) -> usize {
        self.roll.0.lock().sessions.len()
    }

    /// The live sessions that a selection means, in no order.
    pub fn sessions(&self, selection: &Selection) -> Vec<Arc<LiveSession>> {
        let mut sessions = match selection.session {
            Some(id) => self.roll.find(id).into_iter().collect(),
            None => self.roll.all(),
        };
        sessions.retain(|session| selection.means(session));
        sessions
    }

    /// Ends the live sessions that a selection means, and yields them. When this returns, nothing
    /// comes from them any more and nothing that others say gets to them; each is about to say
    /// GOODBYE, and writes a line to the log.
    pub fn end_sessions(
        &self,
        selection: &Selection,
        farewell: &Farewell,
    ) -> Vec<Arc<LiveSession>> {
        let mut ended = self.sessions(selection);
        ended.retain(|session| self.end(session, farewell.clone()));
        ended
    }

    /// False if somebody else ends it already.
    pub(super) fn end(&self, session: &LiveSession, farewell: Farewell) -> bool {
        // First the reason, so that whoever finds the session out of its router knows why.
        let ended = session.end(farewell);
        self.router.leave(session.id);
        ended
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.realm.roll.leave(self.session.id);
    }
}

#[cfg(test)]
mod tests;
