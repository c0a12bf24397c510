//! What a browser is asked: the options of `navigator.credentials`, as JSON has them (Web
//! Authentication, sections 5.4 and 5.5).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde::Serialize;

use crate::{Kept, Webauthn, cose::ALGORITHMS, settings::UserVerification};

/// Milliseconds that a person has. The router may have less patience; then its own counts.
const TIMEOUT: u32 = 60_000;

/// Asks for a passkey.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request<'a> {
    challenge: String,
    rp_id: &'a str,
    allow_credentials: Vec<Descriptor<'a>>,
    user_verification: UserVerification,
    timeout: u32,
}

/// Asks for a new passkey.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Creation<'a> {
    challenge: String,
    rp: Party<'a>,
    user: Account<'a>,
    pub_key_cred_params: [Algorithm; ALGORITHMS.len()],
    exclude_credentials: Vec<Descriptor<'a>>,
    authenticator_selection: Selection,
    attestation: &'static str,
    timeout: u32,
}

#[derive(Debug, Serialize)]
struct Descriptor<'a> {
    r#type: &'static str,
    id: &'a str,
    transports: &'a [String],
}

#[derive(Debug, Serialize)]
struct Party<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    id: String,
    name: &'a str,
    display_name: &'a str,
}

#[derive(Debug, Serialize)]
struct Algorithm {
    r#type: &'static str,
    alg: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    resident_key: &'static str,
    user_verification: UserVerification,
}

impl<'a> Request<'a> {
    pub(crate) fn new(method: &'a Webauthn, nonce: &[u8], known: &'a [Kept]) -> Self {
        Self {
            challenge: BASE64URL.encode(nonce),
            rp_id: &method.rp,
            allow_credentials: descriptors(known),
            user_verification: method.user_verification,
            timeout: TIMEOUT,
        }
    }
}

impl<'a> Creation<'a> {
    pub(crate) fn new(
        method: &'a Webauthn,
        nonce: &[u8],
        authid: &'a str,
        user_handle: &[u8],
        known: &'a [Kept],
    ) -> Self {
        Self {
            challenge: BASE64URL.encode(nonce),
            rp: Party {
                id: &method.rp,
                name: method.name.as_ref().unwrap_or(&method.rp),
            },
            user: Account {
                id: BASE64URL.encode(user_handle),
                name: authid,
                display_name: authid,
            },
            pub_key_cred_params: ALGORITHMS.map(|alg| Algorithm {
                r#type: "public-key",
                alg,
            }),
            exclude_credentials: descriptors(known),
            authenticator_selection: Selection {
                // So that it can be used without an authid.
                resident_key: "preferred",
                user_verification: method.user_verification,
            },
            attestation: "none",
            timeout: TIMEOUT,
        }
    }
}

fn descriptors(known: &[Kept]) -> Vec<Descriptor<'_>> {
    let known = known.iter();
    known
        .map(|Kept { id, about, .. }| Descriptor {
            r#type: "public-key",
            id,
            transports: &about.transports,
        })
        .collect()
}
