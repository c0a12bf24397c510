//! What a relying party must verify (Web Authentication, sections 7.1 and 7.2), as far as it does not
//! take the host: what follows from an answer, the challenge and the settings.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Webauthn,
    authenticator::{AuthenticatorData, Flags, attested_data},
    cose::PublicKey,
    response::{Ceremony, ClientData, Created, Got, PublicKeyCredential},
    settings::UserVerification,
};

/// A passkey that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: Vec<u8>,
    /// A COSE key that [`PublicKey::parse`] takes.
    pub(crate) public_key: Vec<u8>,
    pub(crate) counter: u32,
    pub(crate) about: About,
}

/// What is kept beside a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Whether it can be on several devices. That never changes.
    pub(crate) backup_eligible: bool,
    /// How the browser said it can be reached: hints for the next time.
    pub(crate) transports: Vec<String>,
    /// Whether its owner was verified when it was made.
    pub(crate) user_verified: bool,
}

/// A passkey that was used, as its client says.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) id: Vec<u8>,
    pub(crate) user_handle: Option<Vec<u8>>,
    pub(crate) counter: u32,
    pub(crate) backup_eligible: bool,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Webauthn {
    /// Reads the answer to a challenge that asks for a new passkey.
    pub(crate) fn made(&self, nonce: &[u8], answer: &str) -> Result<Made, String> {
        let credential = PublicKeyCredential::<Created>::parse(answer)?;
        let response = credential.response;
        let client_data = ClientData::parse(&response.client_data.0)?;
        client_data.check(Ceremony::Create, nonce, &self.origins)?;
        let data = AuthenticatorData::parse(attested_data(&response.attestation_object.0)?)?;
        self.check(&data)?;
        let Some(attested) = data.attested else {
            return Err("the answer has no new passkey in it".into());
        };
        if attested.id != credential.raw_id.0 {
            return Err("the answer names another passkey than the one that was made".into());
        }
        PublicKey::parse(attested.public_key)?;
        Ok(Made {
            id: attested.id.to_owned(),
            public_key: attested.public_key.to_owned(),
            counter: data.counter,
            about: About {
                backup_eligible: data.flags.backup_eligible(),
                transports: transports(response.transports),
                user_verified: data.flags.user_verified(),
            },
        })
    }

    /// Reads the answer to a challenge that asks for a passkey. Whose it is, and whether it is
    /// genuine, is still to be seen.
    pub(crate) fn used(&self, nonce: &[u8], answer: &str) -> Result<Used, String> {
        let credential = PublicKeyCredential::<Got>::parse(answer)?;
        let response = credential.response;
        let client_data = ClientData::parse(&response.client_data.0)?;
        client_data.check(Ceremony::Get, nonce, &self.origins)?;
        let data = AuthenticatorData::parse(&response.authenticator_data.0)?;
        self.check(&data)?;
        let (counter, backup_eligible) = (data.counter, data.flags.backup_eligible());
        let mut signed = response.authenticator_data.0;
        signed.extend_from_slice(&Sha256::digest(&response.client_data.0));
        Ok(Used {
            id: credential.raw_id.0,
            user_handle: response.user_handle.map(|handle| handle.0),
            counter,
            backup_eligible,
            signed,
            signature: response.signature.0,
        })
    }

    fn check(&self, data: &AuthenticatorData) -> Result<(), &'static str> {
        if !data.is_for(&self.rp) {
            return Err("the authenticator was asked by another party than `rp`");
        }
        check_flags(data.flags, self.user_verification)
    }
}

fn check_flags(flags: Flags, wanted: UserVerification) -> Result<(), &'static str> {
    if !flags.user_present() {
        return Err("nobody was there");
    }
    if wanted == UserVerification::Required && !flags.user_verified() {
        return Err("the authenticator has not verified its user");
    }
    if flags.backed_up() && !flags.backup_eligible() {
        return Err("the passkey is backed up, which it says it cannot be");
    }
    Ok(())
}

impl Used {
    /// Whether it was signed by this key.
    pub(crate) fn verify(&self, public_key: &[u8]) -> Result<(), &'static str> {
        PublicKey::parse(public_key)?.verify(&self.signed, &self.signature)
    }
}

/// The hints that look like ones. There are about six; more would come from no browser.
fn transports(mut said: Vec<String>) -> Vec<String> {
    let is_one = |hint: &String| {
        (1..=16).contains(&hint.len())
            && hint
                .bytes()
                .all(|octet| octet.is_ascii_lowercase() || octet == b'-')
    };
    said.retain(is_one);
    said.sort_unstable();
    said.dedup();
    said.truncate(8);
    said
}
