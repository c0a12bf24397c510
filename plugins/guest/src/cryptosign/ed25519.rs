//! Public keys and signed messages, as clients write them.

use ed25519_dalek::{PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, Signature, VerifyingKey};

/// What is signed: the 32 octets of a challenge.
const MESSAGE_LENGTH: usize = 32;

/// A public key that proves something: a point of the curve, and none of those of small order.
#[derive(Debug)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads 64 hex digits, in upper or lower case.
    ///
    /// # Errors
    ///
    /// What it is instead: the reason of a denial.
    pub fn from_hex(digits: &str) -> Result<Self, &'static str> {
        let mut octets = [0; PUBLIC_KEY_LENGTH];
        hex::decode_to_slice(digits, &mut octets)
            .map_err(|_| "the public key is not 32 octets in hex")?;
        Self::from_octets(&octets)
    }

    /// Takes 32 octets.
    ///
    /// # Errors
    ///
    /// What it is instead: the reason of a denial.
    pub fn from_octets(octets: &[u8]) -> Result<Self, &'static str> {
        let key = VerifyingKey::try_from(octets).map_err(|_| "the public key is no Ed25519 key")?;
        if key.is_weak() {
            return Err("the public key is weak: anyone can sign with it");
        }
        Ok(Self(key))
    }

    /// As clients send it, before hex.
    #[must_use]
    pub fn as_octets(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        self.0.as_bytes()
    }

    /// Whether this key has signed it.
    ///
    /// # Errors
    ///
    /// It has not.
    pub fn verify(&self, signed: &SignedMessage) -> Result<(), &'static str> {
        if !self.signs(&signed.message, &signed.signature) {
            return Err("the signature does not match");
        }
        Ok(())
    }

    /// Whether the signature is this key's, by the strictest reading of RFC 8032: each message has
    /// exactly one signature that a signer can make of it, and no small-order point is in it.
    #[must_use]
    pub fn signs(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, signature).is_ok()
    }
}

/// A signature, and what it was made of.
#[derive(Debug)]
pub struct SignedMessage {
    signature: Signature,
    message: [u8; MESSAGE_LENGTH],
}

impl SignedMessage {
    /// Reads 192 hex digits: 64 octets of signature, then the 32 that were signed.
    ///
    /// # Errors
    ///
    /// What it is instead: the reason of a denial.
    pub fn from_hex(digits: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the signature is not 96 octets in hex";
        let mut octets = [0; SIGNATURE_LENGTH + MESSAGE_LENGTH];
        hex::decode_to_slice(digits, &mut octets).map_err(|_| MALFORMED)?;
        let (signature, message) = octets.split_first_chunk().ok_or(MALFORMED)?;
        Ok(Self {
            signature: Signature::from_bytes(signature),
            message: message.try_into().map_err(|_| MALFORMED)?,
        })
    }

    /// What was signed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}
