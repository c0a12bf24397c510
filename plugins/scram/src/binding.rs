//! Channel binding: whether the client's proof is also one of the TLS connection that it is sent
//! over, so that nobody can stand between.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use countersign_guest::transport::channel_binding;
use serde::Deserialize;

use crate::dialect::Dialect;

/// What the client binds its proof to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// To nothing.
    None,
    /// To its TLS connection, in the way that `name` stands for (`tls-exporter`, …). `data` is what
    /// this end of the connection says.
    Channel { name: String, data: Vec<u8> },
}

/// Whether a client may do without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Demand {
    #[default]
    Optional,
    Required,
}

/// What this end of the client's connection says for a way to bind; none where it has nothing to say:
/// a way other than `tls-exporter` (RFC 9266), or no TLS 1.3 that ends at the router.
pub fn of_connection(name: &str) -> Option<Vec<u8>> {
    match name {
        "tls-exporter" => channel_binding(),
        _ => None,
    }
}

impl Binding {
    /// Reads `channel_binding` of HELLO. A client that wants what cannot be checked is refused: to go
    /// on without would leave it in the belief that nobody stands between. The other way round, with
    /// the wish taken out of HELLO by somebody between, the client's proof does not fit, since what
    /// it wished is a part of what it proves.
    ///
    /// `scram` has no bindings. A client's HELLO has one authextra for all methods that it announces,
    /// so the wish is not for this one, and a client that insists on it does not announce `scram`.
    ///
    /// The error is the reason of a denial.
    pub fn asked(
        dialect: Dialect,
        demand: Demand,
        name: Option<&str>,
        of_connection: impl FnOnce(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, String> {
        if dialect == Dialect::Autobahn {
            return Ok(Self::None);
        }
        let Some(name) = name else {
            return match demand {
                Demand::Optional => Ok(Self::None),
                Demand::Required => Err(
                    "the realm requires the channel binding \"tls-exporter\", and the client wants \
                     none"
                        .into(),
                ),
            };
        };
        match of_connection(name) {
            Some(data) => Ok(Self::Channel {
                name: name.to_owned(),
                data,
            }),
            None => Err(format!(
                "the client wants the channel binding {name:?}, which this connection cannot show"
            )),
        }
    }

    /// The name, as the client must repeat it in AUTHENTICATE.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Channel { name, .. } => Some(name),
        }
    }

    /// The data in base64, as the client must send it in AUTHENTICATE.
    pub fn data(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Channel { data, .. } => Some(BASE64.encode(data)),
        }
    }

    /// What stands behind `c=` in the `AuthMessage`.
    pub fn input(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            // RFC 5802 would have "biws" here. autobahn-python puts in what the challenge says of
            // channel binding, which is nothing.
            (_, Dialect::Autobahn) => String::new(),
            (Self::None, Dialect::Wamp) => BASE64.encode("n,,"),
            (Self::Channel { name, data }, Dialect::Wamp) => {
                let flag = format!("p={name},,");
                BASE64.encode([flag.as_bytes(), data].concat())
            }
        }
    }
}
