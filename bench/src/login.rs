//! Logins: a connection, a transport on it, HELLO to WELCOME, and the end of it, one after the other
//! on each of a number of connections.

pub mod cra;
pub mod cryptosign;
mod derived;
pub mod scram;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::{
    client::{AUTHID, Client, Dialer, REALM, SECRET, Target},
    frame::{CHALLENGE, Serializer, WELCOME},
    load::Sample,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Anonymous,
    Ticket,
    WampCra,
    Cryptosign,
    Scram,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Ticket => "ticket",
            Self::WampCra => "wampcra",
            Self::Cryptosign => "cryptosign",
            Self::Scram => "scram",
        }
    }
}

/// What is the same in every login.
pub struct Login {
    dialer: Dialer,
    proof: Proof,
}

/// How the client proves who it is. Keys are derived at most once: that is meant to be slow.
enum Proof {
    Nothing {
        hello: Vec<u8>,
    },
    Signature {
        hello: Vec<u8>,
        signer: Signer,
    },
    /// Each HELLO has a nonce of its own.
    Scram(scram::Prover),
}

/// What answers a challenge that nothing in HELLO has to fit.
enum Signer {
    Ticket,
    WampCra(cra::Keys),
    Cryptosign(cryptosign::Key),
}

pub async fn run(
    target: &Target,
    method: Method,
    connections: usize,
    length: Duration,
) -> Result<Sample> {
    let login = Arc::new(Login::new(target, method));
    if login.derives() {
        // Before the clock starts: it is our time, in which the server would have nothing to do.
        login.once().await?;
    }
    let begin = Instant::now();
    let end = begin + length;
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let login = Arc::clone(&login);
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < end {
                latencies.push(login.once().await?);
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    Ok(Sample {
        operations: latencies.len() as u64,
        wall: begin.elapsed(),
        latencies,
    })
}

impl Login {
    pub fn new(target: &Target, method: Method) -> Self {
        let name = method.name();
        let hello = |authid| Serializer::Json.hello(REALM, name, authid);
        let proof = match method {
            Method::Anonymous => Proof::Nothing { hello: hello(None) },
            Method::Ticket => Proof::Signature {
                hello: hello(Some(AUTHID)),
                signer: Signer::Ticket,
            },
            Method::WampCra => Proof::Signature {
                hello: hello(Some(AUTHID)),
                signer: Signer::WampCra(cra::Keys::default()),
            },
            Method::Cryptosign => {
                let key = cryptosign::Key::of(SECRET);
                Proof::Signature {
                    hello: key.hello(name),
                    signer: Signer::Cryptosign(key),
                }
            }
            Method::Scram => Proof::Scram(scram::Prover::new(name)),
        };
        Self {
            dialer: Dialer::new(target, Serializer::Json),
            proof,
        }
    }

    const fn derives(&self) -> bool {
        match &self.proof {
            Proof::Scram(_) => true,
            Proof::Signature { signer, .. } => matches!(signer, Signer::WampCra(_)),
            Proof::Nothing { .. } => false,
        }
    }

    /// How long it took from the first packet to WELCOME.
    pub async fn once(&self) -> Result<Duration> {
        let begin = Instant::now();
        let mut client = self.dialer.dial().await?;
        self.join(&mut client).await?;
        let took = begin.elapsed();
        client.close().await?;
        Ok(took)
    }

    async fn join(&self, client: &mut Client) -> Result<()> {
        match &self.proof {
            Proof::Nothing { hello } => {
                client.send(hello).await?;
                client.expect(WELCOME).await?;
            }
            Proof::Signature { hello, signer } => {
                client.send(hello).await?;
                let challenge = client.expect(CHALLENGE).await?;
                let signature = signer.answer(&challenge)?;
                client.send(&authenticate(&signature)).await?;
                client.expect(WELCOME).await?;
            }
            Proof::Scram(prover) => {
                let attempt = prover.attempt();
                client.send(&prover.hello(&attempt)).await?;
                let challenge = client.expect(CHALLENGE).await?;
                let answer = prover.answer(&attempt, &challenge)?;
                client.send(&authenticate(&answer.proof)).await?;
                answer.check(&client.expect(WELCOME).await?)?;
            }
        }
        Ok(())
    }
}

impl Signer {
    fn answer(&self, challenge: &[u8]) -> Result<String> {
        match self {
            Self::Ticket => Ok(SECRET.to_owned()),
            Self::WampCra(keys) => keys.answer(challenge),
            Self::Cryptosign(key) => key.answer(challenge),
        }
    }
}

/// AUTHENTICATE, of a text without anything to escape.
fn authenticate(signature: &str) -> Vec<u8> {
    format!("[5,\"{signature}\",{{}}]").into_bytes()
}
