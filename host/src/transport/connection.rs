use std::net::SocketAddr;

use bytes::Bytes;

use super::Page;

/// What the host knows of a client's connection, before and beside all that the client says.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// E.g. `tcp:192.0.2.7:51334` or `unix:1000`, the user's id.
    pub peer: String,
    /// Whether nobody between the client and the router can read along: TLS, or a way that does not
    /// leave the machine.
    pub confidential: bool,
    pub tls: Option<TlsFacts>,
    pub unix: Option<UnixPeer>,
    /// Who cookies are for: a page of a site that the listener names.
    pub page: Option<Page>,
}

/// What TLS says of a connection that ends here.
#[derive(Clone, Debug)]
pub struct TlsFacts {
    /// The client's certificates in DER, its own first. They lead to one of the listener's
    /// `client_roots`. Empty: the client showed none.
    pub certificates: Vec<Bytes>,
    /// 32 octets that both ends know and that no other connection has: `tls-exporter` of RFC 9266.
    /// None before TLS 1.3: there it would need an extension that cannot be relied on.
    pub exporter: Option<[u8; 32]>,
}

/// The process at the other end of a Unix socket, as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixPeer {
    /// The user's id.
    pub user: u32,
    /// The id of the user's group.
    pub group: u32,
    /// The process's id, where the system tells.
    pub process: Option<u32>,
}

impl Connection {
    pub(super) fn tcp(peer: SocketAddr) -> Self {
        Self {
            peer: format!("tcp:{peer}"),
            confidential: peer.ip().to_canonical().is_loopback(),
            ..Self::default()
        }
    }

    pub(super) fn unix(peer: UnixPeer) -> Self {
        Self {
            peer: format!("unix:{}", peer.user),
            confidential: true,
            unix: Some(peer),
            ..Self::default()
        }
    }
}
