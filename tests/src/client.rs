use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use countersign::wamp::{Dict, Message, Serializer, Value};
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message as Frame,
        client::IntoClientRequest,
        http::{HeaderName, header::SEC_WEBSOCKET_PROTOCOL},
    },
};

use crate::{Router, soon, visitor::Stream};

/// How deep the router's messages may be nested.
const DEPTH: usize = 16;

/// A WAMP client that does what it is told, be it right or wrong.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    serializer: Serializer,
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    WebSocket,
    RawSocket,
}

#[derive(Debug)]
enum Wire {
    WebSocket(Box<WebSocketStream<TcpStream>>),
    /// Over something that is not TCP alone.
    Carried(Box<WebSocketStream<Box<dyn Stream>>>),
    RawSocket(TcpStream),
}

/// How a router refused a client: with this ABORT, and an end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    /// The whole frame.
    pub octets: Bytes,
}

impl Client {
    /// Connects by WebSocket, and says nothing yet.
    pub async fn connect(router: &Router, serializer: Serializer) -> Self {
        Self::connect_by(Transport::WebSocket, router, serializer).await
    }

    /// Connects, and says nothing yet.
    pub async fn connect_by(transport: Transport, router: &Router, serializer: Serializer) -> Self {
        let wire = match transport {
            Transport::WebSocket => {
                Wire::WebSocket(Box::new(Self::upgrade(router, serializer).await))
            }
            Transport::RawSocket => {
                let number = match serializer {
                    Serializer::Json => 1,
                    Serializer::MsgPack => 2,
                    Serializer::Cbor => 3,
                };
                // It takes 16 MiB, as most clients do.
                let (stream, answer) = Self::shake_hands(router, [0x7f, 0xf0 | number, 0, 0]).await;
                assert_eq!(answer[1] & 0x0f, number, "the router agrees");
                Wire::RawSocket(stream)
            }
        };
        Self { wire, serializer }
    }

    /// Starts a RawSocket with these octets, and returns the answer.
    pub async fn shake_hands(router: &Router, octets: [u8; 4]) -> (TcpStream, [u8; 4]) {
        let mut stream = Self::dial(router).await;
        stream.write_all(&octets).await.expect("a socket");
        let mut answer = [0; 4];
        soon("an answer", stream.read_exact(&mut answer))
            .await
            .expect("four octets");
        (stream, answer)
    }

    /// Goes on with a RawSocket that is open.
    pub const fn of_rawsocket(stream: TcpStream, serializer: Serializer) -> Self {
        Self {
            wire: Wire::RawSocket(stream),
            serializer,
        }
    }

    async fn upgrade(router: &Router, serializer: Serializer) -> WebSocketStream<TcpStream> {
        let stream = Self::dial(router).await;
        Self::upgrade_on(stream, router, serializer, "").await
    }

    /// Connects as through a proxy: it sends some octets before everything else, and adds header
    /// lines to the request.
    pub async fn connect_through(router: &Router, preface: &[u8], headers: &str) -> Self {
        let mut stream = Self::dial(router).await;
        stream.write_all(preface).await.expect("a socket");
        let serializer = Serializer::Json;
        let socket = Self::upgrade_on(stream, router, serializer, headers).await;
        Self {
            wire: Wire::WebSocket(Box::new(socket)),
            serializer,
        }
    }

    /// Connects over this stream, with more header lines.
    pub async fn connect_on(stream: Box<dyn Stream>, router: &Router, headers: &str) -> Self {
        let serializer = Serializer::Json;
        let socket = Self::upgrade_on(stream, router, serializer, headers).await;
        Self {
            wire: Wire::Carried(Box::new(socket)),
            serializer,
        }
    }

    async fn upgrade_on<S: Stream>(
        stream: S,
        router: &Router,
        serializer: Serializer,
        headers: &str,
    ) -> WebSocketStream<S> {
        let mut request = router.url().into_client_request().expect("a URL");
        let protocol = serializer.subprotocol().parse().expect("a header");
        request
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        for line in headers.lines() {
            let (name, value) = line.split_once(": ").expect("a header line");
            let name: HeaderName = name.parse().expect("a header's name");
            request
                .headers_mut()
                .append(name, value.parse().expect("a header"));
        }
        let connected = soon("a WebSocket", client_async(request, stream)).await;
        connected.expect("a WebSocket").0
    }

    async fn dial(router: &Router) -> TcpStream {
        let stream = TcpStream::connect(router.address())
            .await
            .expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        stream
    }

    /// Connects and says HELLO.
    pub async fn greet(router: &Router, hello: Message) -> Self {
        let mut client = Self::connect(router, Serializer::Json).await;
        client.send(&hello).await;
        client
    }

    /// Logs in as somebody new with the method `anonymous`.
    pub async fn join(router: &Router, realm: &str) -> Self {
        let mut client = Self::greet(router, hello(realm, &["anonymous"], None)).await;
        let answer = client.receive().await;
        assert!(matches!(answer, Message::Welcome { .. }), "{answer:?}");
        client
    }

    /// Logs in by `wampcra` with this key, and returns the session too.
    pub async fn log_in(router: &Router, realm: &str, authid: &str, key: &str) -> (Self, u64) {
        let mut client = Self::greet(router, hello(realm, &["wampcra"], Some(authid))).await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, key)).await;
        let session = client.welcome().await;
        (client, session)
    }

    /// Waits for WELCOME, and returns the session.
    pub async fn welcome(&mut self) -> u64 {
        match self.receive().await {
            Message::Welcome { session, .. } => session.as_u64(),
            other => panic!("no WELCOME: {other:?}"),
        }
    }

    /// Waits for GOODBYE, and returns its reason and its words. Nothing else may come before it.
    pub async fn goodbye(&mut self) -> (String, String) {
        match self.receive().await {
            Message::Goodbye { reason, details } => {
                let message = details.text("message").unwrap_or_default().to_owned();
                (reason, message)
            }
            other => panic!("no GOODBYE: {other:?}"),
        }
    }

    pub async fn send(&mut self, message: &Message) {
        let octets = message.encode(self.serializer).expect("a message of ours");
        self.send_octets(octets).await;
    }

    /// Sends any octets as if they were a message. The router may have closed the connection: that
    /// is seen when something is received.
    pub async fn send_octets(&mut self, octets: impl Into<Bytes>) {
        let octets = octets.into();
        match &mut self.wire {
            Wire::WebSocket(socket) => {
                let frame = frame(self.serializer, octets);
                _ = soon("room for a frame", socket.send(frame)).await;
            }
            Wire::Carried(socket) => {
                let frame = frame(self.serializer, octets);
                _ = soon("room for a frame", socket.send(frame)).await;
            }
            Wire::RawSocket(_) => self.send_frame(0, &octets).await,
        }
    }

    /// Sends a frame of RawSocket: a message (0), a PING (1), a PONG (2), or what does not exist.
    pub async fn send_frame(&mut self, kind: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("less than 16 MiB");
        let mut octets = length.to_be_bytes().to_vec();
        octets[0] = kind;
        octets.extend(payload);
        _ = soon("room for a frame", self.stream().write_all(&octets)).await;
    }

    /// The next frame of RawSocket, whatever its kind. None when the connection has ended.
    pub async fn receive_frame(&mut self) -> Option<(u8, Bytes)> {
        let stream = self.stream();
        let reading = async {
            let [kind, length @ ..] = stream.read_u32().await.ok()?.to_be_bytes();
            let [high, middle, low] = length.map(usize::from);
            let mut payload = vec![0; high << 16 | middle << 8 | low];
            stream.read_exact(&mut payload).await.ok()?;
            Some((kind, payload.into()))
        };
        soon("a frame", reading).await
    }

    /// The octets under the transport: for what no WAMP client would send.
    pub fn stream(&mut self) -> &mut TcpStream {
        match &mut self.wire {
            Wire::WebSocket(socket) => socket.get_mut(),
            Wire::RawSocket(stream) => stream,
            Wire::Carried(_) => panic!("there are no octets under TLS that a test could use"),
        }
    }

    /// The next message.
    pub async fn receive(&mut self) -> Message {
        let octets = self
            .next_frame()
            .await
            .expect("the connection ended before a message");
        self.read(&octets)
    }

    /// Waits for ABORT and for the end of the connection.
    pub async fn refusal(mut self) -> Refusal {
        let octets = self
            .next_frame()
            .await
            .expect("the connection ended without an ABORT");
        let Message::Abort { reason, .. } = self.read(&octets) else {
            panic!("not an ABORT: {}", String::from_utf8_lossy(&octets));
        };
        let more = self.next_frame().await;
        assert_eq!(more, None, "after an ABORT comes nothing");
        Refusal { reason, octets }
    }

    /// Waits for the answer to a HELLO. None: the client is in.
    pub async fn refused_at_once(mut self) -> Option<Refusal> {
        let octets = self
            .next_frame()
            .await
            .expect("the connection ended without an answer");
        match self.read(&octets) {
            Message::Welcome { .. } => None,
            Message::Abort { reason, .. } => Some(Refusal { reason, octets }),
            other => panic!("no answer to a HELLO: {other:?}"),
        }
    }

    /// Waits for the end of the connection, whatever comes before it.
    pub async fn closed(mut self) {
        while self.next_frame().await.is_some() {}
    }

    /// Waits for the end of the connection. No message may come before it.
    pub async fn ends_silently(mut self) {
        let more = self.next_frame().await;
        assert_eq!(more, None, "nothing more was to be said");
    }

    /// None when the connection has ended.
    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            let frame = match &mut self.wire {
                Wire::WebSocket(socket) => soon("a frame", socket.next()).await,
                Wire::Carried(socket) => soon("a frame", socket.next()).await,
                Wire::RawSocket(_) => match self.receive_frame().await? {
                    (0, message) => return Some(message),
                    (1, payload) => {
                        self.send_frame(2, &payload).await;
                        continue;
                    }
                    _ => continue,
                },
            };
            match frame?.ok()? {
                Frame::Text(text) => return Some(text.into()),
                Frame::Binary(octets) => return Some(octets),
                Frame::Close(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => {}
            }
        }
    }

    fn read(&self, octets: &Bytes) -> Message {
        let message = Message::decode(self.serializer, octets, DEPTH);
        message.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(octets)))
    }
}

fn frame(serializer: Serializer, octets: Bytes) -> Frame {
    match octets.clone().try_into() {
        Ok(text) if serializer.is_text() => Frame::Text(text),
        _ => Frame::Binary(octets),
    }
}

/// A HELLO with all roles.
pub fn hello(realm: &str, authmethods: &[&str], authid: Option<&str>) -> Message {
    let roles = ["caller", "callee", "publisher", "subscriber"];
    let roles: Dict = roles
        .map(|role| (role.to_owned(), Dict::new().into()))
        .into_iter()
        .collect();
    let authmethods: Vec<Value> = authmethods.iter().map(|&method| method.into()).collect();
    let mut details = Dict::new()
        .with("roles", roles)
        .with("authmethods", authmethods);
    if let Some(authid) = authid {
        details.insert("authid", authid);
    }
    Message::Hello {
        realm: realm.into(),
        details,
    }
}

/// An AUTHENTICATE with this signature.
pub fn answer(signature: &str) -> Message {
    Message::Authenticate {
        signature: signature.into(),
        extra: Dict::new(),
    }
}

/// The AUTHENTICATE that answers a CHALLENGE of `wampcra` for somebody whose key this is.
pub fn sign(challenge: &Message, key: &str) -> Message {
    let Message::Challenge { extra, .. } = challenge else {
        panic!("not a challenge: {challenge:?}")
    };
    let text = extra.text("challenge").expect("a text to sign");
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("keys of any length");
    hmac.update(text.as_bytes());
    answer(&BASE64_STANDARD.encode(hmac.finalize().into_bytes()))
}
