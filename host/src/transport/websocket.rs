use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as WebSocketError, Message, Utf8Bytes,
        error::CapacityError,
        handshake::server::{Request, Response, create_response, write_response},
        http::{
            HeaderValue, Response as HttpResponse, StatusCode,
            header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ORIGIN, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    Broken, READ_BUFFER, WRITE_BUFFER, Wire,
    metered::{Allowance, Metered},
};
use crate::{config::WebOrigin, wamp::Serializer};

type ErrorResponse = HttpResponse<String>;

/// Octets around a message: the frame's header, and pings in between.
const FRAMING: usize = 1 << 10;

#[derive(Clone, Debug)]
pub struct WebSocketSettings {
    /// The path of the URL, e.g. `/ws`.
    pub path: Arc<str>,
    /// Whether every other path is as good.
    pub any_path: bool,
    /// The sites whose pages may connect. None: all.
    pub origins: Option<Arc<[WebOrigin]>>,
    /// Octets of a frame before [`Wire::unlock`].
    pub login_frame: usize,
    /// Octets of a frame after it.
    pub session_frame: usize,
    /// How often the client is pinged. After two pings without a sign of life it is given up.
    pub ping: Duration,
}

/// Why no WebSocket came about.
#[derive(Debug, Error)]
pub enum NoWebSocket {
    #[error("the request was answered by {0}")]
    Refused(StatusCode),
    #[error("the client is gone: {0}")]
    Gone(#[from] io::Error),
}

/// A WebSocket that speaks WAMP.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: WebSocketStream<Metered<S>>,
    serializer: Serializer,
    allowance: Allowance,
    /// Octets of a frame, for now.
    limit: usize,
    session_frame: usize,
    heartbeat: Interval,
    unanswered: u8,
    ping: Ping,
    closing: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Ping {
    Idle,
    Due,
    Flushing,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Answers the request for a WebSocket. `early` is what the client sent after it already. A
    /// request for a wrong path, from a page of another site, or for no subprotocol that we know,
    /// is answered by an error.
    pub(super) async fn accept(
        mut stream: S,
        request: &Request,
        early: Vec<u8>,
        settings: &WebSocketSettings,
    ) -> Result<Self, NoWebSocket> {
        let serializer = match answer(request, settings) {
            Ok((serializer, response)) => {
                send_head(&mut stream, &response).await?;
                serializer
            }
            Err(response) => {
                send_head(&mut stream, &response).await?;
                stream.write_all(response.body().as_bytes()).await?;
                stream.shutdown().await?;
                return Err(NoWebSocket::Refused(response.status()));
            }
        };
        let allowance = Allowance::new(settings.login_frame + FRAMING);
        let stream = Metered::new(stream, allowance.clone());
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(settings.session_frame))
            .max_frame_size(Some(settings.session_frame));
        let stream =
            WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
        let mut heartbeat = interval_at(Instant::now() + settings.ping, settings.ping);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            stream,
            serializer,
            allowance,
            limit: settings.login_frame,
            session_frame: settings.session_frame,
            heartbeat,
            unanswered: 0,
            ping: Ping::Idle,
            closing: false,
        })
    }

    /// Sends a ping when one is due. An error: the client is silent, or gone.
    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        while self.heartbeat.poll_tick(cx).is_ready() {
            if self.unanswered >= 2 {
                return Err(Broken::Silent);
            }
            self.unanswered += 1;
            self.ping = Ping::Due;
        }
        if self.ping == Ping::Due {
            match self.stream.poll_ready_unpin(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready.map_err(broken)?,
            }
            self.stream
                .start_send_unpin(Message::Ping(Bytes::new()))
                .map_err(broken)?;
            self.ping = Ping::Flushing;
        }
        if self.ping == Ping::Flushing
            && let Poll::Ready(flushed) = self.stream.poll_flush_unpin(cx)
        {
            flushed.map_err(broken)?;
            self.ping = Ping::Idle;
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for WebSocket<S> {
    fn serializer(&self) -> Serializer {
        self.serializer
    }

    fn unlock(&mut self) {
        self.limit = self.session_frame;
        self.allowance.set(usize::MAX);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Poll::Ready(next) = self.stream.poll_next_unpin(cx) else {
                // Whoever sends is alive.
                return match self.poll_heartbeat(cx) {
                    Ok(()) => Poll::Pending,
                    Err(silent) => Poll::Ready(Some(Err(silent))),
                };
            };
            let message = match next {
                None => return Poll::Ready(None),
                Some(Ok(message)) => message,
                Some(Err(_)) if self.allowance.is_spent() => {
                    return Poll::Ready(Some(Err(Broken::TooLarge { limit: self.limit })));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(broken(error)))),
            };
            self.unanswered = 0;
            let (frame, is_text) = match message {
                Message::Text(text) => (Bytes::from(text), true),
                Message::Binary(octets) => (octets, false),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
                Message::Close(_) => return Poll::Ready(None),
            };
            if is_text != self.serializer.is_text() {
                return Poll::Ready(Some(Err(Broken::WrongKind)));
            }
            if frame.len() > self.limit {
                return Poll::Ready(Some(Err(Broken::TooLarge { limit: self.limit })));
            }
            if self.limit != self.session_frame {
                self.allowance.set(self.limit + FRAMING);
            }
            return Poll::Ready(Some(Ok(frame)));
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Bytes> for WebSocket<S> {
    type Error = Broken;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.stream.poll_ready_unpin(cx).map_err(broken)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), Broken> {
        let message = if self.serializer.is_text() {
            // Ours are written by serde_json, or came in as text and were checked then.
            Message::Text(Utf8Bytes::try_from(frame).map_err(|_| Broken::WrongKind)?)
        } else {
            Message::Binary(frame)
        };
        self.stream.start_send_unpin(message).map_err(broken)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.stream.poll_flush_unpin(cx).map_err(broken)
    }

    /// With the code for a normal end: autobahn-js takes an end without a code for a lost
    /// connection, whatever GOODBYE said before.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if !self.closing {
            ready!(self.stream.poll_ready_unpin(cx)).map_err(broken)?;
            self.closing = true;
            let end = CloseFrame {
                code: CloseCode::Normal,
                reason: Utf8Bytes::default(),
            };
            self.stream
                .start_send_unpin(Message::Close(Some(end)))
                .map_err(broken)?;
        }
        self.stream.poll_close_unpin(cx).map_err(broken)
    }
}

/// Chooses the first offered subprotocol that we know (RFC 6455, section 4.2.2).
#[expect(
    clippy::result_large_err,
    reason = "both are responses, and one is sent at once"
)]
fn answer(
    request: &Request,
    settings: &WebSocketSettings,
) -> Result<(Serializer, Response), ErrorResponse> {
    let path = &settings.path;
    if !settings.any_path && request.uri().path() != &**path {
        return Err(refusal(
            StatusCode::NOT_FOUND,
            format!("WAMP is served at {path}\n"),
        ));
    }
    if !may_come_from(request, settings.origins.as_deref()) {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "pages of this site may not connect\n".to_owned(),
        ));
    }
    let serializer = request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|offer| offer.to_str().ok())
        .flat_map(|offer| offer.split(','))
        .find_map(|name| Serializer::from_subprotocol(name.trim()));
    let Some(serializer) = serializer else {
        let known = Serializer::ALL.map(Serializer::subprotocol).join(", ");
        let text = format!("offer one of these as Sec-WebSocket-Protocol: {known}\n");
        return Err(refusal(StatusCode::BAD_REQUEST, text));
    };
    let mut response = create_response(request).map_err(|_| {
        let text = "this is no WebSocket handshake of RFC 6455\n".to_owned();
        refusal(StatusCode::BAD_REQUEST, text)
    })?;
    let chosen = HeaderValue::from_static(serializer.subprotocol());
    response
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, chosen);
    Ok((serializer, response))
}

/// Browsers always say which site a page is of (RFC 6455, section 10.2); other clients need not.
fn may_come_from(request: &Request, origins: Option<&[WebOrigin]>) -> bool {
    let Some(allowed) = origins else { return true };
    let mut named = request.headers().get_all(ORIGIN).iter();
    named.all(|name| {
        allowed
            .iter()
            .any(|origin| origin.as_str().as_bytes() == name.as_bytes())
    })
}

fn refusal(status: StatusCode, text: String) -> ErrorResponse {
    let mut response = ErrorResponse::new(text);
    let length = HeaderValue::from(response.body().len());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn send_head<S: AsyncWrite + Unpin, T>(
    stream: &mut S,
    response: &HttpResponse<T>,
) -> io::Result<()> {
    let mut head = Vec::with_capacity(256);
    write_response(&mut head, response).map_err(io::Error::other)?;
    stream.write_all(&head).await?;
    stream.flush().await
}

fn broken(error: WebSocketError) -> Broken {
    match error {
        WebSocketError::ConnectionClosed
        | WebSocketError::AlreadyClosed
        | WebSocketError::Io(_) => Broken::Gone,
        WebSocketError::Capacity(CapacityError::MessageTooLong { max_size, .. }) => {
            Broken::TooLarge { limit: max_size }
        }
        error => Broken::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
