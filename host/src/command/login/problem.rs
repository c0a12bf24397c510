use std::{fmt, io};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError, http::StatusCode};

use super::connection::PATIENCE;
use crate::{
    observe::Printable,
    transport::rawsocket::{FrameError, HandshakeError},
    wamp::{Malformed, Serializer},
};

/// What is wrong with a connection, and what to do.
#[derive(Debug, Error)]
pub enum Problem {
    #[error("no connection: {0}; is the router running, and is this its address?")]
    Unreachable(io::Error),
    #[error(
        "the router speaks no {subprotocol}; choose another --serializer, or check the URL's path",
        subprotocol = .0.subprotocol()
    )]
    NoSubprotocol(Serializer),
    #[error("the answer is HTTP {0}, and not a WebSocket; check the path at the URL's end")]
    NoWebSocket(StatusCode),
    #[error("the answer is not HTTP; if the router has TLS there, use wss:// instead of ws://")]
    NoHttp,
    #[error(
        "the answer is no RawSocket's; if the router has TLS there, use rss:// instead of rs://, \
         and if it has WebSockets only, ws:// or wss://"
    )]
    NoRawSocket,
    #[error("the router opens no RawSocket: {0}{hint}", hint = hint(*.0))]
    Handshake(HandshakeError),
    #[error("TLS needs the name or the IP address of a host, and {0} is neither; correct it")]
    NoName(String),
    #[error(
        "the router's certificate is from no CA that is trusted here; if the CA is a private one, \
         name the file with its certificate with --ca"
    )]
    UnknownCa,
    #[error("the router's certificate is not for this name: {0}; use a name that it is for")]
    WrongName(CertificateError),
    #[error(
        "the router's certificate has the wrong time: {0}; renew it, or set this machine's clock"
    )]
    WrongTime(CertificateError),
    #[error("the router's certificate is not good: {0}")]
    BadCertificate(CertificateError),
    #[error("the router asks for a certificate of ours; name one with --certificate FILE")]
    NoCertificate,
    #[error("the router does not accept our certificate (alert: {0:?}); its log may say why")]
    CertificateRefused(AlertDescription),
    #[error("the answer is not TLS; if the router has none there, use ws:// or rs://")]
    NoTls,
    #[error("TLS failed: {0}")]
    Tls(rustls::Error),
    #[error("no answer within {} s; is this a WAMP router?", PATIENCE.as_secs())]
    Silent,
    #[error("the router closed the connection{0}; its log may say why")]
    Closed(Farewell),
    #[error("the connection is broken: {0}")]
    Broken(Box<tungstenite::Error>),
    #[error("the connection is broken: {0}")]
    BrokenFrame(FrameError),
    #[error("the connection is broken: {0}")]
    BrokenSocket(io::Error),
    #[error("the router sent what is no WAMP message: {0}")]
    Malformed(#[from] Malformed),
    #[error("the router sent a message that has no place in a login; is this a WAMP router?")]
    Unexpected,
}

/// What the router gave as its reason for closing a WebSocket, if anything.
#[derive(Debug)]
pub struct Farewell(pub Option<(u16, String)>);

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => Ok(()),
            Some((code, reason)) if reason.is_empty() => write!(f, " (WebSocket code {code})"),
            Some((code, reason)) => {
                write!(f, " (WebSocket code {code}: {})", Printable(reason))
            }
        }
    }
}

fn hint(error: HandshakeError) -> &'static str {
    match error {
        HandshakeError::Serializer => "; choose another --serializer",
        HandshakeError::Connections => "; try again later",
        _ => "",
    }
}

/// A connection that ends without a word is closed, however that is told.
impl From<tungstenite::Error> for Problem {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed
            | tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Self::Closed(Farewell(None))
            }
            tungstenite::Error::Protocol(ProtocolError::HttparseError(_)) => Self::NoHttp,
            tungstenite::Error::Io(error) => error.into(),
            other => Self::Broken(Box::new(other)),
        }
    }
}

impl From<FrameError> for Problem {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Io(error) => error.into(),
            other => Self::BrokenFrame(other),
        }
    }
}

impl From<HandshakeError> for Problem {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::NoRawSocket => Self::NoRawSocket,
            other => Self::Handshake(other),
        }
    }
}

/// What TLS has to say comes as an error of the socket, during its handshake or, from a router that
/// does not like our certificate, at any time after it.
impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => return Self::Closed(Farewell(None)),
            _ => {}
        }
        let by_tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        match by_tls.cloned() {
            Some(by_tls) => rustls::Error::into(by_tls),
            None => Self::BrokenSocket(error),
        }
    }
}

impl From<rustls::Error> for Problem {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                CertificateError::UnknownIssuer => Self::UnknownCa,
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::WrongName(error),
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::WrongTime(error),
                error => Self::BadCertificate(error),
            },
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateRequired => Self::NoCertificate,
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::DecryptError
                | AlertDescription::AccessDenied => Self::CertificateRefused(alert),
                alert => Self::Tls(rustls::Error::AlertReceived(alert)),
            },
            error => Self::Tls(error),
        }
    }
}
