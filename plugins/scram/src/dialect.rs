use countersign_guest::scram_keys;
use serde_json::json;

/// How the client speaks SCRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the WAMP specification has it.
    Wamp,
    /// As autobahn-python and Crossbar have it.
    Autobahn,
}

impl Dialect {
    /// The dialect that a step's name stands for. Clients know it by that name and answer to no
    /// other, so there is nothing to choose. The error is for the operator.
    pub fn of(authmethod: &str) -> Result<Self, String> {
        match authmethod {
            "wamp-scram" => Ok(Self::Wamp),
            "scram" => Ok(Self::Autobahn),
            other => Err(format!(
                "the step is called `{other}`; call it `wamp-scram` or `scram`, as clients do"
            )),
        }
    }

    /// The name in an `AuthMessage`. The specification escapes what has a meaning there. autobahn-python
    /// does not, and that does no harm: no nonce has a comma, so that only one name and one nonce fit
    /// a message.
    pub fn name(self, prepared: &str) -> String {
        match self {
            Self::Wamp => prepared.replace('=', "=3D").replace(',', "=2C"),
            Self::Autobahn => prepared.to_owned(),
        }
    }

    /// WELCOME's authextra. The specification's text has the signature by itself, its example writes
    /// "v=" before it; this follows the text.
    pub fn welcome(self, signature: &str) -> String {
        match self {
            Self::Wamp => json!({ "verifier": signature }),
            Self::Autobahn => json!({ "scram_server_signature": signature }),
        }
        .to_string()
    }
}

impl From<Dialect> for scram_keys::Dialect {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Wamp => Self::Wamp,
            Dialect::Autobahn => Self::Autobahn,
        }
    }
}
