use std::time::Duration;

use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Printable;
use crate::login::{Accepted, Denial, Outcome};

/// What there is to say of a login that is over.
#[derive(Debug)]
pub struct LoginRecord<'a> {
    pub peer: &'a str,
    /// As the client named it; empty before HELLO.
    pub realm: &'a str,
    /// The id that its session has, or would have had.
    pub session: u64,
    pub outcome: &'a Outcome,
    /// Who is in, or whose credentials its methods have looked at. Whom a client names that nobody
    /// knows is not told: people type their password where their name belongs.
    pub known: Option<&'a str>,
    pub steps: Vec<StepRecord<'a>>,
    pub generation: Option<u64>,
    pub took: Duration,
}

/// What a step has said once.
#[derive(Debug, Serialize)]
pub struct StepRecord<'a> {
    pub step: &'a str,
    /// The digest of the component that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub said: Printable<'a>,
}

/// A line of the audit file. What does not apply is left out.
#[derive(Serialize)]
struct Line<'a> {
    /// RFC 3339, in UTC.
    time: String,
    /// Counted from the router's start on. One that is missing is of a record that could not be
    /// written.
    seq: u64,
    outcome: &'static str,
    realm: Printable<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authrole: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authmethod: Option<&'a str>,
    session: u64,
    peer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Printable<'a>>,
    steps: &'a [StepRecord<'a>],
    took_us: u64,
}

impl LoginRecord<'_> {
    /// Writes it to the log.
    pub fn log(&self) {
        let Self {
            peer,
            realm,
            session,
            generation,
            known,
            ..
        } = *self;
        let realm = Printable(realm);
        let took_us = self.took_us();
        let steps = self
            .steps
            .iter()
            .map(|StepRecord { step, said, .. }| format!("{step}: {said}"))
            .collect::<Vec<_>>()
            .join("; ");
        match self.outcome {
            Outcome::Accepted(Accepted {
                authid,
                authrole,
                authmethod,
                ..
            }) => tracing::info!(
                target: "login", %realm, %authid, %authrole, %authmethod, session, generation,
                peer, steps, took_us, "logged in"
            ),
            Outcome::Denied(Denial { refusal, why }) => tracing::warn!(
                target: "login", %realm, outcome = refusal.label(), why = %Printable(why),
                authid = known, generation, peer, steps, took_us, "login refused"
            ),
            Outcome::Left => tracing::info!(
                target: "login", %realm, outcome = "left", authid = known, generation, peer, steps,
                took_us, "the client gave up its login"
            ),
        }
    }

    /// A line of the audit file: one JSON object, with the end of the line.
    pub(super) fn line(&self, seq: u64) -> String {
        let line = Line {
            // Of years with four digits, which all are for now.
            time: OffsetDateTime::now_utc()
                .format(&Rfc3339)
                .unwrap_or_default(),
            seq,
            outcome: self.outcome.label(),
            realm: Printable(self.realm),
            authid: self.known,
            authrole: None,
            authmethod: None,
            session: self.session,
            peer: self.peer,
            generation: self.generation,
            why: None,
            steps: &self.steps,
            took_us: self.took_us(),
        };
        let line = match self.outcome {
            Outcome::Accepted(accepted) => Line {
                authrole: Some(&accepted.authrole),
                authmethod: Some(accepted.authmethod.as_str()),
                ..line
            },
            Outcome::Denied(Denial { why, .. }) => Line {
                why: Some(Printable(why)),
                ..line
            },
            Outcome::Left => line,
        };
        // Texts and numbers are always JSON.
        let mut line = serde_json::to_string(&line).unwrap_or_default();
        line.push('\n');
        line
    }

    fn took_us(&self) -> u64 {
        u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX)
    }
}
