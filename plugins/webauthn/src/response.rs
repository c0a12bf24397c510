//! What a browser answers: the JSON text of a `PublicKeyCredential`, and in it the JSON text of the
//! client data (Web Authentication, sections 5.1 and 5.8.1).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// Octets, which are base64url without padding in JSON.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Octets(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64URL
            .decode(text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// A `PublicKeyCredential` with `R` for its response.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicKeyCredential<R> {
    pub(crate) raw_id: Octets,
    r#type: String,
    pub(crate) response: R,
}

/// The response of `navigator.credentials.create`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created {
    #[serde(rename = "clientDataJSON")]
    pub(crate) client_data: Octets,
    pub(crate) attestation_object: Octets,
    #[serde(default)]
    pub(crate) transports: Vec<String>,
}

/// The response of `navigator.credentials.get`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Got {
    #[serde(rename = "clientDataJSON")]
    pub(crate) client_data: Octets,
    pub(crate) authenticator_data: Octets,
    pub(crate) signature: Octets,
    pub(crate) user_handle: Option<Octets>,
}

impl<R: DeserializeOwned> PublicKeyCredential<R> {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let credential: Self = serde_json::from_str(text)
            .map_err(|_| "the answer is not the JSON of a PublicKeyCredential")?;
        if credential.r#type != "public-key" {
            return Err("the answer is a credential of another type");
        }
        Ok(credential)
    }
}

/// What the browser says of what it was asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientData {
    r#type: String,
    challenge: Octets,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

/// What the browser was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ceremony {
    Create,
    Get,
}

impl ClientData {
    pub(crate) fn parse(octets: &[u8]) -> Result<Self, &'static str> {
        serde_json::from_slice(octets).map_err(|_| "the client data is not what a browser writes")
    }

    /// Whether a browser has done what it was asked on one of these pages, and not in a frame of
    /// somebody else's.
    pub(crate) fn check(
        &self,
        ceremony: Ceremony,
        nonce: &[u8],
        origins: &[String],
    ) -> Result<(), String> {
        let wanted = match ceremony {
            Ceremony::Create => "webauthn.create",
            Ceremony::Get => "webauthn.get",
        };
        if self.r#type != wanted {
            return Err(format!("the client data is not of {wanted}"));
        }
        if self.challenge.0 != nonce {
            return Err("the challenge that was answered is another one".into());
        }
        if !origins.contains(&self.origin) {
            // It is the client's text.
            let origin: String = self.origin.chars().take(100).collect();
            return Err(format!(
                "the page's origin is {origin:?}, which is none of `origins`"
            ));
        }
        if self.cross_origin || self.top_origin.is_some() {
            return Err("the page was in a frame of another site".into());
        }
        Ok(())
    }
}
