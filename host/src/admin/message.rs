//! What the operator's commands ask a router that runs, and what it answers. Each is one line of
//! JSON: `{"methods":{"realm":"realm1"}}`.

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
}

/// What the router answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    Sessions(Vec<SessionReport>),
    /// So many.
    SessionsEnded(usize),
    Methods(Vec<RevisionReport>),
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
    /// `live`, or what else becomes of it.
    pub state: String,
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
