//! What the client of one attempt does.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;

use super::play::Played;
use crate::{
    config::{Line, Piece, Settings, Template, TestAttempt, TestProof, TestTransport},
    login::{Authid, Identity, Nonce, Proof, StepName},
    transport::{Connection, TlsFacts, UnixPeer},
    wamp::{Dict, Value},
};

/// How deep the JSON of a table may be nested, as for what comes from a client.
const JSON_DEPTH: usize = 16;

/// One login, as its client and its connection make it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) authid: Option<Authid>,
    /// The text of a JSON object.
    pub(super) authextra: Arc<str>,
    pub(super) connection: Arc<Connection>,
    pub(super) proven: Vec<Proof>,
    /// For the calls in their order; where there are none left, they are made of the call's number.
    pub(super) nonces: Vec<Nonce>,
    /// Added to the number that a nonce is made of.
    pub(super) shift: u8,
    pub(super) replies: Vec<Reply>,
}

/// An AUTHENTICATE.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) signature: Signature,
    pub(super) extra: Extra,
}

#[derive(Clone)]
pub(super) enum Signature {
    Literal(String),
    Template(Template),
}

/// AUTHENTICATE.Extra.
#[derive(Clone, Debug)]
pub(super) enum Extra {
    Literal(Dict),
    Template(Settings),
}

/// What is known when an answer is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) nonce: &'a Nonce,
    pub(super) challenge: &'a Dict,
}

impl Script {
    /// The error is what is wrong with the attempt.
    pub(super) fn of(attempt: &TestAttempt) -> Result<Self, String> {
        let authid = |text: &str| Authid::parse(text).map_err(|error| error.to_string());
        let proof = |proof: &TestProof| {
            Ok(Proof {
                step: StepName::new(proof.step.as_str()),
                identity: Identity {
                    authid: authid(&proof.authid)?,
                    authrole: proof.role.as_str().to_owned(),
                    authprovider: None,
                    authextra: Dict::new(),
                    expires_at: None,
                },
            })
        };
        let replies = attempt.rounds.iter().map(|round| Reply {
            signature: Signature::Template(round.answer.clone()),
            extra: Extra::Template(round.extra.clone()),
        });
        Ok(Self {
            authid: attempt.authid.as_deref().map(authid).transpose()?,
            authextra: attempt.authextra.to_json().into(),
            connection: Arc::new(connection(&attempt.transport)),
            proven: attempt
                .proven
                .iter()
                .map(proof)
                .collect::<Result<_, String>>()?,
            nonces: attempt.nonces.clone(),
            shift: 0,
            replies: replies.collect(),
        })
    }

    /// A client that says who it is and nothing else.
    pub(super) fn plain(authid: &str) -> Self {
        Self {
            authid: Authid::parse(authid).ok(),
            authextra: "{}".into(),
            connection: Arc::new(connection(&TestTransport::default())),
            proven: Vec::new(),
            nonces: Vec::new(),
            shift: 0,
            replies: Vec::new(),
        }
    }

    /// The same with the answers that were given, as they were.
    pub(super) fn as_sent(&self, played: &Played) -> Self {
        let sent = played.turns.iter().filter_map(|turn| {
            let (signature, extra) = turn.answered.as_ref()?;
            Some(Reply::fixed(signature, extra))
        });
        Self {
            replies: sent.collect(),
            ..self.clone()
        }
    }

    /// Who logs in: whom the step before has found, else whom the client says it is.
    pub(super) fn user(&self) -> Option<Authid> {
        let proven = self.proven.last().map(|proof| &proof.identity.authid);
        proven.or(self.authid.as_ref()).cloned()
    }

    /// The same of somebody else.
    pub(super) fn as_somebody(&self, authid: &Authid) -> Self {
        let mut changed = self.clone();
        changed.authid = changed.authid.map(|_| authid.clone());
        for proof in &mut changed.proven {
            proof.identity.authid = authid.clone();
        }
        changed
    }

    /// The same after a step that has found somebody else.
    pub(super) fn proven_as(&self, authid: &Authid) -> Self {
        let mut changed = self.clone();
        if changed.proven.is_empty() {
            changed.proven.push(Proof {
                step: StepName::new("conform"),
                identity: Identity {
                    authid: authid.clone(),
                    authrole: "user".into(),
                    authprovider: None,
                    authextra: Dict::new(),
                    expires_at: None,
                },
            });
        }
        for proof in &mut changed.proven {
            proof.identity.authid = authid.clone();
        }
        changed
    }

    /// That of a call, the first of which is 1.
    pub(super) fn nonce(&self, call: usize) -> Nonce {
        let given = call.checked_sub(1).and_then(|index| self.nonces.get(index));
        let octet = u8::try_from(call).unwrap_or(u8::MAX);
        given
            .copied()
            .unwrap_or([octet; 32])
            .map(|octet| octet.wrapping_add(self.shift))
    }
}

impl Reply {
    pub(super) fn literal(signature: impl Into<String>) -> Self {
        Self {
            signature: Signature::Literal(signature.into()),
            extra: Extra::Literal(Dict::new()),
        }
    }

    /// The same, as it was sent once.
    pub(super) fn fixed(signature: &str, extra: &Dict) -> Self {
        Self {
            signature: Signature::Literal(signature.to_owned()),
            extra: Extra::Literal(extra.clone()),
        }
    }

    /// Changes the signature that was sent.
    pub(super) fn spoil(&mut self, change: impl FnOnce(&str) -> String) {
        if let Signature::Literal(text) = &mut self.signature {
            *text = change(text);
        }
    }

    pub(super) fn make(&self, known: Known<'_>) -> (String, Dict) {
        let signature = match &self.signature {
            Signature::Literal(text) => text.clone(),
            Signature::Template(template) => known.fill(template),
        };
        let extra = match &self.extra {
            Extra::Literal(extra) => extra.clone(),
            Extra::Template(extra) => {
                let filled = known.fill_all(Json::Object(extra.as_object().clone()));
                // A table's object is one, and its depth is bounded.
                Dict::from_json(&filled.to_string(), JSON_DEPTH).unwrap_or_default()
            }
        };
        (signature, extra)
    }
}

impl Known<'_> {
    pub(super) fn fill(self, template: &Template) -> String {
        use data_encoding::{BASE64, BASE64URL_NOPAD};
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::NonceHex => hex::encode(self.nonce),
            Piece::NonceBase64 => BASE64.encode(self.nonce),
            Piece::NonceBase64Url => BASE64URL_NOPAD.encode(self.nonce),
            Piece::Challenge(member) => match self.challenge.value(member) {
                Some(Value::Text(text)) => text.clone(),
                Some(other) => serde_json::to_string(other).unwrap_or_default(),
                None => String::new(),
            },
        };
        template.pieces().iter().map(piece).collect()
    }

    /// The same for every text in a value. One with a place that there is not stays as it is.
    pub(super) fn fill_all(self, value: Json) -> Json {
        match value {
            Json::String(text) => Json::String(match Template::parse(&text) {
                Ok(template) => self.fill(&template),
                Err(_) => text.clone(),
            }),
            Json::Array(items) => items.into_iter().map(|item| self.fill_all(item)).collect(),
            Json::Object(members) => members
                .into_iter()
                .map(|(key, member)| (key, self.fill_all(member)))
                .collect(),
            other => other,
        }
    }
}

fn connection(facts: &TestTransport) -> Connection {
    let has_tls = !facts.certificates.is_empty() || facts.channel_binding.is_some();
    let peer = facts.peer.clone();
    Connection {
        peer: peer.unwrap_or_else(|| "tcp:192.0.2.1:51334".to_owned()),
        confidential: facts.line == Line::Confidential,
        tls: has_tls.then(|| TlsFacts {
            certificates: facts
                .certificates
                .iter()
                .cloned()
                .map(Bytes::from)
                .collect(),
            exporter: facts.channel_binding,
        }),
        unix: facts.local.map(|local| UnixPeer {
            user: local.uid,
            group: local.gid,
            process: local.pid,
        }),
        page: None,
    }
}

/// It may be a password.
impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature(_)")
    }
}
