use std::{collections::BTreeMap, sync::Arc};

use countersign::wamp::{Dict, Message, Value};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::{Client, Router, soon};

/// What a browser does, as far as a router sees it: it says which site a page is of, keeps the cookies
/// that it gets, and sends them along.
#[derive(Debug, Default)]
pub struct Visitor {
    /// The site of the page. None: this is no browser.
    pub origin: Option<String>,
    /// By name.
    pub cookies: BTreeMap<String, String>,
    /// More header lines, such as those of a proxy.
    pub headers: String,
    /// Whose certificates are believed, in PEM. None: the router does not speak TLS.
    pub authority: Option<String>,
}

/// How a router answered an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    /// With names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A connection of some kind.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Stream for S {}

impl Visitor {
    pub fn of(origin: &str) -> Self {
        Self {
            origin: Some(origin.to_owned()),
            ..Self::default()
        }
    }

    /// Connects by WebSocket, and says nothing yet.
    pub async fn connect(&self, router: &Router) -> Client {
        let stream = self.dial(router).await;
        Client::connect_on(stream, router, &self.header_lines("\n")).await
    }

    /// Says HELLO.
    pub async fn greet(&self, router: &Router, hello: &Message) -> Client {
        let mut client = self.connect(router).await;
        client.send(hello).await;
        client
    }

    /// Sends a request to where cookies are, and keeps those that the answer sets.
    pub async fn ask(&mut self, router: &Router, method: &str, body: &str) -> Page {
        let request = format!(
            "{method} /ws/cookie HTTP/1.1\r\nHost: router\r\nContent-Length: {}\r\n{}\r\n{body}",
            body.len(),
            self.header_lines("\r\n"),
        );
        let mut stream = self.dial(router).await;
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the router listens");
        let mut answer = Vec::new();
        // A TLS server that closes without taking leave is as good.
        _ = soon("an answer", stream.read_to_end(&mut answer)).await;
        let page = Page::read(&String::from_utf8(answer).expect("text"));
        for cookie in page.all("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a name and a value");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        page
    }

    async fn dial(&self, router: &Router) -> Box<dyn Stream> {
        let stream = TcpStream::connect(router.address()).await;
        let stream = stream.expect("the router listens");
        stream.set_nodelay(true).expect("a socket");
        match &self.authority {
            None => Box::new(stream),
            Some(pem) => Box::new(secured(stream, pem).await),
        }
    }

    fn header_lines(&self, end: &str) -> String {
        let mut lines = String::new();
        let mut put = |name: &str, value: &str| lines.extend([name, ": ", value, end]);
        if let Some(origin) = &self.origin {
            put("Origin", origin);
        }
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter();
            let pairs: Vec<_> = pairs
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            put("Cookie", &pairs.join("; "));
        }
        for line in self.headers.lines() {
            let (name, value) = line.split_once(": ").expect("a header line");
            put(name, value);
        }
        lines
    }
}

async fn secured(stream: TcpStream, authority: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.as_bytes()).expect("a certificate");
    roots.add(root).expect("an authority");
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("an address");
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    soon("TLS", connecting).await.expect("TLS")
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.and_then(|it| it.parse().ok()).expect("a status"),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let wanted = self.headers.iter().filter(move |(found, _)| found == name);
        wanted.map(|(_, value)| value.as_str())
    }

    /// A header that is there once, or not at all.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.all(name);
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        value
    }
}

/// The same HELLO, which asks to be remembered.
pub fn asking_for_a_cookie(mut hello: Message) -> Message {
    let Message::Hello { details, .. } = &mut hello else {
        panic!("not a HELLO: {hello:?}");
    };
    let wanted = Dict::new().with("cookie", true);
    details.insert("authextra", Value::Dict(wanted));
    hello
}
