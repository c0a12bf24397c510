//! Asking a staged revision beside the one that decides, and counting where the two differ.

use std::{
    mem,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::SystemTime,
};

use tokio::task::JoinHandle;

use super::{Evidence, Fault, Method, tenure::Comparison};
use crate::{
    login::{Call, Challenge, Verdict},
    transport::Connection,
};

/// How many disagreements of a revision the log tells. All are counted.
const TOLD: u64 = 20;

/// A staged revision that hears what the live one is asked in one login. What it says is compared
/// and goes nowhere. It has continuations of its own, credentials that nothing can be spent of, and
/// no way out of the router; and the login does not wait for it.
#[derive(Debug)]
pub struct Shadow {
    method: Arc<Method>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// What it put into its last challenge, as soon as it has; none where it has parted from the
    /// live one.
    Following(JoinHandle<Option<Arc<[u8]>>>),
    /// It is asked no more in this login, unless the step begins anew.
    Parted,
}

/// What a call was answered by the revision that decides.
#[derive(Debug)]
pub struct Decided<'a> {
    pub call: Call,
    /// When it was asked.
    pub now: SystemTime,
    pub verdict: &'a Result<Verdict, Fault>,
    /// Whether it had credentials that nothing fits.
    pub locked: bool,
}

/// How what two revisions say compares.
#[derive(Debug, PartialEq, Eq)]
enum Compared {
    /// The same challenge, so both can go on.
    GoOn(Arc<[u8]>),
    Agreed,
    Disagreed,
    /// What the shadow said is not what it would have said.
    Skipped,
}

impl Shadow {
    /// The method must be one that was made to be asked [`Method::beside`].
    pub const fn new(method: Arc<Method>) -> Self {
        Self {
            method,
            state: State::Parted,
        }
    }

    /// Has it asked the same.
    pub fn follow(&mut self, decided: Decided<'_>, connection: &Arc<Connection>) {
        let before = match mem::replace(&mut self.state, State::Parted) {
            _ if decided.call.answer.is_none() => None,
            State::Following(before) => Some(before),
            State::Parted => return,
        };
        let beside = &self.method.tenure.beside;
        let Ok(room) = Arc::clone(&beside.room).try_acquire_owned() else {
            beside.skipped.fetch_add(1, Relaxed);
            return;
        };
        let Decided {
            mut call,
            now,
            verdict,
            locked,
        } = decided;
        let (method, verdict) = (Arc::clone(&self.method), verdict.clone());
        let connection = Arc::clone(connection);
        self.state = State::Following(tokio::spawn(async move {
            let _room = room;
            if let (Some(before), Some(answer)) = (before, &mut call.answer) {
                answer.state = before.await.ok()??;
            }
            let (said, spent) = method.ask_beside(call, now, &connection, locked).await;
            let compared = compare(&verdict, &said, spent);
            method.tenure.beside.note(compared, |disagreed| {
                let (realm, step) = (&method.tenure.realm, &method.tenure.step);
                tracing::warn!(
                    %realm, %step, revision = method.revision.digest.short(), disagreed,
                    live = said_by(&verdict), shadow = said_by(&said),
                    "a shadow disagrees with the live revision"
                );
            })
        }));
    }
}

impl Comparison {
    /// Yields what the shadow goes on with.
    fn note(&self, compared: Compared, tell: impl FnOnce(u64)) -> Option<Arc<[u8]>> {
        match compared {
            Compared::GoOn(state) => return Some(state),
            Compared::Agreed => _ = self.agreed.fetch_add(1, Relaxed),
            Compared::Skipped => _ = self.skipped.fetch_add(1, Relaxed),
            Compared::Disagreed => {
                let disagreed = self.disagreed.fetch_add(1, Relaxed) + 1;
                if disagreed <= TOLD {
                    tell(disagreed);
                }
            }
        }
        None
    }
}

impl Method {
    /// Also tells whether it has asked for something that is good once.
    async fn ask_beside(
        &self,
        call: Call,
        now: SystemTime,
        connection: &Arc<Connection>,
        locked: bool,
    ) -> (Result<Verdict, Fault>, bool) {
        let (keyring, spent) = self.keyring.unspending();
        let keyring = if locked { keyring.locked() } else { keyring };
        let evidence: Arc<Evidence> = Arc::default();
        let said = self.ask(call, now, connection, &evidence, &keyring).await;
        (said, spent.load(Relaxed))
    }
}

fn compare(
    live: &Result<Verdict, Fault>,
    shadow: &Result<Verdict, Fault>,
    spent: bool,
) -> Compared {
    let is_same = match (live, shadow) {
        // It could not ask whom it would ask, or there was no room.
        (_, Err(fault)) | (Err(fault), _) if !fault.is_the_methods() => return Compared::Skipped,
        // The answer that comes will be to the live one's challenge.
        (Ok(Verdict::Challenge(live)), Ok(Verdict::Challenge(Challenge { extra, state }))) => {
            if live.extra == *extra {
                return Compared::GoOn(Arc::clone(state));
            }
            false
        }
        (Ok(Verdict::Accept(live)), Ok(Verdict::Accept(shadow))) => {
            live.authid == shadow.authid && live.authrole == shadow.authrole
        }
        (Ok(Verdict::Deny(_)), Ok(Verdict::Deny(_)))
        | (Ok(Verdict::NotMine), Ok(Verdict::NotMine)) => true,
        (Err(live), Err(shadow)) => live.label() == shadow.label(),
        _ => false,
    };
    match (is_same, spent) {
        (true, _) => Compared::Agreed,
        // It was told that it could, or that it could not; the live one may have been told otherwise.
        (false, true) => Compared::Skipped,
        (false, false) => Compared::Disagreed,
    }
}

/// For the log, without the method's words: these may tell what a client sent.
fn said_by(said: &Result<Verdict, Fault>) -> &'static str {
    match said {
        Ok(Verdict::Challenge(_)) => "challenge",
        Ok(Verdict::Accept(_)) => "accept",
        Ok(Verdict::Deny(_)) => "deny",
        Ok(Verdict::NotMine) => "not mine",
        Err(fault) => fault.label(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        login::{Authid, Identity},
        wamp::Dict,
    };

    #[expect(clippy::unnecessary_wraps, reason = "as a call returns it")]
    fn accept(authid: &str) -> Result<Verdict, Fault> {
        Ok(Verdict::Accept(Identity {
            authid: Authid::parse(authid).unwrap(),
            authrole: "user".into(),
            authprovider: None,
            authextra: Dict::new(),
            expires_at: None,
        }))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a call returns it")]
    fn challenge(text: &str, state: &[u8]) -> Result<Verdict, Fault> {
        Ok(Verdict::Challenge(Challenge {
            extra: Dict::new().with("challenge", text),
            state: state.into(),
        }))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a call returns it")]
    fn deny(why: &str) -> Result<Verdict, Fault> {
        Ok(Verdict::Deny(why.into()))
    }

    #[test]
    fn two_agree_whose_verdicts_are_the_same_for_the_client() {
        let agreed = |live, shadow| compare(&live, &shadow, false) == Compared::Agreed;
        assert!(agreed(accept("alice"), accept("alice")));
        assert!(agreed(deny("one reason"), deny("another")));
        assert!(agreed(Ok(Verdict::NotMine), Ok(Verdict::NotMine)));
        assert!(!agreed(accept("alice"), accept("bob")));
        assert!(!agreed(accept("alice"), deny("no")));
        assert!(!agreed(deny("no"), Ok(Verdict::NotMine)));
    }

    #[test]
    fn a_shadow_goes_on_with_a_state_of_its_own_where_the_challenge_is_the_same() {
        let compared = compare(&challenge("x", b"live"), &challenge("x", b"own"), false);
        assert_eq!(compared, Compared::GoOn(b"own"[..].into()));
        let compared = compare(&challenge("x", b"live"), &challenge("y", b"own"), false);
        assert_eq!(compared, Compared::Disagreed);
    }

    #[test]
    fn what_a_shadow_could_not_ask_or_spend_is_no_disagreement() {
        let fault = || Err(Fault::Undecided("there are no origins".into()));
        assert_eq!(compare(&accept("a"), &fault(), false), Compared::Skipped);
        assert_eq!(compare(&deny("no"), &accept("a"), true), Compared::Skipped);
        assert_eq!(compare(&accept("a"), &accept("a"), true), Compared::Agreed);
        let trap = || Err(Fault::Trapped("on purpose".into()));
        assert_eq!(compare(&accept("a"), &trap(), false), Compared::Disagreed);
        assert_eq!(compare(&trap(), &trap(), false), Compared::Agreed);
        let no_room = || Err(Fault::Overload("others are before it".into()));
        assert_eq!(compare(&trap(), &no_room(), false), Compared::Skipped);
    }
}
