//! What the operator sees: the log, and in it one record for each login; and what is counted of logins.

mod latency;
mod logins;
mod printable;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

pub use latency::{Latency, Spread};
pub use logins::{LoginCount, LoginTally};
pub use printable::Printable;

use crate::login::{Accepted, Denial, Entry, Outcome};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Sends the log to standard error. `RUST_LOG` chooses what is in it; by default, what an operator
/// wants to know.
pub fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,notify=warn"));
    // They log the octets that come and go, and in them are passwords and tokens.
    let filter = ["ureq_proto=off", "tungstenite=info"]
        .into_iter()
        .fold(filter, |filter, directive| {
            filter.add_directive(directive.parse().expect("a directive"))
        });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            let layer = fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(io::stderr().is_terminal())
                .with_target(false);
            registry.with(layer).init();
        }
        LogFormat::Json => {
            let layer = fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(io::stderr);
            registry.with(layer).init();
        }
    }
}

/// What there is to say of a login that is over.
#[derive(Debug)]
pub struct LoginRecord<'a> {
    pub peer: &'a str,
    /// As the client named it; empty before HELLO.
    pub realm: &'a str,
    pub session: u64,
    pub outcome: &'a Outcome,
    pub transcript: &'a [Entry],
    pub generation: Option<u64>,
    pub took: Duration,
}

impl LoginRecord<'_> {
    /// Writes the record. It comes before WELCOME, so that nobody is in of whom the log knows
    /// nothing.
    pub fn write(&self) {
        let Self {
            peer,
            realm,
            session,
            generation,
            ..
        } = *self;
        let realm = Printable(realm);
        let took_us = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        let steps = self
            .transcript
            .iter()
            .map(|entry| format!("{}: {}", entry.step, Printable(&entry.said)))
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
                generation, peer, steps, took_us, "login refused"
            ),
            Outcome::Left => tracing::info!(
                target: "login", %realm, outcome = "left", generation, peer, steps, took_us,
                "the client gave up its login"
            ),
        }
    }
}
