//! An attempt, call by call, with what the host does itself between them.

use std::{fmt, sync::Arc};

use super::{
    scene::Scene,
    script::{Known, Reply, Script},
};
use crate::{
    login::{Answer, Attempt, Call, Challenge, Identity, Nonce, StepName, Verdict},
    method::{Cost, Fault},
    wamp::Dict,
};

/// CHALLENGEs of one login, as a router has it unless its operator says otherwise.
pub(super) const MOST_ROUNDS: usize = 8;

/// One call of a method in an attempt.
#[derive(Clone, Debug)]
pub struct Turn {
    pub asked: Asked,
    pub said: Said,
    /// None where it did not come to an end.
    pub cost: Option<Cost>,
    pub(super) nonce: Nonce,
    /// What the client answered, as it was sent.
    pub(super) answered: Option<(String, Dict)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Begin,
    Resume,
}

/// What came of a call, as the host takes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Challenge(Challenge),
    Accept(Identity),
    Deny(String),
    NotMine,
    /// No verdict: by which name the log knows it, and why.
    Fault(&'static str, String),
}

/// An attempt, played to its end.
#[derive(Clone, Debug)]
pub(super) struct Played {
    /// At least one.
    pub(super) turns: Vec<Turn>,
}

impl Scene {
    /// Plays until there is no challenge any more, or no answer to one.
    pub(super) async fn play(&self, script: &Script) -> Played {
        let mut turns = vec![self.ask(script, 1, None).await];
        let mut replies = script.replies.iter();
        while let Some(turn) = turns.last()
            && let Said::Challenge(challenge) = &turn.said
            && turns.len() <= MOST_ROUNDS
            && let Some(reply) = replies.next()
        {
            let answer = answer(reply, turn.nonce, challenge);
            let turn = self.ask(script, turns.len() + 1, Some(answer)).await;
            turns.push(turn);
        }
        Played { turns }
    }

    /// Asks the method once. The first call of an attempt is 1.
    pub(super) async fn ask(&self, script: &Script, call: usize, answer: Option<Answer>) -> Turn {
        let nonce = script.nonce(call);
        let asked = match &answer {
            None => Asked::Begin,
            Some(_) => Asked::Resume,
        };
        let answered = answer
            .as_ref()
            .map(|answer| (answer.signature.clone(), answer.extra.clone()));
        let call = Call {
            step: StepName::new(""),
            attempt: Attempt {
                realm: Arc::clone(&self.realm),
                session: self.session,
                authid: script.authid.clone(),
                authextra: Arc::clone(&script.authextra),
                nonce,
                proven: script.proven.clone(),
            },
            answer,
        };
        let evidence = Arc::default();
        let returned = self.method.call(call, &script.connection, &evidence).await;
        let is_first = asked == Asked::Begin && script.proven.is_empty();
        Turn {
            asked,
            said: Said::of(returned, &nonce, is_first),
            cost: self.meter.read(),
            nonce,
            answered,
        }
    }
}

/// What the client sends to this challenge, with what the host has kept of it.
pub(super) fn answer(reply: &Reply, nonce: Nonce, challenge: &Challenge) -> Answer {
    let (signature, extra) = reply.make(Known {
        nonce: &nonce,
        challenge: &challenge.extra,
    });
    Answer {
        signature,
        extra,
        nonce,
        state: Arc::clone(&challenge.state),
    }
}

impl Said {
    fn of(returned: Result<Verdict, Fault>, nonce: &Nonce, may_pass_on: bool) -> Self {
        match returned {
            Ok(Verdict::Challenge(challenge)) if !challenge.carries(nonce) => Self::Fault(
                "nonce",
                "the challenge does not carry the host's nonce in its member \"challenge\" or \
                 \"nonce\", so the host does not send it"
                    .into(),
            ),
            Ok(Verdict::Challenge(challenge)) => Self::Challenge(challenge),
            Ok(Verdict::Accept(identity)) => Self::Accept(identity),
            Ok(Verdict::Deny(why)) => Self::Deny(why),
            Ok(Verdict::NotMine) if may_pass_on => Self::NotMine,
            Ok(Verdict::NotMine) => Self::Fault(
                "order",
                "it said \"not mine\" after the login had begun, which the host takes for a denial"
                    .into(),
            ),
            Err(fault) => Self::Fault(fault.label(), fault.to_string()),
        }
    }

    /// One word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Challenge(_) => "challenge",
            Self::Accept(_) => "accept",
            Self::Deny(_) => "deny",
            Self::NotMine => "not-mine",
            Self::Fault(..) => "fault",
        }
    }
}

/// For a person; foreign words are in it.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Challenge(challenge) => write!(f, "challenge {}", challenge.extra.to_json()),
            Self::Accept(identity) => {
                write!(f, "accept: {}, role {}", identity.authid, identity.authrole)
            }
            Self::Deny(why) => write!(f, "deny: {why}"),
            Self::NotMine => f.write_str("not mine"),
            Self::Fault(label, why) => write!(f, "fault \"{label}\": {why}"),
        }
    }
}

impl Played {
    /// What it came to.
    pub(super) fn said(&self) -> &Said {
        static NOTHING: Said = Said::NotMine;
        // There is one turn at least: `play` begins with it.
        self.turns.last().map_or(&NOTHING, |turn| &turn.said)
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        match self.said() {
            Said::Accept(identity) => Some(identity),
            _ => None,
        }
    }
}
