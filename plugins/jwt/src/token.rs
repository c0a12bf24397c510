//! A token as it comes: three pieces of base64url with dots between them (RFC 7515, section 7.1).

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::{json, key::Algorithm, key_set::KeySet, quoted};

/// The longest token, in octets: as long as a line of HTTP may be with most servers, so no issuer
/// makes longer ones.
const LONGEST_TOKEN: usize = 8 << 10;

/// A token whose form is right, and of which nothing is proven.
#[derive(Debug)]
pub struct Token<'a> {
    pub header: Header,
    /// What the signature is of.
    signed: &'a str,
    signature: Vec<u8>,
    payload: Vec<u8>,
}

/// What the issuer says about how it has signed. Anybody can write anything here, so it only ever
/// narrows what the keys and the settings allow. Keys and addresses of keys that it may carry
/// (`jwk`, `jku`, `x5c`, `x5u`) are not even read.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
}

/// What a token's signature covers, and is right for.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified(Vec<u8>);

impl<'a> Token<'a> {
    /// The error is why it is none.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        if text.len() > LONGEST_TOKEN {
            return Err(format!(
                "the token has {} octets; at most {LONGEST_TOKEN} are read",
                text.len()
            ));
        }
        let mut pieces = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (pieces.next(), pieces.next(), pieces.next(), pieces.next())
        else {
            return Err("the token is not three pieces with dots between them".into());
        };
        let signed = text
            .get(..header.len() + 1 + payload.len())
            .unwrap_or_default();
        Ok(Self {
            header: Header::parse(&decoded("header", header)?)?,
            signed,
            signature: decoded("signature", signature)?,
            payload: decoded("payload", payload)?,
        })
    }

    /// Has the one key that the header names look at the signature.
    pub fn verify(self, keys: &KeySet) -> Result<Verified, String> {
        let Header {
            algorithm, ref kid, ..
        } = self.header;
        let key = keys.select(kid.as_deref())?;
        if key.algorithm() != algorithm {
            return Err(format!(
                "the token says {algorithm}, and its key is for {}",
                key.algorithm()
            ));
        }
        if !key.verifies(self.signed.as_bytes(), &self.signature) {
            return Err("the token's signature is wrong".into());
        }
        Ok(Verified(self.payload))
    }
}

impl Verified {
    /// What was signed.
    pub fn payload(&self) -> &[u8] {
        &self.0
    }
}

impl Header {
    fn parse(octets: &[u8]) -> Result<Self, String> {
        let mut members =
            json::object(octets).map_err(|error| format!("the token's header: {error}"))?;
        // Each of these would change what else must be understood, or what is signed.
        for extension in ["crit", "b64"] {
            if members.contains_key(extension) {
                return Err(format!(
                    "the token's header has {extension:?}: no extension is understood here"
                ));
            }
        }
        let name = text(&mut members, "alg")?.ok_or("the token's header has no \"alg\"")?;
        let algorithm = Algorithm::named(&name).ok_or_else(|| {
            format!(
                "the token's algorithm is {}; known are {}",
                quoted(&name),
                Algorithm::NAMES
            )
        })?;
        Ok(Self {
            algorithm,
            kid: text(&mut members, "kid")?,
            typ: text(&mut members, "typ")?,
        })
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("in the token's header {name:?} is not a text")),
    }
}

/// Only the one way to write octets: no padding, no white space, no bits that mean nothing.
fn decoded(what: &str, piece: &str) -> Result<Vec<u8>, String> {
    BASE64URL_NOPAD
        .decode(piece.as_bytes())
        .map_err(|_| format!("the token's {what} is not base64url"))
}
