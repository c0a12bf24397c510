//! One public key, and the one algorithm that it is for.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::VerifyingKey as Ed25519Key;
use p256::ecdsa::{VerifyingKey as P256Key, signature::Verifier};
use rsa::{BoxedUint, PublicKey as RsaKey, pkcs1v15, pss};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::quoted;

/// The sizes of RSA keys, in bits. Below, they can be factored one day soon; above, a verification
/// would take longer than a call may.
const SMALLEST_RSA: usize = 2048;
const LARGEST_RSA: usize = 4096;

/// The octets of a coordinate on P-256, and of a point on Ed25519.
const COORDINATE: usize = 32;

/// How a token can be signed. There is no `none` here and nothing with a shared secret, so no header
/// can ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// All, for a person.
    pub const NAMES: &str = "RS256, PS256, ES256, EdDSA";

    /// By its name in a header or a key. `Ed25519` is what RFC 9864 calls the one kind of `EdDSA` that
    /// there is here.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        })
    }
}

/// A public key that signatures can be checked with. Which algorithm it is for, its own members have
/// said, and no token can say otherwise.
#[derive(Debug)]
pub enum Key {
    Rs256(pkcs1v15::VerifyingKey<Sha256>),
    Ps256(pss::VerifyingKey<Sha256>),
    Es256(P256Key),
    EdDsa(Ed25519Key),
}

impl Key {
    /// Reads a JSON Web Key. The error is why no signature can be checked with it.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, String> {
        if ["d", "k"].iter().any(|member| jwk.contains_key(*member)) {
            return Err(
                "it is a secret or a private key, which belongs nowhere but to its owner".into(),
            );
        }
        check_use(jwk)?;
        let algorithm = match text(jwk, "alg")? {
            None => None,
            Some(name) => Some(Algorithm::named(name).ok_or_else(|| {
                format!("it is for {}; known are {}", quoted(name), Algorithm::NAMES)
            })?),
        };
        match (required(jwk, "kty")?, algorithm) {
            // What an RSA key is for if it does not say so: large issuers do not.
            ("RSA", None | Some(Algorithm::Rs256)) => {
                Ok(Self::Rs256(pkcs1v15::VerifyingKey::new(rsa_key(jwk)?)))
            }
            ("RSA", Some(Algorithm::Ps256)) => {
                Ok(Self::Ps256(pss::VerifyingKey::new(rsa_key(jwk)?)))
            }
            ("EC", None | Some(Algorithm::Es256)) => p256_key(jwk).map(Self::Es256),
            ("OKP", None | Some(Algorithm::EdDsa)) => ed25519_key(jwk).map(Self::EdDsa),
            ("RSA" | "EC" | "OKP", Some(algorithm)) => {
                Err(format!("its \"kty\" is not one for {algorithm}"))
            }
            (kind, _) => Err(format!("its \"kty\" is {}, which is unknown", quoted(kind))),
        }
    }

    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Ps256(_) => Algorithm::Ps256,
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// Whether the signature is this key's, and of this message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rs256(key) => pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Ps256(key) => pss::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

/// A key may say what it is for. Then it is for nothing else.
fn check_use(jwk: &Map<String, Value>) -> Result<(), String> {
    if let Some(purpose) = text(jwk, "use")?
        && purpose != "sig"
    {
        return Err(format!("its \"use\" is {}, not \"sig\"", quoted(purpose)));
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations))
            if operations.iter().any(|operation| operation == "verify") =>
        {
            Ok(())
        }
        Some(_) => Err("\"verify\" is not among its \"key_ops\"".into()),
    }
}

fn rsa_key(jwk: &Map<String, Value>) -> Result<RsaKey, String> {
    let modulus = number("n", &octets(jwk, "n")?)?;
    let exponent = number("e", &octets(jwk, "e")?)?;
    RsaKey::new_with_size_limits(modulus, exponent, SMALLEST_RSA..=LARGEST_RSA).map_err(|error| {
        format!(
            "it is no RSA key of {SMALLEST_RSA} to {LARGEST_RSA} bits that is safe to use: {error}"
        )
    })
}

fn number(name: &str, octets: &[u8]) -> Result<BoxedUint, String> {
    // Some write a zero in front.
    let start = octets.iter().take_while(|octet| **octet == 0).count();
    let digits = octets.get(start..).unwrap_or_default();
    let bits = u32::try_from(digits.len().saturating_mul(8)).unwrap_or(u32::MAX);
    if digits.len() > LARGEST_RSA / 8 {
        return Err(format!("its {name:?} has more than {LARGEST_RSA} bits"));
    }
    BoxedUint::from_be_slice(digits, bits).map_err(|error| format!("its {name:?}: {error}"))
}

fn p256_key(jwk: &Map<String, Value>) -> Result<P256Key, String> {
    check_curve(jwk, "P-256")?;
    // SEC 1: an uncompressed point.
    let mut point = vec![4];
    point.extend(coordinate(jwk, "x")?);
    point.extend(coordinate(jwk, "y")?);
    P256Key::from_sec1_bytes(&point).map_err(|_| "it is no point of P-256".into())
}

fn ed25519_key(jwk: &Map<String, Value>) -> Result<Ed25519Key, String> {
    check_curve(jwk, "Ed25519")?;
    let key =
        Ed25519Key::from_bytes(&coordinate(jwk, "x")?).map_err(|_| "it is no point of Ed25519")?;
    if key.is_weak() {
        return Err("it is weak: anyone can sign with it".into());
    }
    Ok(key)
}

fn check_curve(jwk: &Map<String, Value>, known: &str) -> Result<(), String> {
    let curve = required(jwk, "crv")?;
    if curve != known {
        return Err(format!("its curve is {}; known is {known}", quoted(curve)));
    }
    Ok(())
}

fn coordinate(jwk: &Map<String, Value>, name: &str) -> Result<[u8; COORDINATE], String> {
    octets(jwk, name)?
        .try_into()
        .map_err(|_| format!("its {name:?} does not have {COORDINATE} octets"))
}

fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    BASE64URL_NOPAD
        .decode(required(jwk, name)?.as_bytes())
        .map_err(|_| format!("its {name:?} is not base64url"))
}

fn required<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    text(jwk, name)?.ok_or_else(|| format!("it has no {name:?}"))
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its {name:?} is not a text")),
    }
}
