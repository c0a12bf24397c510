use std::{fmt, io, net::IpAddr, path::PathBuf, time::Duration};

use thiserror::Error;

use super::AddressKind;
use crate::{breaker::Health, config::Origin};

/// Why a request was not made, or what became of it. The text is for the operator's log: it names
/// what was refused, and says what to do where something can be done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EgressError {
    #[error("{0:?} is not an http or https URL of a plain host, without a user's name")]
    NotAnUrl(String),
    #[error("the realm does not grant requests to {0}: add it to the method's \"origins\"")]
    NotGranted(Origin),
    #[error(
        "the operator does not allow requests to {0}: add it to \"origins\" under [egress] in \
         countersign.toml"
    )]
    NotAllowed(Origin),
    #[error(
        "{host} has the address {address}, {kind}, which the operator does not allow requests to: \
         if it is meant, add it to \"networks\" under [egress] in countersign.toml"
    )]
    Address {
        host: String,
        address: IpAddr,
        kind: AddressKind,
    },
    #[error("this is a trial, in which no request is sent to {0}")]
    Trial(Origin),
    #[error("{0} requests of this realm are under way already, the most that there may be")]
    Busy(usize),
    #[error(
        "requests to {origin} are stopped for the next {} ms, since it did not answer the last ones",
        .left.as_millis()
    )]
    Stopped { origin: Origin, left: Duration },
    #[error("the name {host} cannot be resolved: {why}")]
    Resolve { host: String, why: String },
    #[error("{address} cannot be connected to: {why}")]
    Connect { address: IpAddr, why: String },
    #[error("no TLS with {origin}: {why}")]
    Tls { origin: Origin, why: String },
    #[error("{origin} took more than {} ms; it was {stage}", .limit.as_millis())]
    TimedOut {
        origin: Origin,
        limit: Duration,
        stage: Stage,
    },
    #[error("what {origin} sent is not an HTTP response: {why}")]
    Malformed { origin: Origin, why: String },
    #[error("{origin} sent a body of more than {limit} octets, the most that is read")]
    TooLarge { origin: Origin, limit: usize },
    #[error("{origin} answered by a redirect ({status}) to {to:?}; redirects are not followed")]
    Redirected {
        origin: Origin,
        status: u16,
        to: String,
    },
}

/// What a request was doing when its time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Resolving,
    Connecting,
    Securing,
    Answering,
}

/// Why there can be no requests at all.
#[derive(Debug, Error)]
pub enum SetupError {
    #[error("{}: the file of certificate authorities cannot be read: {why}", file.display())]
    CaFile { file: PathBuf, why: String },
    #[error("{}: there is no certificate in the file; it must be PEM", file.display())]
    NoCertificate { file: PathBuf },
    #[error("TLS cannot be had: {0}")]
    Tls(String),
}

impl EgressError {
    /// Whether somebody wanted to go where nobody has let them.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NotAnUrl(_) | Self::NotGranted(_) | Self::NotAllowed(_) | Self::Address { .. }
        )
    }

    /// What it says of the service.
    pub(super) const fn health(&self) -> Health {
        match self {
            Self::NotAnUrl(_)
            | Self::NotGranted(_)
            | Self::NotAllowed(_)
            | Self::Address { .. }
            | Self::Trial(_)
            | Self::Busy(_)
            | Self::Stopped { .. } => Health::Unknown,
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::TimedOut { .. }
            | Self::Malformed { .. } => Health::Ill,
            Self::TooLarge { .. } | Self::Redirected { .. } => Health::Well,
        }
    }

    pub(super) fn connect(address: IpAddr, error: &io::Error) -> Self {
        let why = error.to_string();
        Self::Connect { address, why }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolving => "the name server that was waited for",
            Self::Connecting => "the connection that was waited for",
            Self::Securing => "the TLS handshake that was waited for",
            Self::Answering => "the response that was waited for",
        })
    }
}
