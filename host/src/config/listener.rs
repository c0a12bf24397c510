//! `[[listener]]`: where clients connect, and what is believed of them before they say HELLO.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use ipnet::IpNet;

use super::{
    document::{Placed, Reported, Table, all, values},
    name::UrlPath,
    scalar::{Scalar, Word, Written},
};

/// One socket that accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub address: ListenAddress,
    /// What may be spoken. A client's first octet tells which it is. Never empty.
    pub protocols: BTreeSet<Protocol>,
    /// The path of the URL that a WebSocket is asked for at.
    pub path: UrlPath,
    /// Whether every other path is as good: so it is with a Unix socket, unless a path is written.
    /// Its clients name the socket's file, and then each asks for another path.
    pub any_path: bool,
    /// Who may connect to a Unix socket.
    pub mode: SocketMode,
    /// The sites whose pages may connect. None: every page may, and no cookie is looked at. A
    /// client that names no origin is no browser, and may connect.
    pub origins: Option<BTreeSet<WebOrigin>>,
    pub tls: Option<Tls>,
    pub proxy: Option<Proxy>,
}

/// Where a socket listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenAddress {
    /// Port 0 asks the system for a free one.
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// What carries WAMP messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    WebSocket,
    RawSocket,
}

/// `[listener.tls]`: the files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Our certificate, followed by those that lead to a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The roots that clients' certificates are checked against. None: no client is asked for one.
    pub client_roots: Option<PathBuf>,
    /// Whether a client may come without.
    pub client_certificate: ClientCertificate,
}

/// What a client without a certificate gets, where certificates are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// A connection, but no login by certificate.
    Optional,
    /// No connection.
    Required,
}

/// `[listener.proxy]`: what stands between the clients and us, and is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its addresses. What comes from elsewhere is taken as it is. Never empty.
    pub from: Vec<IpNet>,
    pub header: ProxyHeader,
}

/// How a proxy tells who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// The PROXY protocol, version 1 or 2, before everything else. A connection without is refused.
    ProxyProtocol,
    /// `Forwarded` of RFC 7239.
    Forwarded,
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    XForwardedFor,
}

/// Takes all `[[listener]]`s. Relative paths start from `base`.
pub(super) fn take(top: &mut Table<'_>, base: &Path) -> Result<Vec<Listener>, Reported> {
    let tables = top.tables("listener")?;
    if tables.is_empty() {
        return Err(top.problems.report(top.at, || {
            "there is no [[listener]], so nobody can connect; add one, with \
             address = \"127.0.0.1:8080\""
                .to_owned()
        }));
    }
    let mut addresses = BTreeSet::new();
    all(tables.into_iter().map(|table| {
        let problems = table.problems;
        let (at, listener) = Listener::take(table, base)?;
        if !listener.address.is_any_port() && !addresses.insert(listener.address.clone()) {
            return Err(problems.report(at, || {
                let address = &listener.address;
                format!("another [[listener]] has {address} already; choose another")
            }));
        }
        Ok(listener)
    }))
}

impl Listener {
    /// Returns the place of the address too.
    fn take(mut table: Table<'_>, base: &Path) -> Result<(usize, Self), Reported> {
        let address = table.required::<ListenAddress>("address");
        let protocols = table.list::<Protocol>("protocols");
        let path = table.optional::<UrlPath>("path");
        let mode = table.optional::<SocketMode>("mode");
        let origins = table.list::<WebOrigin>("origins");
        let tls = table.optional_table("tls");
        let tls = tls.and_then(|tls| tls.map(|tls| Tls::take(tls, base)).transpose());
        let proxy = table.optional_table("proxy");
        let proxy = proxy.and_then(|proxy| proxy.map(Proxy::take).transpose());

        let Placed { at, value: address } = address?;
        let (protocols, path, mode, proxy) = (protocols?, path?, mode?, proxy?);
        let problem = |message: &str| table.problems.report(at, || message.to_owned());
        let is_unix = matches!(address, ListenAddress::Unix(_));
        if protocols.as_ref().is_some_and(Vec::is_empty) {
            return Err(problem(
                "\"protocols\" is empty, so nobody can connect; remove it for all of them",
            ));
        }
        if mode.is_some() && !is_unix {
            return Err(problem(
                "\"mode\" is for a Unix socket, and the address is none; remove it",
            ));
        }
        if proxy.is_some() && is_unix {
            return Err(problem(
                "[listener.proxy] goes by addresses, and a Unix socket's clients have none; \
                 remove it",
            ));
        }
        let listener = Self {
            address: address.under(base),
            protocols: protocols.map_or_else(
                || [Protocol::WebSocket, Protocol::RawSocket].into(),
                |found| values(found).collect(),
            ),
            any_path: is_unix && path.is_none(),
            path: path.map_or_else(UrlPath::ws, |path| path.value),
            mode: mode.map_or(SocketMode::OWNER, |mode| mode.value),
            origins: origins?.map(|found| values(found).collect()),
            tls: tls?,
            proxy,
        };
        Ok((at, listener))
    }
}

impl Listener {
    /// Whether a cookie could be handed out here: to the page of a site that is named, on a
    /// connection that nobody can read along.
    pub fn may_serve_cookies(&self) -> bool {
        let confidential = match &self.address {
            ListenAddress::Tcp(address) => {
                self.tls.is_some() || self.proxy.is_some() || address.ip().is_loopback()
            }
            ListenAddress::Unix(_) => true,
        };
        let named = self.origins.as_ref().is_some_and(|it| !it.is_empty());
        confidential && named && self.protocols.contains(&Protocol::WebSocket)
    }
}

impl Tls {
    fn take(mut table: Table<'_>, base: &Path) -> Result<Self, Reported> {
        let certificate = table.required::<PathBuf>("certificate");
        let key = table.required::<PathBuf>("key");
        let client_roots = table.optional::<PathBuf>("client_roots");
        let client_certificate = table.optional::<ClientCertificate>("client_certificate");
        let (client_roots, client_certificate) = (client_roots?, client_certificate?);
        if let (None, Some(found)) = (&client_roots, &client_certificate) {
            return Err(table.problems.report(found.at, || {
                "\"client_certificate\" says nothing without \"client_roots\", the file of the \
                 authorities that are believed; add it"
                    .to_owned()
            }));
        }
        Ok(Self {
            certificate: base.join(certificate?.value),
            key: base.join(key?.value),
            client_roots: client_roots.map(|path| base.join(path.value)),
            client_certificate: client_certificate
                .map_or(ClientCertificate::Optional, |found| found.value),
        })
    }
}

impl Proxy {
    fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let from = table.required_list::<IpNet>("from");
        let header = table.required::<ProxyHeader>("header");
        let from = from?;
        if from.value.is_empty() {
            return Err(table.problems.report(from.at, || {
                "\"from\" is empty, so no proxy is believed; list its addresses".to_owned()
            }));
        }
        Ok(Self {
            from: values(from.value).collect(),
            header: header?.value,
        })
    }

    /// Whether what this address says of its clients is believed.
    pub fn is_at(&self, address: IpAddr) -> bool {
        // A socket that listens on both families sees IPv4 addresses as mapped ones.
        let address = address.to_canonical();
        self.from.iter().any(|network| network.contains(&address))
    }
}

impl ListenAddress {
    fn under(self, base: &Path) -> Self {
        match self {
            Self::Unix(path) => Self::Unix(base.join(path)),
            tcp @ Self::Tcp(_) => tcp,
        }
    }

    const fn is_any_port(&self) -> bool {
        matches!(self, Self::Tcp(address) if address.port() == 0)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Scalar for ListenAddress {
    const FORM: &'static str = "an IP address and a port, such as \"127.0.0.1:8080\", or a path, such as \"unix:wamp.sock\"";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written.text()?.strip_prefix("unix:") {
            Some(path) => PathBuf::read(&Written::Text(path)).map(Self::Unix),
            None => SocketAddr::read(written).map(Self::Tcp),
        }
    }

    fn advice(written: &Written<'_>) -> String {
        match written.text() {
            Some(text) if text.starts_with("localhost:") => SocketAddr::advice(written),
            _ => format!("it must be {}", Self::FORM),
        }
    }
}

/// The permissions of a Unix socket, as `chmod` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketMode(u32);

impl SocketMode {
    /// The user that the router runs as, and nobody else.
    const OWNER: Self = Self(0o600);

    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl Scalar for SocketMode {
    const FORM: &'static str = "permissions in octal as a text, such as \"660\"";

    fn read(written: &Written<'_>) -> Option<Self> {
        let text = written.text()?;
        let bits = u32::from_str_radix(text, 8).ok()?;
        (matches!(text.len(), 3 | 4) && bits <= 0o777).then_some(Self(bits))
    }
}

/// Where a page came from, as a browser says it in `Origin` (RFC 6454, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebOrigin(Box<str>);

impl WebOrigin {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for WebOrigin {
    const FORM: &'static str =
        "a site as browsers name it, such as \"https://app.example.com\", without a path";

    fn read(written: &Written<'_>) -> Option<Self> {
        let text = written.text()?;
        let (scheme, authority) = text.split_once("://")?;
        let standard_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        // Browsers leave out a standard port and write letters small: another spelling would never
        // match.
        let is_plain = !authority.is_empty()
            && !authority.ends_with(standard_port)
            && authority
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c));
        is_plain.then(|| Self(text.into()))
    }
}

impl Protocol {
    /// Its name in the operator's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::RawSocket => "rawsocket",
        }
    }
}

impl Word for Protocol {
    const FORM: &'static str = r#""websocket" or "rawsocket""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::WebSocket.name(), Self::WebSocket),
        (Self::RawSocket.name(), Self::RawSocket),
    ];
}

impl Word for ClientCertificate {
    const FORM: &'static str = r#""optional" or "required""#;
    const WORDS: &'static [(&'static str, Self)] =
        &[("optional", Self::Optional), ("required", Self::Required)];
}

impl Word for ProxyHeader {
    const FORM: &'static str = r#"one of "proxy-protocol", "forwarded", "x-forwarded-for""#;
    const WORDS: &'static [(&'static str, Self)] = &[
        ("proxy-protocol", Self::ProxyProtocol),
        ("forwarded", Self::Forwarded),
        ("x-forwarded-for", Self::XForwardedFor),
    ];
}
