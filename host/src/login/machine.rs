mod effect;

use std::{mem, sync::Arc, time::Duration};

pub use effect::{Accepted, Attempt, Call, Effect, Outcome};

use super::{
    Answer, Challenge, Denial, Fault, Identity, Policy, Proof, Refusal, Step, StepName, Verdict,
    When, hello::Hello, progress::Progress,
};
use crate::wamp::{Dict, Id, Message};

/// 32 octets of the host's randomness.
pub type Nonce = [u8; 32];

/// How long a login may take, and how often it may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the connection to HELLO.
    pub hello: Duration,
    /// From a CHALLENGE to its AUTHENTICATE.
    pub round: Duration,
    /// From the connection to WELCOME.
    pub total: Duration,
    /// CHALLENGEs of one login.
    pub rounds: u32,
}

/// One thing that happened in a login, for its audit record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub step: StepName,
    pub said: String,
}

/// The state machine. It waits for HELLO, then for the realm's policy, then by turns for a method's
/// verdict and for the client's AUTHENTICATE, and then it is over:
///
/// - HELLO opens the first of the realm's alternatives that begins with an announced method. A
///   first step that says "not mine" passes the login on to the next such alternative. A login that
///   has an alternative goes through all its steps in order; whatever else a step says but "accept"
///   or "challenge" is a denial.
/// - The first step names the user. Only then it is looked whether a step is skipped, as those are
///   that are for the enrolled when the user is not; so nobody learns of it who has shown nothing. A
///   later step names the same user, or the login is denied.
/// - Each challenge is good for one answer. A client's message while a method is being asked, or any
///   other than the one that is due, is a protocol violation.
/// - A login that is over takes nothing more in.
#[derive(Debug)]
pub struct Login {
    limits: Limits,
    session: Id,
    nonces: fn() -> Nonce,
    is_confidential: bool,
    state: State,
    deadline: Duration,
    rounds: u32,
    transcript: Vec<Entry>,
}

#[derive(Debug)]
enum State {
    AwaitingHello,
    AwaitingPolicy(Hello),
    AwaitingEnrolment(Progress),
    AwaitingVerdict(Progress, Nonce),
    AwaitingAnswer(Progress, Nonce, Arc<[u8]>),
    Over,
}

impl Login {
    /// `session` is the id that the session will have. `nonces` must return fresh randomness each
    /// time. `is_confidential` says whether nobody can read along.
    pub const fn new(
        limits: Limits,
        session: Id,
        nonces: fn() -> Nonce,
        is_confidential: bool,
    ) -> Self {
        Self {
            limits,
            session,
            nonces,
            is_confidential,
            state: State::AwaitingHello,
            deadline: limits.hello,
            rounds: 0,
            transcript: Vec::new(),
        }
    }

    /// The age of the connection at which [`Login::expire`] is due.
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// What the steps have said so far.
    pub fn transcript(&self) -> &[Entry] {
        &self.transcript
    }

    /// A message has come from the client. `age` is that of the connection.
    pub fn receive(&mut self, message: Message, age: Duration) -> Effect {
        match (self.take(), message) {
            (State::AwaitingHello, Message::Hello { realm, details }) => self.hello(realm, details),
            (
                State::AwaitingAnswer(progress, nonce, state),
                Message::Authenticate { signature, extra },
            ) => {
                self.deadline = self.limits.total;
                self.call(
                    progress,
                    Some(Answer {
                        signature,
                        extra,
                        nonce,
                        state,
                    }),
                )
            }
            (State::AwaitingHello | State::Over, _) => {
                self.violation("the first message was not HELLO")
            }
            (_, Message::Abort { reason, .. }) => {
                tracing::debug!(%reason, ?age, "the client gave up");
                Effect::End(Outcome::Left)
            }
            (_, Message::Hello { .. }) => self.violation("a second HELLO"),
            (_, Message::Authenticate { .. }) => self.violation("AUTHENTICATE without a challenge"),
            _ => self.violation("a message that a login has no place for"),
        }
    }

    /// What the client sent is not a WAMP message.
    pub fn receive_malformed(&mut self, why: impl Into<String>) -> Effect {
        self.violation(why)
    }

    /// The realm's policy; None where there is no such realm.
    pub fn open(&mut self, policy: Option<Arc<Policy>>) -> Effect {
        let State::AwaitingPolicy(hello) = self.take() else {
            return self.misuse();
        };
        let Some(policy) = policy else {
            return self.deny(Refusal::NoSuchRealm, "there is no such realm");
        };
        if policy.alternatives.is_empty() {
            return self.deny(Refusal::NoSuchRealm, "the realm has no login policy");
        }
        if policy.confidential && !self.is_confidential {
            return self.deny(
                Refusal::Denied,
                "the connection is in clear, and the realm has cleartext = \"refuse\"",
            );
        }
        self.begin(hello, policy, 0)
    }

    /// The realm has no room for the login. Nothing was looked at yet that the client said of itself.
    pub fn turn_away(&mut self, why: impl Into<String>) -> Effect {
        let State::AwaitingPolicy(_) = self.take() else {
            return self.misuse();
        };
        self.deny(Refusal::Unavailable, why)
    }

    /// What came of [`Effect::Call`].
    pub fn decide(&mut self, verdict: Result<Verdict, Fault>, age: Duration) -> Effect {
        let State::AwaitingVerdict(progress, nonce) = self.take() else {
            return self.misuse();
        };
        let Some(step) = progress.step().cloned() else {
            return self.misuse();
        };
        self.transcript.push(Entry {
            step: step.clone(),
            said: describe(&verdict),
        });
        match verdict {
            Ok(Verdict::Challenge(challenge)) => self.challenge(progress, challenge, nonce, age),
            Ok(Verdict::Accept(identity)) => self.accept(progress, step, identity),
            Ok(Verdict::NotMine) if progress.proven.is_empty() && self.rounds == 0 => {
                self.begin(progress.hello, progress.policy, progress.alternative + 1)
            }
            Ok(Verdict::NotMine) => self.deny(
                Refusal::Denied,
                format!("{step} said \"not mine\" too late"),
            ),
            Ok(Verdict::Deny(why)) => self.deny(Refusal::Denied, format!("{step}: {why}")),
            Err(fault) => self.fail(&step, fault),
        }
    }

    /// What came of [`Effect::Enrolled`].
    pub fn enrolled(&mut self, enrolled: Result<bool, Fault>) -> Effect {
        let State::AwaitingEnrolment(mut progress) = self.take() else {
            return self.misuse();
        };
        let Some(step) = progress.step().cloned() else {
            return self.misuse();
        };
        match enrolled {
            Ok(true) => self.call(progress, None),
            Ok(false) => {
                self.transcript.push(Entry {
                    step,
                    said: "skipped: no credential".to_owned(),
                });
                progress.pass();
                self.go_on(progress)
            }
            Err(fault) => self.fail(&step, fault),
        }
    }

    /// [`Login::deadline`] has passed.
    pub fn expire(&mut self) -> Effect {
        let waited_for = match self.take() {
            State::AwaitingHello => "no HELLO in time",
            State::AwaitingAnswer(..) => "no AUTHENTICATE in time",
            State::AwaitingPolicy(_) | State::AwaitingEnrolment(_) | State::AwaitingVerdict(..) => {
                "the login took too long"
            }
            State::Over => return self.misuse(),
        };
        self.deny(Refusal::TimedOut, waited_for)
    }

    fn hello(&mut self, realm: String, details: Dict) -> Effect {
        self.deadline = self.limits.total;
        match Hello::read(&realm, details) {
            Ok(hello) => {
                self.state = State::AwaitingPolicy(hello);
                Effect::Open { realm }
            }
            Err(denial) => self.end(denial),
        }
    }

    fn begin(&mut self, hello: Hello, policy: Arc<Policy>, from: usize) -> Effect {
        let announced = &hello.authmethods;
        let Some((alternative, _)) = policy.open_to(announced, self.is_confidential, from) else {
            if let Some((_, closed)) = policy.open_to(announced, true, from) {
                let why = format!(
                    "the connection is in clear, and {:?} or a step after it is not asked for \
                     there; let clients come by TLS, or write cleartext = \"allow\" for the method",
                    closed.first
                );
                return self.deny(Refusal::Denied, why);
            }
            let announced = announced.join(", ");
            return self.deny(
                Refusal::NoMatchingMethod,
                format!("no alternative of the realm is open to: {announced}"),
            );
        };
        self.call(
            Progress {
                hello,
                policy,
                alternative,
                step: 0,
                rounds: 0,
                proven: Vec::new(),
            },
            None,
        )
    }

    fn call(&mut self, progress: Progress, answer: Option<Answer>) -> Effect {
        let Some(step) = progress.step().cloned() else {
            return self.misuse();
        };
        let nonce = (self.nonces)();
        let attempt = Attempt {
            realm: Arc::clone(&progress.hello.realm),
            session: self.session,
            authid: progress.hello.authid.clone(),
            authextra: Arc::clone(&progress.hello.authextra),
            nonce,
            proven: progress.proven.clone(),
        };
        self.state = State::AwaitingVerdict(progress, nonce);
        Effect::Call(Call {
            step,
            attempt,
            answer,
        })
    }

    fn challenge(
        &mut self,
        mut progress: Progress,
        challenge: Challenge,
        nonce: Nonce,
        age: Duration,
    ) -> Effect {
        let Some(step) = progress.step() else {
            return self.misuse();
        };
        if !challenge.carries(&nonce) {
            let why = format!("{step} made a challenge that is not from its nonce");
            return self.deny(Refusal::Denied, why);
        }
        if self.rounds >= self.limits.rounds {
            let why = format!("more than {} rounds (limit: rounds)", self.limits.rounds);
            return self.deny(Refusal::Denied, why);
        }
        if let Some(most) = progress.is_out_of_rounds() {
            let why = format!("{step} has no rounds left of its {most} (limit: rounds)");
            return self.deny(Refusal::Denied, why);
        }
        let method = step.as_str().to_owned();
        self.rounds += 1;
        progress.rounds += 1;
        self.deadline = self.limits.total.min(age + self.limits.round);
        self.state = State::AwaitingAnswer(progress, nonce, challenge.state);
        Effect::Send(Message::Challenge {
            method,
            extra: challenge.extra,
        })
    }

    fn accept(&mut self, mut progress: Progress, step: StepName, identity: Identity) -> Effect {
        let Identity {
            authid, authrole, ..
        } = &identity;
        if progress.policy.role(authrole).is_none() {
            let why = format!("{step} gave the role {authrole:?}, which the realm does not have");
            return self.deny(Refusal::Denied, why);
        }
        if let Some(before) = progress.proven.last() {
            let Identity {
                authid: its_authid,
                authrole: its_role,
                ..
            } = &before.identity;
            if its_authid != authid || (its_role != authrole && !progress.may_change_role()) {
                let why = format!(
                    "{step} found {authid} ({authrole}), but {} had found {its_authid} ({its_role})",
                    before.step
                );
                return self.deny(Refusal::Denied, why);
            }
        }
        progress.proven.push(Proof { step, identity });
        progress.pass();
        self.go_on(progress)
    }

    /// To the step that is due, or to the end.
    fn go_on(&mut self, progress: Progress) -> Effect {
        let Some(first) = progress.proven.first() else {
            return self.misuse();
        };
        match progress.later() {
            Some(Step {
                name,
                when: When::Enrolled,
                ..
            }) => {
                let (step, authid) = (name.clone(), first.identity.authid.clone());
                self.state = State::AwaitingEnrolment(progress);
                Effect::Enrolled { step, authid }
            }
            Some(_) => self.call(progress, None),
            None => self.finish(progress),
        }
    }

    fn finish(&mut self, progress: Progress) -> Effect {
        if let Some((role, missing)) = progress.unmet() {
            let why =
                format!("the role {role:?} requires {missing}, which this login has not passed");
            return self.deny(Refusal::Denied, why);
        }
        let session = self.session;
        progress.accepted(session).map_or_else(
            || self.misuse(),
            |accepted| Effect::End(Outcome::Accepted(accepted)),
        )
    }

    /// Leaves the login over, unless a new state is set.
    const fn take(&mut self) -> State {
        mem::replace(&mut self.state, State::Over)
    }

    fn violation(&mut self, why: impl Into<String>) -> Effect {
        self.deny(Refusal::ProtocolViolation, why)
    }

    /// A step that could not be decided.
    fn fail(&mut self, step: &StepName, Fault { overload, why }: Fault) -> Effect {
        if overload {
            return self.deny(Refusal::Unavailable, format!("{step}: {why}"));
        }
        self.deny(Refusal::Denied, format!("{step} failed: {why}"))
    }

    fn deny(&mut self, refusal: Refusal, why: impl Into<String>) -> Effect {
        self.end(Denial {
            refusal,
            why: why.into(),
        })
    }

    fn end(&mut self, denial: Denial) -> Effect {
        self.state = State::Over;
        Effect::End(Outcome::Denied(denial))
    }

    /// The driver has called out of turn. That is a defect of ours, and it fails closed.
    fn misuse(&mut self) -> Effect {
        debug_assert!(false, "the login was driven out of turn");
        self.deny(
            Refusal::Denied,
            "internal error: the login was driven out of turn",
        )
    }
}

fn describe(verdict: &Result<Verdict, Fault>) -> String {
    match verdict {
        Ok(Verdict::Challenge(_)) => "challenge".to_owned(),
        Ok(Verdict::Accept(_)) => "accept".to_owned(),
        Ok(Verdict::Deny(why)) => format!("deny: {why}"),
        Ok(Verdict::NotMine) => "not mine".to_owned(),
        Err(fault) => format!("fault: {}", fault.why),
    }
}

#[cfg(test)]
mod tests;
