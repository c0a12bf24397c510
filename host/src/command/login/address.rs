use std::{fmt, str::FromStr};

use thiserror::Error;
use tokio_tungstenite::tungstenite::http::Uri;

/// The URL of a router's WebSocket, such as `ws://127.0.0.1:8080/ws`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: Uri,
    host: String,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidAddress {
    #[error("wss:// is not supported yet by this command; use ws:// on the router's own machine")]
    Tls,
    #[error("not the URL of a WebSocket; it must be like ws://127.0.0.1:8080/ws")]
    Malformed,
}

impl Address {
    pub const fn url(&self) -> &Uri {
        &self.url
    }

    /// Without the brackets around an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let url: Uri = text.parse().map_err(|_| InvalidAddress::Malformed)?;
        match url.scheme_str() {
            Some("ws") => {}
            Some("wss") => return Err(InvalidAddress::Tls),
            _ => return Err(InvalidAddress::Malformed),
        }
        let authority = url.authority().ok_or(InvalidAddress::Malformed)?;
        // With a name and a password before the host, or with a port that is none.
        let odd = authority.as_str().contains('@')
            || (authority.port().is_none() && authority.as_str() != authority.host());
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if odd || host.is_empty() {
            return Err(InvalidAddress::Malformed);
        }
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { url, host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_websockets() {
        for (text, host, port) in [
            ("ws://127.0.0.1:8080/ws", "127.0.0.1", 8080),
            ("ws://[::1]:9000", "::1", 9000),
            ("ws://router.example/ws?x=1", "router.example", 80),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(
            "wss://localhost/ws".parse::<Address>(),
            Err(InvalidAddress::Tls)
        );
        for text in [
            "",
            "localhost:8080",
            "/ws",
            "http://localhost/",
            "ws://",
            "ws://:80/",
            "ws://a:b@localhost/",
            "ws://localhost:99999/",
            "ws://localhost:x/",
            "ws://a b/",
        ] {
            assert_eq!(
                text.parse::<Address>(),
                Err(InvalidAddress::Malformed),
                "{text:?}"
            );
        }
    }
}
