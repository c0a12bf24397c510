use std::{fmt, future::Future, io, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use thiserror::Error;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Error,
        client::IntoClientRequest,
        error::{ProtocolError, SubProtocolError},
        http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use super::address::Address;
use crate::{
    observe::Printable,
    wamp::{Malformed, Message, Serializer},
};

/// For connecting, and for each answer of the router.
const PATIENCE: Duration = Duration::from_secs(10);

/// Octets of a message. A WELCOME with all that a router can tell has a few thousand.
const LARGEST_MESSAGE: usize = 1 << 20;

/// Of dictionaries in a message.
const NESTING: usize = 32;

/// A connection to a router that carries WAMP messages.
pub struct Connection {
    stream: WebSocketStream<TcpStream>,
    serializer: Serializer,
    /// The router's URL.
    address: String,
    /// What the router sent while a person was typing.
    early: Option<Frame>,
}

type Frame = Option<Result<tungstenite::Message, Error>>;

/// What is wrong with a connection, where, and what to do.
#[derive(Debug, Error)]
#[error("{address}: {problem}")]
pub struct ConnectionError {
    /// A URL.
    address: String,
    problem: Problem,
}

#[derive(Debug, Error)]
pub enum Problem {
    #[error("no connection: {0}; is the router running, and is this its address?")]
    Unreachable(io::Error),
    #[error(
        "the router speaks no {subprotocol}; choose another --serializer, or check the URL's path",
        subprotocol = .0.subprotocol()
    )]
    NoSubprotocol(Serializer),
    #[error("the answer is HTTP {0}, and not a WebSocket; check the path at the URL's end")]
    NoWebSocket(StatusCode),
    #[error("no answer within {} s; is this a WAMP router?", PATIENCE.as_secs())]
    Silent,
    #[error("the router closed the connection{0}; its log may say why")]
    Closed(Farewell),
    #[error("the connection is broken: {0}")]
    Broken(Box<Error>),
    #[error("the router sent what is no WAMP message: {0}")]
    Malformed(#[from] Malformed),
    #[error("the router sent a message that has no place in a login; is this a WAMP router?")]
    Unexpected,
}

/// What the router gave as its reason for closing a WebSocket, if anything.
#[derive(Debug)]
pub struct Farewell(Option<(u16, String)>);

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => Ok(()),
            Some((code, reason)) if reason.is_empty() => write!(f, " (WebSocket code {code})"),
            Some((code, reason)) => {
                write!(f, " (WebSocket code {code}: {})", Printable(reason))
            }
        }
    }
}

impl Connection {
    pub async fn open(address: &Address, serializer: Serializer) -> Result<Self, ConnectionError> {
        let connecting = async {
            let stream = TcpStream::connect((address.host(), address.port()))
                .await
                .map_err(Problem::Unreachable)?;
            // Small messages go back and forth; without it they would wait for each other.
            let _ = stream.set_nodelay(true);
            upgrade(stream, address, serializer).await
        };
        let stream = timeout(PATIENCE, connecting)
            .await
            .unwrap_or(Err(Problem::Silent));
        match stream {
            Ok(stream) => Ok(Self {
                stream,
                serializer,
                address: address.to_string(),
                early: None,
            }),
            Err(problem) => Err(ConnectionError {
                address: address.to_string(),
                problem,
            }),
        }
    }

    pub async fn send(&mut self, message: &Message) -> Result<(), ConnectionError> {
        let sent = self.send_within(message).await;
        sent.map_err(|problem| self.error(problem))
    }

    async fn send_within(&mut self, message: &Message) -> Result<(), Problem> {
        let frame = message.encode(self.serializer)?;
        let frame = if self.serializer.is_text() {
            // JSON that we wrote is UTF-8.
            let text = frame.try_into().map_err(|_| Malformed::Syntax)?;
            tungstenite::Message::Text(text)
        } else {
            tungstenite::Message::Binary(frame)
        };
        let sent = timeout(PATIENCE, self.stream.send(frame)).await;
        sent.map_err(|_| Problem::Silent)?.map_err(broken)
    }

    /// The router's next message, which it owes us.
    pub async fn answer(&mut self) -> Result<Message, ConnectionError> {
        let answer = timeout(PATIENCE, self.receive()).await;
        answer.unwrap_or_else(|_| Err(self.error(Problem::Silent)))
    }

    /// The router's next message, whenever it comes.
    pub async fn receive(&mut self) -> Result<Message, ConnectionError> {
        let received = self.receive_frame().await;
        let message = received.and_then(|frame| {
            Message::decode(self.serializer, &frame, NESTING).map_err(Problem::Malformed)
        });
        message.map_err(|problem| self.error(problem))
    }

    async fn receive_frame(&mut self) -> Result<Bytes, Problem> {
        loop {
            let frame = match self.early.take() {
                Some(frame) => frame,
                None => self.stream.next().await,
            };
            match frame {
                None => return Err(Problem::Closed(Farewell(None))),
                Some(Err(error)) => return Err(broken(error)),
                Some(Ok(tungstenite::Message::Text(text))) => return Ok(text.into()),
                Some(Ok(tungstenite::Message::Binary(octets))) => return Ok(octets),
                Some(Ok(tungstenite::Message::Close(close))) => {
                    let reason = close.map(|it| (it.code.into(), it.reason.as_str().to_owned()));
                    return Err(Problem::Closed(Farewell(reason)));
                }
                Some(Ok(_)) => {}
            }
        }
    }

    /// Does something that takes its time, and answers the router's pings meanwhile.
    pub async fn alive_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                frame = self.stream.next(), if self.early.is_none() => {
                    let ping = matches!(
                        frame,
                        Some(Ok(tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_)))
                    );
                    self.early = (!ping).then_some(frame);
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

    /// Ends the WebSocket in good order, as far as the router goes along.
    pub async fn close(mut self) {
        let closing = async {
            if self.stream.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        let _ = timeout(PATIENCE, closing).await;
    }
}

async fn upgrade(
    stream: TcpStream,
    address: &Address,
    serializer: Serializer,
) -> Result<WebSocketStream<TcpStream>, Problem> {
    let mut request = address.url().into_client_request().map_err(broken)?;
    let subprotocol = HeaderValue::from_static(serializer.subprotocol());
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => Ok(stream),
        Err(Error::Http(response)) => Err(Problem::NoWebSocket(response.status())),
        Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol | SubProtocolError::InvalidSubProtocol,
        ))) => Err(Problem::NoSubprotocol(serializer)),
        Err(error) => Err(broken(error)),
    }
}

/// A connection that ends without a word is closed, however that is told.
fn broken(error: Error) -> Problem {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Problem::Closed(Farewell(None))
        }
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            Problem::Closed(Farewell(None))
        }
        other => Problem::Broken(Box::new(other)),
    }
}
