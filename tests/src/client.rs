use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use countersign::wamp::{Dict, Message, Serializer, Value};
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message as Frame, client::IntoClientRequest, http::header::SEC_WEBSOCKET_PROTOCOL,
    },
};

use crate::{Router, soon};

/// How deep the router's messages may be nested.
const DEPTH: usize = 16;

/// A WAMP client that does what it is told, be it right or wrong.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    serializer: Serializer,
}

/// How a router refused a client: with this ABORT, and an end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    /// The whole frame.
    pub octets: Bytes,
}

impl Client {
    /// Connects, and says nothing yet.
    pub async fn connect(router: &Router, serializer: Serializer) -> Self {
        let address = router.url().trim_start_matches("ws://").split('/').next();
        let stream = TcpStream::connect(address.unwrap_or_default())
            .await
            .expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        let mut request = router.url().into_client_request().expect("a URL");
        let protocol = serializer.subprotocol().parse().expect("a header");
        request
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        let connected = soon("a WebSocket", client_async(request, stream)).await;
        Self {
            socket: connected.expect("a WebSocket").0,
            serializer,
        }
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

    pub async fn send(&mut self, message: &Message) {
        let octets = message.encode(self.serializer).expect("a message of ours");
        self.send_octets(octets).await;
    }

    /// Sends any octets as if they were a message. The router may have closed the connection: that
    /// is seen when something is received.
    pub async fn send_octets(&mut self, octets: impl Into<Bytes>) {
        let octets = octets.into();
        let frame = match octets.clone().try_into() {
            Ok(text) if self.serializer.is_text() => Frame::Text(text),
            _ => Frame::Binary(octets),
        };
        _ = soon("room for a frame", self.socket.send(frame)).await;
    }

    /// The octets under the WebSocket: for what no WebSocket client would send.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
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

    /// Waits for the end of the connection, whatever comes before it.
    pub async fn closed(mut self) {
        while self.next_frame().await.is_some() {}
    }

    /// None when the connection has ended.
    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            match soon("a frame", self.socket.next()).await?.ok()? {
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
