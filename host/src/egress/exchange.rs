use std::{error::Error, net::SocketAddr, pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{
        ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT,
    },
    http,
};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};
use url::Position;

use super::{
    EgressError, Stage, address,
    client::Target,
    error::Health,
    tls::{Tls, TlsStream},
};

/// The octets of a response's head. 16 KiB is more than any service has reason to send.
const LARGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// The characters of a redirect's target that are told.
const LONGEST_QUOTE: usize = 200;

const NAME: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// What is sent. There is no way to set any other header: none is needed, and what cannot be set
/// cannot be smuggled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) method: Method,
    pub(super) content_type: Option<String>,
    pub(super) body: Bytes,
    pub(super) authorization: Vec<(HeaderName, HeaderValue)>,
}

/// What came back, whatever its status is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Bytes,
}

impl Request {
    #[must_use]
    pub const fn get() -> Self {
        Self {
            method: Method::GET,
            content_type: None,
            body: Bytes::new(),
            authorization: Vec::new(),
        }
    }

    #[must_use]
    pub fn post(content_type: Option<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            content_type,
            body: body.into(),
            authorization: Vec::new(),
        }
    }
}

impl Response {
    /// A service that fails by itself may do so because of what one client sent, and must not be
    /// closed to the others for it. These come from a proxy that does not reach it, or from one
    /// that asks to be left alone.
    pub(super) const fn health(&self) -> Health {
        match self.status {
            502..=504 => Health::Ill,
            _ => Health::Well,
        }
    }
}

/// One request on a connection of its own, from the name to the last octet of the body.
pub(super) struct Exchange<'a> {
    pub(super) target: &'a Target,
    pub(super) networks: &'a [IpNet],
    pub(super) tls: &'a Tls,
    pub(super) time: Duration,
    pub(super) response_size: usize,
}

impl Exchange<'_> {
    pub(super) async fn run(self, request: Request) -> Result<Response, EgressError> {
        let deadline = Instant::now() + self.time;
        let addresses = self.addresses(deadline).await?;
        let stream = self.connect(&addresses, deadline).await?;
        if self.target.origin.is_https() {
            let stream = self.secure(stream, deadline).await?;
            self.ask(stream, request, deadline).await
        } else {
            self.ask(stream, request, deadline).await
        }
    }

    /// Where the host is. Only these are connected to: were the name resolved once more, it could
    /// have another address by then.
    async fn addresses(&self, deadline: Instant) -> Result<Vec<SocketAddr>, EgressError> {
        let origin = &self.target.origin;
        let host = || origin.name().to_owned();
        let found: Vec<SocketAddr> = match origin.address() {
            Some(address) => vec![SocketAddr::new(address, origin.port())],
            None => self
                .before(
                    deadline,
                    Stage::Resolving,
                    lookup_host((origin.name(), origin.port())),
                )
                .await?
                .map_err(|error| EgressError::Resolve {
                    host: host(),
                    why: error.to_string(),
                })?
                .collect(),
        };
        let mut refused = None;
        let good: Vec<SocketAddr> = found
            .into_iter()
            .filter(|found| match address::check(found.ip(), self.networks) {
                Ok(()) => true,
                Err(kind) => {
                    refused.get_or_insert((found.ip(), kind));
                    false
                }
            })
            .collect();
        match (good.is_empty(), refused) {
            (false, _) => Ok(good),
            (true, Some((address, kind))) => Err(EgressError::Address {
                host: host(),
                address,
                kind,
            }),
            (true, None) => Err(EgressError::Resolve {
                host: host(),
                why: "it has no address".into(),
            }),
        }
    }

    /// To the first address that takes the connection. None of them gets more than its share of the
    /// time, so that one which does not answer does not keep us from the next.
    async fn connect(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<TcpStream, EgressError> {
        let mut failed = self.timed_out(Stage::Connecting);
        for (address, left) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let share = deadline.saturating_duration_since(Instant::now())
                / u32::try_from(left).unwrap_or(u32::MAX);
            match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // The request is one write, and waits for its answer.
                    _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => failed = EgressError::connect(address.ip(), &error),
                Err(_) => failed = self.timed_out(Stage::Connecting),
            }
        }
        Err(failed)
    }

    async fn secure(&self, stream: TcpStream, deadline: Instant) -> Result<TlsStream, EgressError> {
        let origin = &self.target.origin;
        let securing = self.tls.connect(origin.name(), stream);
        let secured = self.before(deadline, Stage::Securing, securing).await?;
        secured.map_err(|why| EgressError::Tls {
            origin: origin.clone(),
            why,
        })
    }

    async fn ask<S>(
        &self,
        stream: S,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, EgressError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let request = self.head(request)?;
        let asking = async {
            let (mut sender, connection) = http1::Builder::new()
                .max_buf_size(LARGEST_HEAD)
                .max_headers(MOST_HEADERS)
                .handshake(TokioIo::new(stream))
                .await
                .map_err(|error| self.malformed(&error))?;
            let asking = async {
                let response = sender.send_request(request).await;
                self.read(response.map_err(|error| self.malformed(&error))?)
                    .await
            };
            // The connection moves the octets of both ways; it may be through before the response
            // has been read.
            let mut asking = pin!(asking);
            tokio::select! {
                biased;
                answer = &mut asking => answer,
                _ = connection => asking.await,
            }
        };
        self.before(deadline, Stage::Answering, asking).await?
    }

    fn head(&self, request: Request) -> Result<http::Request<Full<Bytes>>, EgressError> {
        let url = &self.target.url;
        let mut head = http::Request::builder()
            .method(request.method)
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
            .header(USER_AGENT, NAME)
            .header(ACCEPT, "application/json")
            .header(CONNECTION, "close");
        if let Some(content_type) = request.content_type {
            head = head.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in request.authorization {
            head = head.header(name, value);
        }
        head.body(Full::new(request.body))
            .map_err(|error| self.malformed(&error))
    }

    async fn read(&self, response: http::Response<Incoming>) -> Result<Response, EgressError> {
        let origin = || self.target.origin.clone();
        let (head, body) = response.into_parts();
        let header = |name| head.headers.get(name).map(HeaderValue::as_bytes);
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
            let to = header(LOCATION).map(text).unwrap_or_default();
            return Err(EgressError::Redirected {
                origin: origin(),
                status: head.status.as_u16(),
                to: to.chars().take(LONGEST_QUOTE).collect(),
            });
        }
        let body = Limited::new(body, self.response_size).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                EgressError::TooLarge {
                    origin: origin(),
                    limit: self.response_size,
                }
            } else {
                self.malformed(&*error)
            }
        })?;
        Ok(Response {
            status: head.status.as_u16(),
            content_type: header(CONTENT_TYPE).map(text),
            body: body.to_bytes(),
        })
    }

    async fn before<F: Future>(
        &self,
        deadline: Instant,
        stage: Stage,
        future: F,
    ) -> Result<F::Output, EgressError> {
        timeout_at(deadline, future)
            .await
            .map_err(|_| self.timed_out(stage))
    }

    fn timed_out(&self, stage: Stage) -> EgressError {
        EgressError::TimedOut {
            origin: self.target.origin.clone(),
            limit: self.time,
            stage,
        }
    }

    fn malformed(&self, error: &(dyn Error + 'static)) -> EgressError {
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            why = format!("{why}: {error}");
            source = error.source();
        }
        EgressError::Malformed {
            origin: self.target.origin.clone(),
            why,
        }
    }
}
