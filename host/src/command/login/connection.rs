use std::{future::Future, pin::pin, time::Duration};

use bytes::Bytes;
use thiserror::Error;
use tokio::time::timeout;

use super::{
    dialer::{Dialed, Dialer},
    problem::Problem,
    wire::{Heard, Wire},
};
use crate::wamp::{Message, Serializer};

/// For connecting, and for each answer of the router.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Of dictionaries in a message.
const NESTING: usize = 32;

/// A connection to a router that carries WAMP messages.
pub struct Connection {
    wire: Wire,
    serializer: Serializer,
    /// What an answer can be bound to.
    pub exporter: Option<[u8; 32]>,
    /// The router's.
    address: String,
    /// What the router sent while a person was typing.
    early: Option<Result<Bytes, Problem>>,
}

/// What is wrong with a connection, where, and what to do.
#[derive(Debug, Error)]
#[error("{address}: {problem}")]
pub struct ConnectionError {
    address: String,
    problem: Problem,
}

impl Connection {
    pub async fn open(dialer: &Dialer, serializer: Serializer) -> Result<Self, ConnectionError> {
        let connecting = async {
            let Dialed { socket, exporter } = dialer.dial().await?;
            let wire = Wire::open(socket, &dialer.address.transport, serializer).await?;
            Ok((wire, exporter))
        };
        let wire = timeout(PATIENCE, connecting)
            .await
            .unwrap_or(Err(Problem::Silent));
        let address = dialer.address.to_string();
        match wire {
            Ok((wire, exporter)) => Ok(Self {
                wire,
                exporter,
                serializer,
                address,
                early: None,
            }),
            Err(problem) => Err(ConnectionError { address, problem }),
        }
    }

    pub async fn send(&mut self, message: &Message) -> Result<(), ConnectionError> {
        let sent = self.send_within(message).await;
        sent.map_err(|problem| self.error(problem))
    }

    async fn send_within(&mut self, message: &Message) -> Result<(), Problem> {
        let frame = message.encode(self.serializer)?;
        let sent = timeout(PATIENCE, self.wire.send(frame, self.serializer)).await;
        sent.unwrap_or(Err(Problem::Silent))
    }

    /// The router's next message, which it owes us.
    pub async fn answer(&mut self) -> Result<Message, ConnectionError> {
        let answer = timeout(PATIENCE, self.receive()).await;
        answer.unwrap_or_else(|_| Err(self.error(Problem::Silent)))
    }

    /// The router's next message, whenever it comes.
    pub async fn receive(&mut self) -> Result<Message, ConnectionError> {
        let frame = match self.early.take() {
            Some(frame) => frame,
            None => self.receive_frame().await,
        };
        let message = frame.and_then(|frame| {
            Message::decode(self.serializer, &frame, NESTING).map_err(Problem::Malformed)
        });
        message.map_err(|problem| self.error(problem))
    }

    async fn receive_frame(&mut self) -> Result<Bytes, Problem> {
        loop {
            if let Heard::Message(frame) = self.wire.hear().await? {
                return Ok(frame);
            }
        }
    }

    /// Does something that takes its time, and answers the router's pings meanwhile.
    pub async fn alive_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                heard = self.wire.hear(), if self.early.is_none() => {
                    self.early = match heard {
                        Ok(Heard::Alive) => None,
                        Ok(Heard::Message(frame)) => Some(Ok(frame)),
                        Err(problem) => Some(Err(problem)),
                    };
                }
            }
        }
    }

    /// Whether the router has said something already, or has gone.
    pub const fn has_early(&self) -> bool {
        self.early.is_some()
    }

    pub fn error(&self, problem: Problem) -> ConnectionError {
        ConnectionError {
            address: self.address.clone(),
            problem,
        }
    }

    /// Ends the connection in good order, as far as the router goes along.
    pub async fn close(self) {
        let _ = timeout(PATIENCE, self.wire.close()).await;
    }
}
