use std::{fmt, path::PathBuf, str::FromStr};

use thiserror::Error;
use tokio_tungstenite::tungstenite::http::Uri;

/// Where the WebSocket is on a Unix socket, if the address does not say. It is where ours is.
const PATH: &str = "/ws";

/// Where a router listens and how it is spoken to, such as `ws://127.0.0.1:8080/ws`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    pub place: Place,
    pub tls: bool,
    pub transport: Transport,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The host is without the brackets around an IPv6 address.
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// With the URL to ask for.
    WebSocket(Uri),
    RawSocket,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "not the address of a router; it must be like ws://127.0.0.1:8080/ws (WebSocket), \
     rs://127.0.0.1:8080 (RawSocket), the same with wss:// or rss:// (over TLS), \
     unix:/run/wamp.sock (RawSocket) or unix+ws:/run/wamp.sock (WebSocket)"
)]
pub struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidAddress)?;
        let (place, tls, transport) = match scheme {
            "ws" | "wss" => {
                let url: Uri = text.parse().map_err(|_| InvalidAddress)?;
                let tls = scheme == "wss";
                (tcp(&url, tls)?, tls, Transport::WebSocket(url))
            }
            "rs" | "rss" => {
                let url: Uri = text.parse().map_err(|_| InvalidAddress)?;
                let tls = scheme == "rss";
                if !matches!(url.path(), "" | "/") || url.query().is_some() {
                    return Err(InvalidAddress);
                }
                (tcp(&url, tls)?, tls, Transport::RawSocket)
            }
            "unix" | "unix+rs" => (unix(rest)?, false, Transport::RawSocket),
            "unix+ws" | "ws+unix" => {
                // The URL's path after another colon, as Node's `ws` has it.
                let (socket, path) = match rest.split_once(":/") {
                    Some((socket, _)) => (socket, rest.get(socket.len() + 1..)),
                    None => (rest, Some(PATH)),
                };
                let path = path.ok_or(InvalidAddress)?;
                let url = format!("ws://localhost{path}").parse();
                let url = url.map_err(|_| InvalidAddress)?;
                (unix(socket)?, false, Transport::WebSocket(url))
            }
            _ => return Err(InvalidAddress),
        };
        Ok(Self {
            text: text.to_owned(),
            place,
            tls,
            transport,
        })
    }
}

fn tcp(url: &Uri, tls: bool) -> Result<Place, InvalidAddress> {
    let authority = url.authority().ok_or(InvalidAddress)?;
    // With a name and a password before the host, or with a port that is none.
    let odd = authority.as_str().contains('@')
        || (authority.port().is_none() && authority.as_str() != authority.host());
    let host = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    if odd || host.is_empty() {
        return Err(InvalidAddress);
    }
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    Ok(Place::Tcp { host, port })
}

/// `/run/wamp.sock`, with or without the `//` of a URL before it.
fn unix(path: &str) -> Result<Place, InvalidAddress> {
    let path = match path.strip_prefix("//") {
        Some(path) if !path.starts_with('/') => return Err(InvalidAddress),
        Some(path) => path,
        None => path,
    };
    if path.is_empty() || path.contains('\0') {
        return Err(InvalidAddress);
    }
    Ok(Place::Unix(path.into()))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_on_the_network() {
        for (text, host, port, tls, by_websocket) in [
            ("ws://127.0.0.1:8080/ws", "127.0.0.1", 8080, false, true),
            ("ws://[::1]:9000", "::1", 9000, false, true),
            (
                "ws://router.example/ws?x=1",
                "router.example",
                80,
                false,
                true,
            ),
            ("wss://router.example/ws", "router.example", 443, true, true),
            ("rs://127.0.0.1:8080", "127.0.0.1", 8080, false, false),
            ("rs://router.example/", "router.example", 80, false, false),
            ("rss://[::1]", "::1", 443, true, false),
        ] {
            let address: Address = text.parse().unwrap();
            let host = host.to_owned();
            assert_eq!(address.place, Place::Tcp { host, port }, "{text}");
            assert_eq!(address.tls, tls, "{text}");
            let websocket = matches!(address.transport, Transport::WebSocket(_));
            assert_eq!(websocket, by_websocket, "{text}");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn places_in_the_file_system() {
        for (text, path, url) in [
            ("unix:/run/a.sock", "/run/a.sock", None),
            ("unix:///run/a.sock", "/run/a.sock", None),
            ("unix:a.sock", "a.sock", None),
            ("unix+rs:///run/a.sock", "/run/a.sock", None),
            ("unix+ws:///run/a.sock", "/run/a.sock", Some("/ws")),
            ("ws+unix:/run/a.sock:/x/y?z", "/run/a.sock", Some("/x/y?z")),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.place, Place::Unix(path.into()), "{text}");
            assert!(!address.tls);
            let url = url.map(|path| format!("ws://localhost{path}").parse().unwrap());
            let transport = url.map_or(Transport::RawSocket, Transport::WebSocket);
            assert_eq!(address.transport, transport, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
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
            "rs://localhost/ws",
            "rs://localhost?x",
            "unix:",
            "unix://",
            "unix://run/a.sock",
            "unix+ws:/run/a.sock:/ /",
        ] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text:?}");
        }
    }
}
