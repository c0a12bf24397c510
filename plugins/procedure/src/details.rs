//! What the procedure is told: the names are Crossbar's.

use countersign_guest::{Attempt, transport};
use serde::Serialize;
use serde_json::{Map, Value};

/// The third argument.
#[derive(Serialize)]
pub(crate) struct Details<'a> {
    session: u64,
    authmethod: &'a str,
    /// As the client claims it.
    authid: Option<&'a str>,
    authrole: Option<&'a str>,
    authextra: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
    transport: Transport,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proven: Vec<Proven<'a>>,
}

/// What is null the router does not tell, whether or not there is something to tell: authenticators
/// expect the key.
#[derive(Serialize)]
pub(crate) struct Transport {
    pub(crate) peer: String,
    /// Ours: whether nobody can read along.
    pub(crate) confidential: bool,
    #[serde(flatten)]
    pub(crate) untold: Map<String, Value>,
}

/// Ours: a step that the client has passed before this one.
#[derive(Serialize)]
struct Proven<'a> {
    authmethod: &'a str,
    authid: &'a str,
    authrole: &'a str,
}

const UNTOLD: [&str; 5] = [
    "cbtid",
    "client_cert",
    "http_headers_received",
    "http_headers_sent",
    "peer_cert",
];

impl<'a> Details<'a> {
    pub(crate) fn of(attempt: &'a Attempt, ticket: Option<&'a str>) -> Self {
        let transport = Transport::new(&transport::peer(), transport::confidential());
        Self::new(attempt, ticket, transport)
    }

    pub(crate) fn new(attempt: &'a Attempt, ticket: Option<&'a str>, transport: Transport) -> Self {
        Self {
            session: attempt.session,
            authmethod: &attempt.authmethod,
            authid: attempt.authid.as_deref(),
            authrole: None,
            // The host wrote it, so it can be read.
            authextra: serde_json::from_str(&attempt.authextra).unwrap_or_default(),
            ticket,
            transport,
            proven: attempt.proven.iter().map(Proven::from).collect(),
        }
    }
}

impl<'a> From<&'a countersign_guest::Proof> for Proven<'a> {
    fn from(proof: &'a countersign_guest::Proof) -> Self {
        Self {
            authmethod: &proof.authmethod,
            authid: &proof.authid,
            authrole: &proof.authrole,
        }
    }
}

impl Transport {
    pub(crate) fn new(peer: &str, confidential: bool) -> Self {
        Self {
            peer: spelt_like_crossbar(peer),
            confidential,
            untold: UNTOLD
                .map(|key| (key.to_owned(), Value::Null))
                .into_iter()
                .collect(),
        }
    }
}

/// `tcp4:192.0.2.7:51334` where the host says `tcp:192.0.2.7:51334`.
fn spelt_like_crossbar(peer: &str) -> String {
    match peer.strip_prefix("tcp:") {
        Some(address) if address.starts_with('[') => format!("tcp6:{address}"),
        Some(address) => format!("tcp4:{address}"),
        None => peer.to_owned(),
    }
}

/// Who the client is, as far as anyone has said: an earlier step, or else the client.
pub(crate) fn authid(attempt: &Attempt) -> Option<String> {
    match attempt.proven.last() {
        Some(proof) => Some(proof.authid.clone()),
        None => attempt.authid.clone(),
    }
}

/// A name for somebody who has none: made up, and another each time.
pub(crate) fn made_up(attempt: &Attempt) -> String {
    let id = attempt.nonce.iter().take(8);
    let id: Vec<u8> = id.copied().collect();
    format!("anonymous-{}", hex::encode(id))
}
