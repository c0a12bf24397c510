//! Connections that carry WAMP frames, and what bounds them before anybody has logged in.

mod connection;
mod http;
mod listener;
mod metered;
mod page;
mod peer_source;
mod proxy;
pub mod rawsocket;
mod request;
mod rewound;
mod tls;
mod unix;
mod websocket;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use thiserror::Error;

use crate::wamp::Serializer;

pub use connection::{Connection, TlsFacts, UnixPeer};
pub use listener::{Arrived, Frames, Incoming, ListenError, Listener, NoArrival};
pub use page::{BrowserCookies, CookieExchange, FreshCookie, Page};
pub use peer_source::PeerSource;
pub use rawsocket::{RawSocket, RawSocketSettings};
pub use rewound::Rewound;
pub use tls::exporter;
pub use unix::{UnixSocket, own_user};
pub use websocket::{NoWebSocket, WebSocket, WebSocketSettings};

/// Octets that are read at once. Every connection holds so much.
const READ_BUFFER: usize = 4 << 10;

/// Octets that are written at once, where so many wait. Only a connection that has had them to write
/// holds them.
const WRITE_BUFFER: usize = 16 << 10;

/// A connection to a client, whatever the transport: a stream of frames that come in, and a sink of
/// frames that go out. One frame is one WAMP message.
pub trait Wire:
    Stream<Item = Result<Bytes, Broken>> + Sink<Bytes, Error = Broken> + Send + Unpin
{
    fn serializer(&self) -> Serializer;

    /// The client has logged in: from now on frames may be as large as a session's.
    fn unlock(&mut self);
}

/// Why a connection carries nothing more.
#[derive(Debug, Error)]
pub enum Broken {
    #[error("the client is gone")]
    Gone,
    #[error("the client has not answered a ping")]
    Silent,
    #[error("a frame of more than {limit} octets")]
    TooLarge { limit: usize },
    #[error("a frame of the wrong kind")]
    WrongKind,
    #[error("a message of {length} octets is due, and the client takes no more than {limit}")]
    TooLong { length: usize, limit: usize },
    #[error("the transport failed: {0}")]
    Failed(String),
}

impl Broken {
    /// Whether it was the client that broke the rules, and is still there to be told.
    pub const fn is_violation(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::WrongKind)
    }
}
