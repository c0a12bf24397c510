//! Logins: a connection, a WebSocket, HELLO to WELCOME, and the end of it, one after the other on
//! each of a number of connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use pbkdf2::pbkdf2_hmac;
use serde::{Deserialize, de::IgnoredAny};
use sha2::Sha256;
use tokio::task::JoinSet;

use crate::{
    client::{AUTHID, Client, REALM, SECRET, Target, upgrade},
    frame::{CHALLENGE, Serializer, WELCOME},
    load::Sample,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Anonymous,
    Ticket,
    WampCra,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Ticket => "ticket",
            Self::WampCra => "wampcra",
        }
    }
}

/// What is the same in every login.
pub struct Login {
    target: Target,
    upgrade: Vec<u8>,
    hello: Vec<u8>,
    method: Method,
    key: Mutex<Option<Key>>,
}

/// A key that was derived once: PBKDF2 is meant to be slow.
#[derive(Clone)]
struct Key {
    salt: Option<String>,
    mac: Hmac<Sha256>,
}

#[derive(Deserialize)]
struct Extra<'a> {
    /// A text that is JSON itself, so its quotes are escaped.
    challenge: String,
    #[serde(borrow)]
    salt: Option<&'a str>,
    iterations: Option<u32>,
    keylen: Option<usize>,
}

pub async fn run(
    target: &Target,
    method: Method,
    connections: usize,
    length: Duration,
) -> Result<Sample> {
    let login = Arc::new(Login::new(target, method));
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
        let authid = (method != Method::Anonymous).then_some(AUTHID);
        Self {
            target: target.clone(),
            upgrade: upgrade(target, Serializer::Json),
            hello: Serializer::Json.hello(REALM, method.name(), authid),
            method,
            key: Mutex::default(),
        }
    }

    /// How long it took from the first packet to WELCOME.
    pub async fn once(&self) -> Result<Duration> {
        let begin = Instant::now();
        let mut client = Client::open(self.target.address, &self.upgrade, Serializer::Json).await?;
        client.send(&self.hello).await?;
        loop {
            let message = client.receive().await?;
            match Serializer::Json.code(&message) {
                Some(WELCOME) => break,
                Some(CHALLENGE) => {
                    let signature = self.signature(&message)?;
                    let answer = format!("[5,\"{signature}\",{{}}]");
                    client.send(answer.as_bytes()).await?;
                }
                _ => bail!("refused: {}", String::from_utf8_lossy(&message)),
            }
        }
        let took = begin.elapsed();
        client.close().await?;
        Ok(took)
    }

    fn signature(&self, message: &[u8]) -> Result<String> {
        match self.method {
            Method::Anonymous => bail!("a challenge to an anonymous client"),
            Method::Ticket => Ok(SECRET.to_owned()),
            Method::WampCra => {
                let (_, _, extra): (IgnoredAny, IgnoredAny, Extra) =
                    serde_json::from_slice(message).context("the challenge is not understood")?;
                let mut mac = self.mac(&extra)?;
                mac.update(extra.challenge.as_bytes());
                Ok(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
            }
        }
    }

    fn mac(&self, extra: &Extra) -> Result<Hmac<Sha256>> {
        let mut known = self.key.lock();
        if let Some(key) = &*known
            && key.salt.as_deref() == extra.salt
        {
            return Ok(key.mac.clone());
        }
        ensure!(known.is_none(), "the salt has changed");
        let key = Key {
            salt: extra.salt.map(str::to_owned),
            mac: mac(&key(extra))?,
        };
        Ok(known.insert(key).mac.clone())
    }
}

/// HMAC-SHA256 with a key that is taken in already.
pub fn mac(key: &[u8]) -> Result<Hmac<Sha256>> {
    Ok(<Hmac<Sha256> as KeyInit>::new_from_slice(key)?)
}

/// The secret itself, or the base64 text of what PBKDF2 makes of it.
fn key(extra: &Extra) -> Vec<u8> {
    let Some(salt) = extra.salt else {
        return SECRET.into();
    };
    let mut derived = vec![0; extra.keylen.unwrap_or(32)];
    let iterations = extra.iterations.unwrap_or(1000);
    pbkdf2_hmac::<Sha256>(SECRET.as_bytes(), salt.as_bytes(), iterations, &mut derived);
    BASE64_STANDARD.encode(derived).into_bytes()
}
