use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::{ProtocolError, SubProtocolError},
        http::{HeaderValue, Uri, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};
use tokio_util::codec::Framed;

use super::{
    address::Transport,
    dialer::Socket,
    problem::{Farewell, Problem},
};
use crate::{
    transport::rawsocket::{Codec, Frame, Handshake, HandshakeError, Length},
    wamp::{Malformed, Serializer},
};

/// Octets of a message. A WELCOME with all that a router can tell has a few thousand.
const LARGEST_MESSAGE: usize = 1 << 20;

/// A client's end of a transport.
pub enum Wire {
    WebSocket(Box<WebSocketStream<Box<dyn Socket>>>),
    RawSocket(Framed<Box<dyn Socket>, Codec>),
}

/// What comes from the router.
pub enum Heard {
    Message(Bytes),
    /// It is there, and has nothing to say.
    Alive,
}

impl Wire {
    pub async fn open(
        socket: Box<dyn Socket>,
        transport: &Transport,
        serializer: Serializer,
    ) -> Result<Self, Problem> {
        match transport {
            Transport::WebSocket(url) => upgrade(socket, url, serializer)
                .await
                .map(|stream| Self::WebSocket(Box::new(stream))),
            Transport::RawSocket => shake_hands(socket, serializer).await.map(Self::RawSocket),
        }
    }

    pub async fn send(&mut self, frame: Bytes, serializer: Serializer) -> Result<(), Problem> {
        match self {
            Self::RawSocket(stream) => Ok(stream.send(Frame::Message(frame)).await?),
            Self::WebSocket(stream) => {
                let message = if serializer.is_text() {
                    // JSON that we wrote is UTF-8.
                    Message::Text(frame.try_into().map_err(|_| Malformed::Syntax)?)
                } else {
                    Message::Binary(frame)
                };
                Ok(stream.send(message).await?)
            }
        }
    }

    /// What comes next. Nothing is lost if this is dropped before it is there.
    pub async fn hear(&mut self) -> Result<Heard, Problem> {
        match self {
            Self::WebSocket(stream) => match stream.next().await {
                None => Err(Problem::Closed(Farewell(None))),
                Some(Err(error)) => Err(error.into()),
                Some(Ok(Message::Text(text))) => Ok(Heard::Message(text.into())),
                Some(Ok(Message::Binary(octets))) => Ok(Heard::Message(octets)),
                Some(Ok(Message::Close(close))) => {
                    let reason = close.map(|it| (it.code.into(), it.reason.as_str().to_owned()));
                    Err(Problem::Closed(Farewell(reason)))
                }
                Some(Ok(_)) => Ok(Heard::Alive),
            },
            Self::RawSocket(stream) => match stream.next().await {
                None => Err(Problem::Closed(Farewell(None))),
                Some(Err(error)) => Err(error.into()),
                Some(Ok(Frame::Message(message))) => Ok(Heard::Message(message)),
                Some(Ok(Frame::Ping(payload))) => {
                    stream.send(Frame::Pong(payload)).await?;
                    Ok(Heard::Alive)
                }
                Some(Ok(Frame::Pong(_))) => Ok(Heard::Alive),
            },
        }
    }

    /// Ends the transport in good order, as far as the router goes along.
    pub async fn close(self) {
        match self {
            Self::WebSocket(mut stream) => {
                if WebSocketStream::close(&mut stream, None).await.is_ok() {
                    while let Some(Ok(_)) = stream.next().await {}
                }
            }
            Self::RawSocket(mut stream) => {
                if stream.close().await.is_ok() {
                    while let Some(Ok(_)) = stream.next().await {}
                }
            }
        }
    }
}

async fn upgrade(
    socket: Box<dyn Socket>,
    url: &Uri,
    serializer: Serializer,
) -> Result<WebSocketStream<Box<dyn Socket>>, Problem> {
    let mut request = url.into_client_request()?;
    let subprotocol = HeaderValue::from_static(serializer.subprotocol());
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_MESSAGE))
        .max_frame_size(Some(LARGEST_MESSAGE));
    match client_async_with_config(request, socket, Some(config)).await {
        Ok((stream, _)) => Ok(stream),
        Err(Error::Http(response)) => Err(Problem::NoWebSocket(response.status())),
        Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol | SubProtocolError::InvalidSubProtocol,
        ))) => Err(Problem::NoSubprotocol(serializer)),
        Err(error) => Err(error.into()),
    }
}

async fn shake_hands(
    mut socket: Box<dyn Socket>,
    serializer: Serializer,
) -> Result<Framed<Box<dyn Socket>, Codec>, Problem> {
    let ours = Handshake {
        length: Length::within(LARGEST_MESSAGE),
        serializer,
    };
    socket.write_all(&ours.octets()).await?;
    socket.flush().await?;
    let mut answer = [0; 4];
    socket.read_exact(&mut answer).await?;
    let theirs = Handshake::of_router(answer)?;
    if theirs.serializer != serializer {
        return Err(HandshakeError::Serializer.into());
    }
    let codec = Codec::new(ours.length.octets(), theirs.length.octets());
    Ok(Framed::new(socket, codec))
}
