use std::{net::SocketAddr, str::FromStr};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    #[value(name = "websocket")]
    WebSocket,
    #[value(name = "rawsocket")]
    RawSocket,
}

/// Where a router is, and what it speaks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    WebSocket { address: SocketAddr, path: String },
    RawSocket { address: SocketAddr },
}

impl Target {
    pub const fn address(&self) -> SocketAddr {
        match self {
            Self::WebSocket { address, .. } | Self::RawSocket { address } => *address,
        }
    }

    pub const fn transport(&self) -> Transport {
        match self {
            Self::WebSocket { .. } => Transport::WebSocket,
            Self::RawSocket { .. } => Transport::RawSocket,
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> Result<Self> {
        let address = |text: &str| {
            text.parse()
                .with_context(|| format!("{text:?} is not an IP address and a port"))
        };
        if let Some(rest) = url.strip_prefix("ws://") {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            Ok(Self::WebSocket {
                address: address(host)?,
                path: format!("/{path}"),
            })
        } else if let Some(rest) = url.strip_prefix("rs://") {
            Ok(Self::RawSocket {
                address: address(rest)?,
            })
        } else {
            bail!("a router is written as ws://127.0.0.1:8080/ws or rs://127.0.0.1:8080")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_what_is_spoken() {
        let address = "127.0.0.1:8080".parse().unwrap();
        let websocket = |path: &str| Target::WebSocket {
            address,
            path: path.to_owned(),
        };
        let target = |url: &str| url.parse::<Target>().unwrap();
        assert_eq!(target("ws://127.0.0.1:8080/ws"), websocket("/ws"));
        assert_eq!(target("ws://127.0.0.1:8080/a/b"), websocket("/a/b"));
        assert_eq!(target("ws://127.0.0.1:8080"), websocket("/"));
        assert_eq!(target("rs://127.0.0.1:8080"), Target::RawSocket { address });
        let six = target("rs://[::1]:9000");
        assert_eq!(six.address(), "[::1]:9000".parse().unwrap());
        assert_eq!(six.transport(), Transport::RawSocket);
    }

    #[test]
    fn what_is_no_target_is_an_error() {
        for url in [
            "",
            "127.0.0.1:8080",
            "wss://127.0.0.1:8080/ws",
            "ws://127.0.0.1/ws",
            "ws://example.com:8080/ws",
            // It has no paths.
            "rs://127.0.0.1:8080/ws",
            "rs://",
        ] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
    }
}
