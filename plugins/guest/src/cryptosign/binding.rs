//! Channel binding: whether the client's signature is also one of the TLS connection that it is sent
//! over.
//!
//! The client signs the challenge XOR what both ends of the connection know (`tls-exporter`, RFC
//! 9266). An answer that somebody between two connections hands on does not fit the second. The
//! specification's XOR goes no further: somebody in between who may also choose the challenge that
//! the client sees can take the difference of the two connections into it, and the answer fits. A
//! hash of both would not allow that; but it would be another protocol.

use serde::Deserialize;

use crate::transport::channel_binding;

/// The one way to bind that the host can check.
pub const TLS_EXPORTER: &str = "tls-exporter";

/// Whether a client may do without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Demand {
    /// It may.
    #[default]
    Optional,
    /// It is denied.
    Required,
}

/// What both ends of the client's connection know. The host is asked only if a client wants it.
#[must_use]
pub fn of_connection() -> Option<[u8; 32]> {
    channel_binding()?.try_into().ok()
}

impl Demand {
    /// What the client's answer will be bound to; nothing if it does not ask for that, or asks for
    /// what cannot be had: then the challenge does not speak of it, and the client decides whether
    /// that will do.
    ///
    /// # Errors
    ///
    /// The reason of a denial.
    pub fn settle(
        self,
        asked: Option<&str>,
        of_connection: impl FnOnce() -> Option<[u8; 32]>,
    ) -> Result<Option<[u8; 32]>, String> {
        let bound = match asked {
            Some(TLS_EXPORTER) => of_connection(),
            _ => None,
        };
        match (self, bound, asked) {
            (_, Some(channel), _) => Ok(Some(channel)),
            (Self::Optional, None, _) => Ok(None),
            (Self::Required, None, Some(TLS_EXPORTER)) => Err(
                "the realm requires the channel binding \"tls-exporter\", which this connection \
                 cannot show: there is no TLS 1.3 that ends at the router"
                    .into(),
            ),
            (Self::Required, None, Some(other)) => Err(format!(
                "the realm requires the channel binding \"tls-exporter\", and the client wants {other:?}"
            )),
            (Self::Required, None, None) => Err(
                "the realm requires the channel binding \"tls-exporter\", and the client wants none"
                    .into(),
            ),
        }
    }
}
