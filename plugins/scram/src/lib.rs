//! SCRAM, salted challenge and response (RFC 5802, RFC 7677): the client proves that it knows a
//! password, and the router that it has the password's keys. The password is neither sent nor kept,
//! and nobody can log in with what is kept.
//!
//! There are two dialects, which the name of the step tells apart:
//!
//! - `wamp-scram`, as the WAMP specification has it ("Salted Challenge Response Authentication");
//! - `scram`, as autobahn-python and Crossbar speak it.
//!
//! HELLO's authextra has the client's nonce. The challenge has that nonce with the attempt's behind
//! it, and how the client derives its keys: salt, function and costs. All of it and the authid make
//! one text, SCRAM's `AuthMessage`. It is put together here, of what the host says and of what was
//! sent, before the client answers; nothing in the answer can change it. So an answer fits one
//! challenge, one name and one channel only, and a client or somebody between cannot lower a cost.
//!
//! The keys stay in the host, which checks the proof and gives the server's signature in exchange
//! for a right one. WELCOME's authextra carries it.

mod binding;
mod dialect;
mod exchange;
mod parameters;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use countersign_guest::credentials::find;
use countersign_guest::scram_keys::verify;
use countersign_guest::{Answer, Attempt, Challenge, Identity, Manifest, Method, Verdict};
use serde::Deserialize;

use crate::{
    binding::{Binding, Demand},
    dialect::Dialect,
    exchange::{ClientNonce, Exchange, Reply},
    parameters::Parameters,
};

/// The kind of credential that holds the keys, for both dialects.
const KIND: &str = "scram";

/// The method with its settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Scram {
    /// Whether clients must bind their proof to the TLS connection.
    channel_binding: Demand,
}

/// What there must be for this method in HELLO's authextra.
#[derive(Debug, Deserialize)]
struct Sent {
    nonce: Option<String>,
    channel_binding: Option<String>,
}

impl Method for Scram {
    const MANIFEST: Manifest = Manifest {
        name: "scram",
        version: env!("CARGO_PKG_VERSION"),
        summary: "has the client prove that it knows a password, and proves itself in return",
        credential_kinds: &[KIND],
    };

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let dialect = Dialect::of(&attempt.authmethod)?;
        if (dialect, self.channel_binding) == (Dialect::Autobahn, Demand::Required) {
            return Err(
                "`channel_binding` is \"required\", and `scram` has none, so nobody could log in; \
                 require it of `wamp-scram` only"
                    .into(),
            );
        }
        // Whatever is wrong with HELLO is said before anybody's credential is looked at.
        let (authid, client) = match Client::read(dialect, self.channel_binding, attempt) {
            Ok(client) => client,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let parameters = Parameters::parse(&find(KIND, authid).parameters())?;
        let nonce = client.nonce.with(&attempt.nonce);
        let challenge = Challenge::new(&parameters.extra(dialect, &nonce))?;
        let exchange = Exchange::new(dialect, &client, nonce, &parameters);
        Ok(challenge.with_state(exchange.to_state()?).into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let dialect = Dialect::of(&attempt.authmethod)?;
        let exchange = Exchange::from_state(&answer.state)?;
        let Some(authid) = &attempt.authid else {
            return Ok(no_authid());
        };
        let proof = match Reply::read(dialect, &exchange, answer) {
            Ok(Reply { proof }) => proof,
            Err(reason) => return Ok(Verdict::deny(reason)),
        };
        let credential = find(KIND, authid);
        let message = exchange.message.as_bytes();
        let Some(signature) = verify(&credential, dialect.into(), message, &proof) else {
            return Ok(Verdict::deny("the proof does not fit"));
        };
        let mut identity = Identity::new(credential.authid(), credential.authrole());
        identity.authextra = dialect.welcome(&BASE64.encode(signature));
        Ok(identity.into())
    }
}

fn no_authid() -> Verdict {
    Verdict::deny(NO_AUTHID)
}

const NO_AUTHID: &str = "the client gave no authid";

/// What the client has said of itself.
#[derive(Debug)]
struct Client {
    /// Prepared, as it stands in the `AuthMessage`; not yet escaped.
    name: String,
    nonce: ClientNonce,
    binding: Binding,
}

impl Client {
    /// The error is the reason of a denial.
    fn read(dialect: Dialect, demand: Demand, attempt: &Attempt) -> Result<(&str, Self), String> {
        let authid = attempt.authid.as_deref().ok_or(NO_AUTHID)?;
        let Sent {
            nonce,
            channel_binding,
        } = attempt.authextra()?;
        let nonce = nonce.ok_or("authextra has no `nonce`")?;
        let nonce = ClientNonce::parse(nonce)
            .ok_or("authextra's `nonce` is not the base64 of 8 to 64 octets")?;
        let name = channel_binding.as_deref();
        let binding = Binding::asked(dialect, demand, name, binding::of_connection)?;
        let name = match stringprep::saslprep(authid) {
            Ok(name) if !name.is_empty() => name.into_owned(),
            _ => return Err("SASLprep (RFC 4013) does not allow this authid".into()),
        };
        let client = Self {
            name,
            nonce,
            binding,
        };
        Ok((authid, client))
    }
}

countersign_guest::export!(Scram);

#[cfg(test)]
mod tests;
