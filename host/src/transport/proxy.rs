//! What a proxy in front of us says about the client. Only ever asked about a proxy that the
//! operator named: anybody can write such a header.

use std::net::{IpAddr, SocketAddr};

use ppp::{v1, v2};
use rfc7239::{NodeIdentifier, NodeName};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::config::{Proxy, ProxyHeader};

/// Octets of a version 1 header (section 2.1 of the PROXY protocol's specification).
const LONGEST_V1: usize = 107;

/// Octets of a version 2 header before what it tells; the last two of them say how long that is.
const V2_FIXED: usize = 16;

/// Octets of what a version 2 header tells: nobody sends more than a few hundred.
const LONGEST_V2: usize = 2 << 10;

/// The bit in a version 2 SSL record that says that the client came by TLS.
const CLIENT_SSL: u8 = 1;

/// What a proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The client. None: the proxy speaks for itself, e.g. to see whether we are well.
    pub(super) client: Option<Client>,
    /// Whether the client's connection to the proxy is encrypted.
    pub(super) encrypted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Error)]
pub enum ProxyError {
    #[error("the proxy sent no PROXY header; have it send one, or choose another \"header\"")]
    NoHeader,
    #[error("the proxy ended the connection within its PROXY header")]
    Ended,
}

/// Reads the header of the PROXY protocol that a connection begins with, and not an octet more.
pub(super) async fn read_header<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Told, ProxyError> {
    let mut header = Vec::with_capacity(v1::PROTOCOL_PREFIX.len().max(V2_FIXED));
    take(stream, &mut header, v1::PROTOCOL_PREFIX.len()).await?;
    if header == v1::PROTOCOL_PREFIX.as_bytes() {
        // How long it is shows when its end is there.
        while !header.ends_with(b"\r\n") {
            if header.len() == LONGEST_V1 {
                return Err(ProxyError::NoHeader);
            }
            take(stream, &mut header, 1).await?;
        }
        let header = v1::Header::try_from(&header[..]).map_err(|_| ProxyError::NoHeader)?;
        return Ok(from_v1(&header));
    }
    if !v2::PROTOCOL_PREFIX.starts_with(&header) {
        return Err(ProxyError::NoHeader);
    }
    take(stream, &mut header, V2_FIXED - v1::PROTOCOL_PREFIX.len()).await?;
    let length = match header[..] {
        [.., high, low] => usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    };
    if length > LONGEST_V2 || !header.starts_with(v2::PROTOCOL_PREFIX) {
        return Err(ProxyError::NoHeader);
    }
    take(stream, &mut header, length).await?;
    let header = v2::Header::try_from(&header[..]).map_err(|_| ProxyError::NoHeader)?;
    Ok(from_v2(&header))
}

async fn take<S: AsyncRead + Unpin>(
    stream: &mut S,
    header: &mut Vec<u8>,
    octets: usize,
) -> Result<(), ProxyError> {
    let mut part = stream.take(octets as u64);
    match part.read_to_end(header).await {
        Ok(read) if read == octets => Ok(()),
        _ => Err(ProxyError::Ended),
    }
}

fn from_v1(header: &v1::Header<'_>) -> Told {
    let client = match header.addresses {
        v1::Addresses::Tcp4(it) => Some((it.source_address.into(), it.source_port)),
        v1::Addresses::Tcp6(it) => Some((it.source_address.into(), it.source_port)),
        v1::Addresses::Unknown => None,
    };
    Told {
        client: client.map(|(address, port)| Client {
            address,
            port: Some(port),
        }),
        encrypted: false,
    }
}

fn from_v2(header: &v2::Header<'_>) -> Told {
    let client = match (header.command, header.addresses) {
        (v2::Command::Proxy, v2::Addresses::IPv4(it)) => {
            Some((it.source_address.into(), it.source_port))
        }
        (v2::Command::Proxy, v2::Addresses::IPv6(it)) => {
            Some((it.source_address.into(), it.source_port))
        }
        _ => None,
    };
    let encrypted = header
        .tlvs()
        .filter_map(Result::ok)
        .find(|record| record.kind == v2::Type::SSL as u8)
        .and_then(|record| record.value.first().copied())
        .is_some_and(|bits| bits & CLIENT_SSL != 0);
    Told {
        client: client.map(|(address, port)| Client {
            address,
            port: Some(port),
        }),
        encrypted,
    }
}

/// What the headers of a request say. Each proxy on the way adds at the right, so the right-most
/// address that is not a proxy of ours is the first one that nobody could make up.
pub(super) fn from_headers(headers: &HeaderMap, proxy: &Proxy) -> Option<Told> {
    match proxy.header {
        ProxyHeader::ProxyProtocol => None,
        ProxyHeader::Forwarded => from_forwarded(headers, proxy),
        ProxyHeader::XForwardedFor => from_x_forwarded_for(headers, proxy),
    }
}

fn from_forwarded(headers: &HeaderMap, proxy: &Proxy) -> Option<Told> {
    let mut chain = Vec::new();
    for value in headers.get_all("forwarded") {
        for element in rfc7239::parse(value.to_str().ok()?) {
            let element = element.ok()?;
            let client = element.forwarded_for.and_then(|node| from_node(&node));
            let encrypted = element.protocol.is_some_and(is_encrypted);
            chain.push(Told { client, encrypted });
        }
    }
    farthest(chain, proxy)
}

fn from_node(node: &NodeIdentifier<'_>) -> Option<Client> {
    match node.name {
        NodeName::Ip(address) => Some(Client {
            address,
            port: node.port,
        }),
        NodeName::Unknown | NodeName::Obfuscated(_) => None,
    }
}

fn from_x_forwarded_for(headers: &HeaderMap, proxy: &Proxy) -> Option<Told> {
    let items = |name: &'static str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
    };
    // Most proxies set it anew; those that add to it add at the right.
    let encrypted = items("x-forwarded-proto")
        .next_back()
        .is_some_and(is_encrypted);
    let chain = items("x-forwarded-for").map(|item| Told {
        client: from_text(item),
        encrypted,
    });
    farthest(chain.collect(), proxy)
}

fn from_text(item: &str) -> Option<Client> {
    let with_port = item.parse::<SocketAddr>().map(|socket| Client {
        address: socket.ip(),
        port: Some(socket.port()),
    });
    with_port
        .or_else(|_| {
            let bare = item.trim_start_matches('[').trim_end_matches(']');
            bare.parse().map(|address| Client {
                address,
                port: None,
            })
        })
        .ok()
}

/// From the right, the first that is no proxy of ours; the left-most where all are.
fn farthest(chain: Vec<Told>, proxy: &Proxy) -> Option<Told> {
    let mut last = None;
    for told in chain.into_iter().rev() {
        let is_ours = told.client.is_some_and(|it| proxy.is_at(it.address));
        last = Some(told);
        if !is_ours {
            break;
        }
    }
    last
}

fn is_encrypted(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("https") || protocol.eq_ignore_ascii_case("wss")
}

#[cfg(test)]
mod tests;
