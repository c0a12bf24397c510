use std::{fmt, net::SocketAddr, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use http::{
    Method, StatusCode,
    header::{
        ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION,
        USER_AGENT,
    },
};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};
use ureq_proto::{
    BodyMode,
    client::{
        Call, RecvResponseResult, SendRequestResult,
        state::{RecvBody, RecvResponse},
    },
};
use url::Position;

use super::{
    EgressError, Stage, address,
    client::Target,
    tls::{Tls, TlsStream},
};
use crate::breaker::Health;

/// The octets of a response's head. 16 KiB is more than any service has reason to send.
const LARGEST_HEAD: usize = 16 << 10;

/// What is read at a time.
const PIECE: usize = 4 << 10;

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
        mut stream: S,
        request: Request,
        deadline: Instant,
    ) -> Result<Response, EgressError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let asking = async {
            let call = self.write(&mut stream, request).await?;
            self.read(&mut stream, call).await
        };
        self.before(deadline, Stage::Answering, asking).await?
    }

    async fn write<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        request: Request,
    ) -> Result<Call<RecvResponse>, EgressError> {
        let malformed = |error: ureq_proto::Error| self.malformed(&error);
        let body = request.body.clone();
        let head = self.head(request)?;
        let mut octets = vec![0; LARGEST_HEAD + self.target.url.as_str().len()];
        let mut call = Call::new(head).map_err(malformed)?.proceed();
        let length = call.write(&mut octets).map_err(malformed)?;
        octets.truncate(length);
        octets.extend_from_slice(&body);
        let sent = async {
            stream.write_all(&octets).await?;
            stream.flush().await
        };
        sent.await.map_err(|error| self.malformed(&error))?;
        let call = match call.proceed().map_err(malformed)? {
            Some(SendRequestResult::SendBody(mut call)) => {
                call.consume_direct_write(body.len()).map_err(malformed)?;
                call.proceed()
            }
            Some(SendRequestResult::RecvResponse(call)) => Some(call),
            // Only a request that asks for it waits for a status of 100.
            Some(SendRequestResult::Await100(_)) | None => None,
        };
        call.ok_or_else(|| self.malformed(&"the request was too long to be sent"))
    }

    fn head(&self, request: Request) -> Result<http::Request<()>, EgressError> {
        let url = &self.target.url;
        let is_post = request.method == Method::POST;
        let mut head = http::Request::builder()
            .method(request.method)
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
            .header(USER_AGENT, NAME)
            .header(ACCEPT, "application/json")
            .header(CONNECTION, "close");
        if is_post {
            head = head.header(CONTENT_LENGTH, request.body.len());
        }
        if let Some(content_type) = request.content_type {
            head = head.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in request.authorization {
            head = head.header(name, value);
        }
        head.body(()).map_err(|error| self.malformed(&error))
    }

    async fn read<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        mut call: Call<RecvResponse>,
    ) -> Result<Response, EgressError> {
        let origin = || self.target.origin.clone();
        let mut input = BytesMut::new();
        let head = loop {
            let (used, head) = call
                .try_response(&input, false)
                .map_err(|error| self.malformed(&error))?;
            input.advance(used);
            match head {
                Some(head) => break head,
                // One that comes before the response: that may be here already.
                None if used > 0 => {}
                None if input.len() >= LARGEST_HEAD => {
                    return Err(self.malformed(&"its head is too large"));
                }
                None if self.more(stream, &mut input).await? => {}
                None => return Err(self.ended_early()),
            }
        };
        let header = |name| head.headers().get(name).map(HeaderValue::as_bytes);
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        let status = head.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let to = header(LOCATION).map(text).unwrap_or_default();
            return Err(EgressError::Redirected {
                origin: origin(),
                status: status.as_u16(),
                to: to.chars().take(LONGEST_QUOTE).collect(),
            });
        }
        let body = match call.proceed() {
            Some(RecvResponseResult::RecvBody(call)) => self.body(stream, input, call).await?,
            // Nothing comes after such a head.
            _ => Bytes::new(),
        };
        Ok(Response {
            status: status.as_u16(),
            content_type: header(CONTENT_TYPE).map(text),
            body,
        })
    }

    async fn body<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        mut input: BytesMut,
        mut call: Call<RecvBody>,
    ) -> Result<Bytes, EgressError> {
        let ends_with_connection = call.body_mode() == BodyMode::CloseDelimited;
        let mut body = BytesMut::new();
        let mut piece = vec![0; PIECE];
        while ends_with_connection || !call.can_proceed() {
            let (used, written) = call
                .read(&input, &mut piece)
                .map_err(|error| self.malformed(&error))?;
            input.advance(used);
            body.extend_from_slice(piece.get(..written).unwrap_or_default());
            if body.len() > self.response_size {
                return Err(EgressError::TooLarge {
                    origin: self.target.origin.clone(),
                    limit: self.response_size,
                });
            }
            let is_stuck = used == 0 && written == 0;
            if is_stuck && input.len() >= LARGEST_HEAD {
                // What frames a piece of the body is a line, and so are the headers behind it.
                return Err(self.malformed(&"a line in its body is too long"));
            }
            if is_stuck && !self.more(stream, &mut input).await? {
                if ends_with_connection {
                    break;
                }
                return Err(self.ended_early());
            }
        }
        Ok(body.freeze())
    }

    /// Reads something. False: the other side has ended the connection.
    async fn more<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        input: &mut BytesMut,
    ) -> Result<bool, EgressError> {
        input.reserve(PIECE);
        match stream.read_buf(input).await {
            Ok(octets) => Ok(octets > 0),
            Err(error) => Err(self.malformed(&error)),
        }
    }

    fn ended_early(&self) -> EgressError {
        self.malformed(&"the connection ended before it did")
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

    fn malformed(&self, why: &dyn fmt::Display) -> EgressError {
        EgressError::Malformed {
            origin: self.target.origin.clone(),
            why: why.to_string(),
        }
    }
}
