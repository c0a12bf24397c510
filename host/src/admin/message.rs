//! What the operator's commands ask a router that runs, and what it answers. Each is one line of
//! JSON: `{"methods":{"realm":"realm1"}}`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::{Eviction, SessionQuery, SessionReport};

/// What an operator wants. A variant that a router does not know it answers with
/// [`Response::Unknown`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Who is in.
    Sessions(SessionQuery),
    /// Sessions are to end.
    EndSessions(Eviction),
    /// Which revisions there are: of one realm, or of all.
    Methods { realm: Option<String> },
    /// Take a component through all stages, and keep it ready.
    Stage {
        realm: String,
        step: String,
        file: PathBuf,
        /// Its table of attempts; none: beside it, if there is one.
        #[serde(default)]
        table: Option<PathBuf>,
    },
    /// Ask the revision before.
    Rollback { realm: String, step: String },
    /// Let a revision decide about nobody: a step's, or those with such a digest.
    Withdraw {
        realm: String,
        which: String,
        /// And end the sessions that it has let in.
        end_sessions: bool,
    },
    /// Take the withdrawal of revisions back.
    Readmit { realm: String, which: String },
    /// Have the staged revision decide about so many thousandths of the logins.
    Canary {
        realm: String,
        step: String,
        thousandths: u16,
    },
    /// Ask the staged revision beside the live one.
    Shadow { realm: String, step: String },
    /// Let go of what is staged.
    Unstage { realm: String, step: String },
}

/// What the router answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    Sessions(Vec<SessionReport>),
    /// So many.
    SessionsEnded(usize),
    Methods(Vec<RevisionReport>),
    Staged(StagingReport),
    /// It was done, in words for a person.
    Done(String),
    /// It was not done, and why; each line for a person.
    Refused(String),
    /// The router, of this version, does not know the request.
    Unknown {
        version: String,
    },
}

/// A revision of a step's method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionReport {
    pub realm: String,
    pub step: String,
    /// Of the component's octets, in hex.
    pub digest: String,
    /// What the method calls itself, and its author's version.
    pub method: String,
    pub version: String,
    /// `live`, `rolled back`, `staged`, `canary`, `shadow` or `earlier`.
    pub state: String,
    /// Of a canary: in thousandths.
    pub share: Option<u16>,
    pub withdrawn: bool,
    /// Milliseconds since the Unix epoch.
    pub since: u64,
    /// Logins that passed the step,
    pub logins: u64,
    /// that it denied,
    pub failures: u64,
    /// in which it trapped, ran into a limit or returned nonsense,
    pub faults: u64,
    /// and that it could not decide about, or that there was no room for.
    pub undecided: u64,
    /// Of one call, in microseconds.
    pub mean_us: Option<u64>,
    pub p99_us: Option<u64>,
    /// As a shadow: how often it said the same as the live one,
    pub agreed: u64,
    /// something else,
    pub disagreed: u64,
    /// and how often that could not be compared.
    pub skipped: u64,
}

/// What came of taking a component through the stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagingReport {
    pub stages: Vec<StageReport>,
    /// Of what is staged now. None: it has failed.
    pub digest: Option<String>,
    /// The stage that it has failed in, if it was one.
    pub failed: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// A stage that was passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    pub stage: String,
    pub took_us: u64,
    pub how: String,
}

/// Why a line is none of ours.
#[derive(Debug, Error)]
pub enum LineError {
    #[error("it broke off: {0}")]
    Broken(#[from] std::io::Error),
    #[error("it broke off before its end")]
    Unfinished,
    #[error("it is longer than {0} octets")]
    TooLong(u64),
    #[error("it is not JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("it is none that is known here: {0}")]
    Unknown(serde_json::Error),
}

/// Reads one line, of so many octets at most.
pub(super) async fn read<T: DeserializeOwned>(
    from: impl AsyncBufRead + Unpin,
    most: u64,
) -> Result<T, LineError> {
    let mut line = Vec::new();
    from.take(most + 1).read_until(b'\n', &mut line).await?;
    if line.len() as u64 > most {
        return Err(LineError::TooLong(most));
    }
    if line.last() != Some(&b'\n') {
        return Err(LineError::Unfinished);
    }
    let value: Value = serde_json::from_slice(&line).map_err(LineError::NotJson)?;
    serde_json::from_value(value).map_err(LineError::Unknown)
}

/// The line of a message.
pub(super) fn line(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}
