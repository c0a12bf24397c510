//! What an authenticator says (Web Authentication, sections 6.1 and 6.5.4).

use minicbor::{Decoder, decode::Error};
use sha2::{Digest, Sha256};

use crate::cbor::{definite, end};

const MALFORMED: &str = "the authenticator data is malformed";

/// Authenticator data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuthenticatorData<'a> {
    pub(crate) rp_id_hash: &'a [u8; 32],
    pub(crate) flags: Flags,
    pub(crate) counter: u32,
    /// The credential that was made, if one was.
    pub(crate) attested: Option<AttestedCredential<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AttestedCredential<'a> {
    pub(crate) id: &'a [u8],
    /// A COSE key.
    pub(crate) public_key: &'a [u8],
}

/// The octet of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    const ATTESTED: u8 = 1 << 6;
    const EXTENSIONS: u8 = 1 << 7;

    /// Somebody was there and touched it.
    pub(crate) const fn user_present(self) -> bool {
        self.has(1)
    }

    /// It has made sure of who that was: by a PIN, a finger, a face.
    pub(crate) const fn user_verified(self) -> bool {
        self.has(1 << 2)
    }

    /// The key may be on several devices.
    pub(crate) const fn backup_eligible(self) -> bool {
        self.has(1 << 3)
    }

    /// The key is on several devices.
    pub(crate) const fn backed_up(self) -> bool {
        self.has(1 << 4)
    }

    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

impl<'a> AuthenticatorData<'a> {
    pub(crate) fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        let (rp_id_hash, rest) = octets.split_first_chunk::<32>().ok_or(MALFORMED)?;
        let (&[flags, a, b, c, d], mut rest) = rest.split_first_chunk::<5>().ok_or(MALFORMED)?;
        let flags = Flags(flags);
        let mut attested = None;
        if flags.has(Flags::ATTESTED) {
            let credential;
            (credential, rest) = AttestedCredential::parse(rest)?;
            attested = Some(credential);
        }
        if flags.has(Flags::EXTENSIONS) {
            // None was asked for, so what they say is of no interest.
            let (_, after) = one_value(rest)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Self {
            rp_id_hash,
            flags,
            counter: u32::from_be_bytes([a, b, c, d]),
            attested,
        })
    }

    /// Whether the authenticator was asked by this party.
    pub(crate) fn is_for(&self, rp_id: &str) -> bool {
        Sha256::digest(rp_id).as_slice() == self.rp_id_hash
    }
}

impl<'a> AttestedCredential<'a> {
    fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), &'static str> {
        // The first 16 octets name the make of the authenticator.
        let (_, rest) = octets.split_first_chunk::<16>().ok_or(MALFORMED)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(MALFORMED)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        if !(1..=1023).contains(&id.len()) {
            return Err("the credential's id is not 1 to 1023 octets long");
        }
        let (public_key, rest) = one_value(rest)?;
        Ok((Self { id, public_key }, rest))
    }
}

/// The octets of the next CBOR value, and those behind it.
fn one_value(octets: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let mut decoder = Decoder::new(octets);
    decoder.skip().map_err(|_| MALFORMED)?;
    octets.split_at_checked(decoder.position()).ok_or(MALFORMED)
}

/// The authenticator data in an attestation object. What attests it is not looked at: none was asked
/// for, and whoever has made the key has shown a code of the operator's.
pub(crate) fn attested_data(attestation_object: &[u8]) -> Result<&[u8], &'static str> {
    let read = || -> Result<Option<&[u8]>, Error> {
        let mut decoder = Decoder::new(attestation_object);
        let mut data = None;
        for _ in 0..definite(decoder.map()?)? {
            if decoder.str()? == "authData" {
                if data.replace(decoder.bytes()?).is_some() {
                    return Err(Error::message("a label is there twice"));
                }
            } else {
                decoder.skip()?;
            }
        }
        end(&decoder)?;
        Ok(data)
    };
    read()
        .ok()
        .flatten()
        .ok_or("the attestation object is malformed")
}
