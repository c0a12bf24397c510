//! Sockets that listen, and what becomes of a connection until it carries WAMP.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bytes::BytesMut;
use hyper::HeaderMap;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::{
    Broken, Connection, CookieExchange, NoWebSocket, Page, RawSocket, RawSocketSettings, Rewound,
    UnixSocket, WebSocket, WebSocketSettings, http, proxy,
    proxy::{ProxyError, Told},
    request::{self, Asked},
    tls::{Terms, TlsError},
};
use crate::config::{self, ListenAddress, Protocol, Proxy, ProxyHeader};

type Plain = Either<TcpStream, UnixStream>;

/// The octets of a connection, whatever carries them.
pub type Carrier = Either<Plain, Box<TlsStream<Plain>>>;

/// The first octet of a RawSocket connection. No HTTP request begins with it, and no TLS.
const RAWSOCKET: u8 = 0x7f;

/// When the system asks whether a client's machine is still there: after a minute without a sign of
/// it, four times at most, so that it is given up after two minutes. WAMP's own pings find that out
/// too, but a client of RawSocket that sends none gets none.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_mins(1))
    .with_interval(Duration::from_secs(15))
    .with_retries(4);

/// What bounds frames, on each of a router's listeners.
#[derive(Clone, Copy, Debug)]
pub struct Frames {
    /// Octets of a frame before WELCOME.
    pub login: usize,
    /// Octets of a frame after it.
    pub session: usize,
    /// How often a client is pinged.
    pub ping: Duration,
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: Bound,
    terms: Arc<ListenerTerms>,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

/// What holds for all connections of a listener.
#[derive(Debug)]
struct ListenerTerms {
    speaks_websocket: bool,
    websocket: WebSocketSettings,
    /// None: RawSocket is not spoken.
    rawsocket: Option<RawSocketSettings>,
    tls: Option<Terms>,
    proxy: Option<Proxy>,
    cookies: Arc<dyn CookieExchange>,
}

/// Why a socket cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    #[error("cannot listen on {address}: {error}; choose another address under [[listener]]")]
    Bind {
        address: ListenAddress,
        error: io::Error,
    },
    #[error("{}: {error}", .path.display())]
    Mode { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Listener {
    /// `cookies` is asked when a page has a code for one.
    pub fn bind(
        config: &config::Listener,
        frames: Frames,
        cookies: Arc<dyn CookieExchange>,
    ) -> Result<Self, ListenError> {
        // Files first: a socket that listens is a promise.
        let tls = config.tls.as_ref().map(Terms::read).transpose()?;
        let socket = Bound::new(&config.address).map_err(|error| ListenError::Bind {
            address: config.address.clone(),
            error,
        })?;
        if let Bound::Unix(socket) = &socket {
            let path = socket.path();
            let error = |error| ListenError::Mode {
                path: path.to_owned(),
                error,
            };
            socket.set_mode(config.mode.bits()).map_err(error)?;
        }
        let websocket = WebSocketSettings {
            path: config.path.as_str().into(),
            any_path: config.any_path,
            origins: config
                .origins
                .as_ref()
                .map(|origins| origins.iter().cloned().collect()),
            login_frame: frames.login,
            session_frame: frames.session,
            ping: frames.ping,
        };
        let rawsocket = RawSocketSettings {
            login_frame: frames.login,
            session_frame: frames.session,
            ping: frames.ping,
        };
        let terms = ListenerTerms {
            speaks_websocket: config.protocols.contains(&Protocol::WebSocket),
            websocket,
            rawsocket: config
                .protocols
                .contains(&Protocol::RawSocket)
                .then_some(rawsocket),
            tls,
            proxy: config.proxy.clone(),
            cookies,
        };
        Ok(Self {
            socket,
            terms: Arc::new(terms),
        })
    }

    /// Where it listens; with the port that the system gave.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match &self.socket {
            Bound::Tcp(socket) => socket.local_addr().map(ListenAddress::Tcp),
            Bound::Unix(socket) => Ok(ListenAddress::Unix(socket.path().to_owned())),
        }
    }

    /// The next connection. Nothing of it is read yet.
    pub async fn accept(&self) -> io::Result<Incoming> {
        let (stream, from, connection) = match &self.socket {
            Bound::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                (Either::Left(stream), Some(peer), Connection::tcp(peer))
            }
            Bound::Unix(socket) => {
                let (stream, peer) = socket.accept().await?;
                (Either::Right(stream), None, Connection::unix(peer))
            }
        };
        Ok(Incoming {
            stream,
            from,
            connection,
            terms: Arc::clone(&self.terms),
        })
    }

    /// Reads the certificate's files again where they have changed. True: new ones are in use. An
    /// error leaves the old ones in use.
    pub fn renew(&self) -> Result<bool, TlsError> {
        self.terms.tls.as_ref().map_or(Ok(false), Terms::look)
    }
}

impl Bound {
    fn new(address: &ListenAddress) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => {
                let socket = std::net::TcpListener::bind(address)?;
                socket.set_nonblocking(true)?;
                // What it accepts inherits these. A socket that does not take them serves all the
                // same. Messages are small and wait for answers: a delay of 40 ms would be most of a
                // login.
                let options = SockRef::from(&socket);
                _ = options.set_tcp_nodelay(true);
                _ = options.set_tcp_keepalive(&KEEPALIVE);
                Ok(Self::Tcp(TcpListener::from_std(socket)?))
            }
            ListenAddress::Unix(path) => UnixSocket::bind(path).map(Self::Unix),
        }
    }
}

/// A connection that has just come in.
#[derive(Debug)]
pub struct Incoming {
    stream: Plain,
    from: Option<SocketAddr>,
    connection: Connection,
    terms: Arc<ListenerTerms>,
}

/// What a connection turned out to carry.
#[derive(Debug)]
pub enum Arrived {
    WebSocket(Box<WebSocket<Carrier>>),
    RawSocket(Box<RawSocket<Rewound<Carrier>>>),
}

/// Why a connection carries no WAMP.
#[derive(Debug, Error)]
pub enum NoArrival {
    #[error("the client is gone: {0}")]
    Gone(#[from] io::Error),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("no TLS came about: {0}")]
    Tls(io::Error),
    #[error(transparent)]
    WebSocket(#[from] NoWebSocket),
    #[error("no RawSocket came about: {0}")]
    RawSocket(#[from] Broken),
    #[error("the client speaks neither WebSocket nor RawSocket")]
    Nonsense,
    #[error("this listener does not speak RawSocket")]
    NoRawSocket,
    #[error("the client asked for a page")]
    Page,
}

impl NoArrival {
    /// Whether an operator may have to do something: the rest is what every open port sees.
    pub const fn is_notable(&self) -> bool {
        matches!(self, Self::Proxy(_) | Self::Tls(_))
    }
}

impl Incoming {
    /// Who it is, as far as is known yet.
    pub fn peer(&self) -> &str {
        &self.connection.peer
    }

    /// Finds out what it carries: hears the proxy, shakes hands for TLS, and answers the request for
    /// a WebSocket. However long that takes: the caller has a deadline.
    pub async fn arrive(self) -> Result<(Arrived, Connection), NoArrival> {
        let Self {
            mut stream,
            from,
            mut connection,
            terms,
        } = self;
        let proxy = match (&terms.proxy, from) {
            (Some(proxy), Some(from)) if proxy.is_at(from.ip()) => Some(proxy),
            _ => None,
        };
        if proxy.is_some_and(|proxy| proxy.header == ProxyHeader::ProxyProtocol) {
            let told = proxy::read_header(&mut stream).await?;
            believe(&mut connection, Some(told));
        }
        let mut stream = match &terms.tls {
            None => Either::Left(stream),
            Some(tls) => {
                let (stream, facts) = tls.accept(stream).await.map_err(NoArrival::Tls)?;
                connection.confidential = true;
                connection.tls = Some(facts);
                Either::Right(Box::new(stream))
            }
        };
        let mut early = BytesMut::with_capacity(request::READ);
        if stream.read_buf(&mut early).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if early.first() == Some(&RAWSOCKET) {
            let settings = terms.rawsocket.as_ref().ok_or(NoArrival::NoRawSocket)?;
            // As small as what was read: it stays with the session.
            let early = BytesMut::from(&*early);
            let rawsocket = RawSocket::accept(Rewound::new(early, stream), settings).await?;
            return Ok((Arrived::RawSocket(Box::new(rawsocket)), connection));
        }
        let request = match request::read(&mut stream, &mut early).await? {
            Asked::WebSocket(request) if terms.speaks_websocket => request,
            Asked::WebSocket(_) | Asked::Other => {
                let stream = Rewound::new(early, stream);
                let told = |headers: &HeaderMap| believe_headers(&connection, headers, proxy);
                let site = http::Site {
                    path: &terms.websocket.path,
                    origins: terms.websocket.origins.as_deref(),
                    exchange: &*terms.cookies,
                    connection: &told,
                };
                // A client that breaks off its request need not be told.
                _ = http::answer(stream, site).await;
                return Err(NoArrival::Page);
            }
            Asked::Nonsense => return Err(NoArrival::Nonsense),
        };
        connection = believe_headers(&connection, request.headers(), proxy);
        connection.page = Page::of(
            request.headers(),
            terms.websocket.origins.as_deref(),
            connection.confidential,
        );
        let websocket = WebSocket::accept(stream, &request, early.into(), &terms.websocket).await?;
        Ok((Arrived::WebSocket(Box::new(websocket)), connection))
    }
}

/// Who a request comes from, once its headers are known.
fn believe_headers(
    connection: &Connection,
    headers: &HeaderMap,
    proxy: Option<&Proxy>,
) -> Connection {
    let mut connection = connection.clone();
    if let Some(proxy) = proxy
        && proxy.header != ProxyHeader::ProxyProtocol
    {
        let told = proxy::from_headers(headers, proxy);
        believe(&mut connection, told);
    }
    connection
}

/// Takes over what a proxy said. A proxy that said nothing speaks for a client that nobody knows, so
/// nothing good is assumed of the way that it came.
fn believe(connection: &mut Connection, told: Option<Told>) {
    let client = told.and_then(|told| told.client);
    let mut believed = client.map_or_else(Connection::default, |client| {
        let socket = SocketAddr::new(client.address, client.port.unwrap_or_default());
        let mut believed = Connection::tcp(socket);
        if client.port.is_none() {
            believed.peer = format!("tcp:{}", client.address);
        }
        believed
    });
    // On the proxy's machine, which is ours only if the proxy came from here.
    believed.confidential &= connection.confidential;
    believed.confidential |= connection.tls.is_some() || told.is_some_and(|told| told.encrypted);
    believed.tls = connection.tls.take();
    if client.is_none() {
        believed.peer = std::mem::take(&mut connection.peer);
    }
    *connection = believed;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_accepted_is_sent_at_once_and_asked_after() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let Ok(Bound::Tcp(listening)) = Bound::new(&ListenAddress::Tcp(address)) else {
            panic!("there is a port");
        };
        let address = listening.local_addr().unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listening.accept());
        let (accepted, _) = accepted.unwrap();
        let options = SockRef::from(&accepted);
        assert!(options.tcp_nodelay().unwrap());
        assert!(options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_retries().unwrap(), 4);
    }
}
