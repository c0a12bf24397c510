use countersign_guest::{Answer, Attempt, Proof};
use serde::Serialize;
use serde_json::value::RawValue;

/// The version of the contract. It is raised when a service that does not know the new one would
/// decide wrongly.
const VERSION: u32 = 1;

/// What the service is told of a login.
#[derive(Debug, Serialize)]
pub(crate) struct Question<'a> {
    version: u32,
    realm: &'a str,
    session: u64,
    authmethod: &'a str,
    authid: Option<&'a str>,
    authextra: &'a RawValue,
    peer: &'a str,
    confidential: bool,
    proven: Vec<Proven<'a>>,
    /// For the next challenge, should there be one.
    nonce: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answered<'a>>,
}

/// Where the client is.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) confidential: bool,
}

#[derive(Debug, Serialize)]
struct Proven<'a> {
    authmethod: &'a str,
    authid: &'a str,
    authrole: &'a str,
    authextra: &'a RawValue,
}

#[derive(Debug, Serialize)]
struct Answered<'a> {
    signature: &'a str,
    extra: &'a RawValue,
    /// That of the challenge which is answered.
    nonce: String,
    /// What the service said with that challenge; null where the challenge was not its own.
    state: Option<&'a RawValue>,
}

impl<'a> Question<'a> {
    pub(crate) fn new(
        attempt: &'a Attempt,
        answer: Option<&'a Answer>,
        peer: &'a Peer,
    ) -> Result<Self, String> {
        let proven = attempt.proven.iter().map(Proven::new);
        Ok(Self {
            version: VERSION,
            realm: &attempt.realm,
            session: attempt.session,
            authmethod: &attempt.authmethod,
            authid: attempt.authid.as_deref(),
            authextra: raw(&attempt.authextra)?,
            peer: &peer.address,
            confidential: peer.confidential,
            proven: proven.collect::<Result<_, _>>()?,
            nonce: hex::encode(&attempt.nonce),
            answer: answer.map(Answered::new).transpose()?,
        })
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }
}

impl<'a> Proven<'a> {
    fn new(proof: &'a Proof) -> Result<Self, String> {
        Ok(Self {
            authmethod: &proof.authmethod,
            authid: &proof.authid,
            authrole: &proof.authrole,
            authextra: raw(&proof.authextra)?,
        })
    }
}

impl<'a> Answered<'a> {
    fn new(answer: &'a Answer) -> Result<Self, String> {
        let state = match &answer.state[..] {
            [] => None,
            state => Some(serde_json::from_slice(state).map_err(|error| error.to_string())?),
        };
        Ok(Self {
            signature: &answer.signature,
            extra: raw(&answer.extra)?,
            nonce: hex::encode(&answer.nonce),
            state,
        })
    }
}

/// The host's text of a JSON object. It has read it, or written it itself.
fn raw(text: &str) -> Result<&RawValue, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn question(attempt: &Attempt, answer: Option<&Answer>) -> Value {
        let peer = Peer {
            address: "tcp:192.0.2.7:51334".into(),
            confidential: true,
        };
        let question = Question::new(attempt, answer, &peer).unwrap();
        serde_json::from_slice(&question.to_json().unwrap()).unwrap()
    }

    #[test]
    fn the_service_is_told_all_there_is_to_know() {
        let attempt = Attempt {
            realm: "acme".into(),
            session: 7,
            authmethod: "ticket".into(),
            authid: Some("alice".into()),
            authextra: r#"{"device":[1,null]}"#.into(),
            nonce: vec![0xab; 32],
            proven: vec![Proof {
                authmethod: "wampcra".into(),
                authid: "alice".into(),
                authrole: "user".into(),
                authextra: "{}".into(),
            }],
            ..Attempt::default()
        };
        let answer = Answer {
            signature: "open \"sesame\"".into(),
            extra: r#"{"x":1}"#.into(),
            nonce: vec![0xcd; 32],
            state: br#"{"asked":"pin"}"#.to_vec(),
        };
        let expected = json!({
            "version": 1,
            "realm": "acme",
            "session": 7,
            "authmethod": "ticket",
            "authid": "alice",
            "authextra": { "device": [1, null] },
            "peer": "tcp:192.0.2.7:51334",
            "confidential": true,
            "proven": [{
                "authmethod": "wampcra", "authid": "alice", "authrole": "user", "authextra": {},
            }],
            "nonce": "ab".repeat(32),
            "answer": {
                "signature": "open \"sesame\"",
                "extra": { "x": 1 },
                "nonce": "cd".repeat(32),
                "state": { "asked": "pin" },
            },
        });
        assert_eq!(question(&attempt, Some(&answer)), expected);
    }

    #[test]
    fn what_there_is_not_is_null_or_left_out() {
        let asked = question(&Attempt::default(), None);
        assert_eq!(asked["authid"], Value::Null);
        assert_eq!(asked.get("answer"), None);
        let answered = question(&Attempt::default(), Some(&Answer::default()));
        assert_eq!(answered["answer"]["state"], Value::Null);
    }
}
