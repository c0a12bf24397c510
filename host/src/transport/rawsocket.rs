mod codec;
mod handshake;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::codec::Framed;

pub use self::{
    codec::{Codec, Frame, FrameError},
    handshake::{Handshake, HandshakeError, Length, MAGIC},
};
use super::{Broken, READ_BUFFER, WRITE_BUFFER, Wire};
use crate::wamp::Serializer;

#[derive(Clone, Debug)]
pub struct RawSocketSettings {
    /// Octets of a frame before [`Wire::unlock`].
    pub login_frame: usize,
    /// Octets of a frame after it: the client is told the largest power of two that is not above
    /// it, and 16 MiB at most.
    pub session_frame: usize,
    /// How often a client that knows pings is pinged. After two pings without a sign of life it is
    /// given up.
    pub ping: Duration,
}

/// A RawSocket that speaks WAMP: four octets each way, then frames.
///
/// Only clients that have sent a PING are sent PINGs. autobahn-python cannot take one: on asyncio
/// its connection breaks, on Twisted it takes the PING's header for the length of a message and
/// waits for 16 MiB.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is about pings or the end by itself: there is no state that they make together"
)]
pub struct RawSocket<S> {
    framed: Framed<S, Codec>,
    serializer: Serializer,
    /// Octets of a frame once the client has logged in.
    session_frame: usize,
    heartbeat: Interval,
    unanswered: u8,
    knows_pings: bool,
    /// The answer to a PING. No more is read until it is on its way, or a client that sends PINGs
    /// and reads nothing would have us keep them all.
    pong: Option<Bytes>,
    ping_due: bool,
    /// A PING or PONG of ours is on its way.
    flushing: bool,
    /// The client broke the rules: what still comes is not looked at.
    deaf: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawSocket<S> {
    /// Answers the four octets that come first. What we cannot agree to is answered by an error.
    pub async fn accept(mut stream: S, settings: &RawSocketSettings) -> Result<Self, Broken> {
        let wanted = match Handshake::of_client(first(&mut stream).await?) {
            Ok(wanted) => wanted,
            Err(error) => return Err(refuse(&mut stream, error).await),
        };
        let ours = Handshake {
            length: Length::within(settings.session_frame),
            serializer: wanted.serializer,
        };
        say(&mut stream, ours.octets()).await?;
        let session_frame = ours.length.octets();
        let login_frame = settings.login_frame.min(session_frame);
        let codec = Codec::new(login_frame, wanted.length.octets());
        let mut framed = Framed::with_capacity(stream, codec, READ_BUFFER);
        *framed.write_buffer_mut() = BytesMut::new();
        framed.set_backpressure_boundary(WRITE_BUFFER);
        let mut heartbeat = interval_at(Instant::now() + settings.ping, settings.ping);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            framed,
            serializer: wanted.serializer,
            session_frame,
            heartbeat,
            unanswered: 0,
            knows_pings: false,
            pong: None,
            ping_due: false,
            flushing: false,
            deaf: false,
        })
    }

    /// Asked where nothing comes: whoever sends is alive. An error: the client is silent, or gone.
    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        while self.heartbeat.poll_tick(cx).is_ready() {
            if !self.knows_pings {
                continue;
            }
            if self.unanswered >= 2 {
                return Err(Broken::Silent);
            }
            self.unanswered += 1;
            self.ping_due = true;
        }
        self.poll_pings(cx)
    }

    /// Sends what pings ask for. An error: the client is gone.
    fn poll_pings(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        while self.pong.is_some() || self.ping_due {
            match self.framed.poll_ready_unpin(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready?,
            }
            let frame = if let Some(payload) = self.pong.take() {
                Frame::Pong(payload)
            } else {
                self.ping_due = false;
                Frame::Ping(Bytes::new())
            };
            self.framed.start_send_unpin(frame)?;
            self.flushing = true;
        }
        if self.flushing
            && let Poll::Ready(flushed) = self.poll_flush_unpin(cx)
        {
            flushed?;
            self.flushing = false;
        }
        Ok(())
    }

    /// Waits for the client's end of the connection, and drops what comes before it.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut octets = [0; READ_BUFFER];
        loop {
            let mut buffer = ReadBuf::new(&mut octets);
            let read = Pin::new(self.framed.get_mut()).poll_read(cx, &mut buffer);
            if ready!(read).is_err() || buffer.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for RawSocket<S> {
    fn serializer(&self) -> Serializer {
        self.serializer
    }

    fn unlock(&mut self) {
        let session_frame = self.session_frame;
        self.framed.codec_mut().take_at_most(session_frame);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for RawSocket<S> {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.deaf {
            return self.poll_end(cx).map(|()| None);
        }
        loop {
            if let Err(broken) = self.poll_pings(cx) {
                return Poll::Ready(Some(Err(broken)));
            }
            let frame = match &self.pong {
                Some(_) => Poll::Pending,
                None => self.framed.poll_next_unpin(cx),
            };
            if self.framed.codec_mut().has_heard() {
                self.unanswered = 0;
            }
            let Poll::Ready(frame) = frame else {
                return match self.poll_heartbeat(cx) {
                    Ok(()) => Poll::Pending,
                    Err(broken) => Poll::Ready(Some(Err(broken))),
                };
            };
            match frame {
                None => return Poll::Ready(None),
                Some(Ok(Frame::Message(message))) => return Poll::Ready(Some(Ok(message))),
                Some(Ok(Frame::Ping(payload))) => {
                    self.knows_pings = true;
                    self.pong = Some(payload);
                }
                Some(Ok(Frame::Pong(_))) => {}
                Some(Err(error)) => {
                    let broken = Broken::from(error);
                    self.deaf = broken.is_violation();
                    return Poll::Ready(Some(Err(broken)));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Bytes> for RawSocket<S> {
    type Error = Broken;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.framed.poll_ready_unpin(cx).map_err(Broken::from)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), Broken> {
        Ok(self.framed.start_send_unpin(Frame::Message(frame))?)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        ready!(self.framed.poll_flush_unpin(cx))?;
        let buffer = self.framed.write_buffer_mut();
        if buffer.capacity() > codec::ROOMY {
            *buffer = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.framed.poll_close_unpin(cx).map_err(Broken::from)
    }
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLarge { limit } => Self::TooLarge { limit },
            FrameError::NoSuchKind => Self::WrongKind,
            FrameError::TooLong { length, limit } => Self::TooLong { length, limit },
            FrameError::Io(_) => Self::Gone,
        }
    }
}

async fn first<S: AsyncRead + Unpin>(stream: &mut S) -> Result<[u8; 4], Broken> {
    let mut octets = [0; 4];
    stream
        .read_exact(&mut octets)
        .await
        .map_err(|_| Broken::Gone)?;
    Ok(octets)
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, octets: [u8; 4]) -> Result<(), Broken> {
    stream.write_all(&octets).await.map_err(|_| Broken::Gone)?;
    stream.flush().await.map_err(|_| Broken::Gone)
}

async fn refuse<S: AsyncWrite + Unpin>(stream: &mut S, error: HandshakeError) -> Broken {
    if let Some(octets) = error.octets() {
        // Whether it arrives is up to the client.
        _ = say(stream, octets).await;
        _ = stream.shutdown().await;
    }
    Broken::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
