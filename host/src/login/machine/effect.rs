//! What the machine asks of its driver.

use std::{sync::Arc, time::Duration};

#[cfg(doc)]
use super::Login;
use super::Nonce;
use crate::{
    login::{Answer, Authid, Denial, Proof, StepName},
    wamp::{Dict, Id, Message},
};

/// What the driver has to do next. Time goes on with [`Login::deadline`].
#[derive(Debug)]
#[must_use]
pub enum Effect {
    /// Look up the policy of this realm, and call [`Login::open`].
    Open { realm: String },
    /// Ask this step's method, and call [`Login::decide`].
    Call(Call),
    /// Look whether this authid has a credential for the step, and call [`Login::enrolled`]. One
    /// that is disabled, expired or locked is one too: it is no way around the step.
    Enrolled { step: StepName, authid: Authid },
    /// Send this CHALLENGE, and pass on what the client sends next.
    Send(Message),
    /// The login is over.
    End(Outcome),
}

/// The end of a login.
#[derive(Debug)]
pub enum Outcome {
    Accepted(Accepted),
    Denied(Denial),
    /// The client gave up: it is not answered.
    Left,
}

/// A question to a method.
#[derive(Clone, Debug)]
pub struct Call {
    pub step: StepName,
    pub attempt: Attempt,
    /// None: the login reaches this step.
    pub answer: Option<Answer>,
}

/// What the method may know of the login. The room that asks it adds the step's settings, the time
/// and the connection.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub realm: Arc<str>,
    pub session: Id,
    pub authid: Option<Authid>,
    /// The text of a JSON object.
    pub authextra: Arc<str>,
    pub nonce: Nonce,
    pub proven: Vec<Proof>,
}

/// A login that succeeded, as the realm allows it.
#[derive(Debug)]
pub struct Accepted {
    pub realm: Arc<str>,
    pub session: Id,
    pub authid: Authid,
    /// What the last step gave.
    pub authrole: Arc<str>,
    /// The name of the first step, which the client announced.
    pub authmethod: StepName,
    pub authprovider: Option<String>,
    /// What every step returned. Where several returned a member of one name, that of the first of
    /// them: what an earlier step proves to its client, a later one cannot take back.
    pub authextra: Dict,
    /// Since the Unix epoch; where several limits apply, the first.
    pub expires_at: Option<Duration>,
    /// However late that is, the session ends after this time.
    pub longest_session: Option<Duration>,
    /// HELLO.Details.roles.
    pub roles: Dict,
    /// Whether the client asks to be remembered: HELLO.Details.authextra.cookie.
    pub wants_cookie: bool,
}
