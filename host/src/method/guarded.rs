//! Asking a method in such a way that nobody can go on guessing.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use super::{Evidence, Fault, Method};
use crate::{
    credential::{Guess, GuessSource, Kind, Lock},
    login::{Attempt, Authid, Call, Verdict},
    transport::{Connection, PeerSource},
};

impl Method {
    /// Asks it. Where wrong answers count, this waits until those before it are settled, if it must;
    /// and during a lock the method is asked all the same, with credentials that nothing fits: a
    /// client learns no more from its answer than from any other wrong one, and a right one uses
    /// nothing up. What it is shown is added to the evidence.
    pub async fn call(
        self: &Arc<Self>,
        call: Call,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
    ) -> Result<Verdict, Fault> {
        let now = SystemTime::now();
        self.call_at(now, call, connection, evidence).await
    }

    /// The same, at a time: the method is told that it is now.
    pub async fn call_at(
        self: &Arc<Self>,
        now: SystemTime,
        call: Call,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
    ) -> Result<Verdict, Fault> {
        if self.tenure.is_withdrawn() {
            self.tenure.outcomes.refuse(&Fault::Withdrawn);
            return Err(Fault::Withdrawn);
        }
        let since = Instant::now();
        let verdict = self.ask_counted(call, now, connection, evidence).await;
        self.tenure.note(&verdict, since.elapsed());
        // What it has begun before, it must not end.
        if self.tenure.is_withdrawn() {
            return Err(Fault::Withdrawn);
        }
        verdict
    }

    async fn ask_counted(
        self: &Arc<Self>,
        call: Call,
        now: SystemTime,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
    ) -> Result<Verdict, Fault> {
        let Some(authid) = self.guesser(&call.attempt) else {
            return self
                .ask(call, now, connection, evidence, &self.keyring)
                .await;
        };
        let authid = authid.as_str().into();
        let source = GuessSource::new(PeerSource::of(&connection.peer).to_string());
        let guess = self
            .keyring
            .guess(&self.guessed_at(), &authid, &source, &self.guesses)
            .await
            .map_err(|error| Fault::Store(error.to_string()))?;
        // A task of its own, which goes on when the client leaves: else it could try out by leaving
        // at the right moment what it is too slow to be counted for.
        let method = Arc::clone(self);
        let (connection, evidence) = (Arc::clone(connection), Arc::clone(evidence));
        let asking = async move {
            method
                .ask_guarded(call, now, &connection, &evidence, guess)
                .await
        };
        tokio::spawn(asking)
            .await
            .unwrap_or_else(|stopped| Err(Fault::Trapped(stopped.to_string())))
    }

    /// Against whom a wrong answer counts: whoever has passed the first step, so that those who have
    /// not can lock nobody out. In a first step nobody, or, where the realm wants it, whoever the
    /// client says it is.
    fn guesser<'a>(&self, attempt: &'a Attempt) -> Option<&'a Authid> {
        match attempt.proven.first() {
            Some(first) => Some(&first.identity.authid),
            None if self.counts_first => attempt.authid.as_ref(),
            None => None,
        }
    }

    /// Two steps that work with one kind of credential share their count.
    fn guessed_at(&self) -> Kind {
        let kinds = &self.revision.manifest.credential_kinds;
        let kind = kinds.first().map_or(self.label.step.as_str(), |kind| kind);
        Kind::from(kind)
    }

    async fn ask_guarded(
        &self,
        call: Call,
        now: SystemTime,
        connection: &Arc<Connection>,
        evidence: &Arc<Evidence>,
        guess: Guess,
    ) -> Result<Verdict, Fault> {
        let Some(lock) = guess.lock() else {
            let guesser = self.guesser(&call.attempt).cloned();
            let verdict = self
                .ask(call, now, connection, evidence, &self.keyring)
                .await;
            self.settle(&verdict, guess, guesser.as_ref()).await;
            return verdict;
        };
        let wrong = guess.wrong_before();
        let locked = self.keyring.locked();
        evidence.locked();
        let verdict = self.ask(call, now, connection, evidence, &locked).await;
        self.settle(&verdict, guess, None).await;
        refused(verdict, wrong, lock)
    }

    /// Takes note of what came of a guess, before the client hears of it.
    async fn settle(
        &self,
        verdict: &Result<Verdict, Fault>,
        guess: Guess,
        guesser: Option<&Authid>,
    ) {
        let settled = match verdict {
            Ok(Verdict::Accept(_)) => guess.right().await,
            Ok(Verdict::Deny(_)) => self.count(guess, guesser).await,
            Err(fault) if fault.may_be_guess() => self.count(guess, guesser).await,
            Ok(Verdict::Challenge(_) | Verdict::NotMine) | Err(_) => return,
        };
        if let Err(error) = settled {
            tracing::error!(
                realm = %self.label.realm, step = %self.label.step, %error,
                "an answer could not be counted"
            );
        }
    }

    async fn count(
        &self,
        guess: Guess,
        guesser: Option<&Authid>,
    ) -> Result<(), crate::credential::StoreError> {
        let tally = guess.wrong().await?;
        if let (Some(lock), Some(authid)) = (tally.lock, guesser) {
            tracing::warn!(
                realm = %self.label.realm, step = %self.label.step, %authid, wrong = tally.wrong,
                "locked {lock}, after {} wrong answers in a row", tally.wrong
            );
        }
        Ok(())
    }
}

/// What a method says during a lock, where all that it can do is to ask.
fn refused(verdict: Result<Verdict, Fault>, wrong: u32, lock: Lock) -> Result<Verdict, Fault> {
    let why = format!("it is locked {lock}, after {wrong} wrong answers in a row");
    match verdict {
        Ok(Verdict::Accept(_)) => Ok(Verdict::Deny(why)),
        Ok(Verdict::Deny(said)) => Ok(Verdict::Deny(format!("{why} (it said: {said})"))),
        Ok(Verdict::Challenge(_) | Verdict::NotMine) | Err(_) => verdict,
    }
}
