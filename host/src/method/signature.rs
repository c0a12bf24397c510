//! Who has signed a component: detached Ed25519 signatures, in a file beside it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::Signature;
use thiserror::Error;

use crate::config::Signer;

/// The keys of those whose components may be run.
#[derive(Clone, Debug, Default)]
pub struct Signers(Vec<Signer>);

/// Why a component is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    #[error(
        "the operator requires a signature, and there is none beside it: sign it with countersign \
         method sign, which makes {{NAME}}.wasm.sig"
    )]
    Missing,
    #[error(
        "its signature cannot be read: the file must hold 64 octets, or their base64 in one line"
    )]
    Malformed,
    #[error(
        "its signature is not that of these octets by one of the operator's signers: sign it anew \
         with countersign method sign, or add the signer under [methods] signers"
    )]
    Wrong,
}

/// The octets of a signature's file, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detached([u8; 64]);

impl Signers {
    /// Whether any component may be run.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has signed these octets.
    pub fn verify(&self, octets: &[u8], signature: Detached) -> Result<(), SignatureError> {
        let signature = Signature::from_bytes(&signature.0);
        let mut keys = self.0.iter();
        if keys.any(|signer| signer.key().verify_strict(octets, &signature).is_ok()) {
            return Ok(());
        }
        Err(SignatureError::Wrong)
    }
}

impl FromIterator<Signer> for Signers {
    fn from_iter<I: IntoIterator<Item = Signer>>(signers: I) -> Self {
        Self(signers.into_iter().collect())
    }
}

impl Detached {
    /// The longest file of one, in octets: base64 and the end of a line.
    pub const LONGEST: u64 = 96;

    pub const fn octets(&self) -> &[u8; 64] {
        &self.0
    }

    pub fn read(octets: &[u8]) -> Result<Self, SignatureError> {
        if let Ok(octets) = octets.try_into() {
            return Ok(Self(octets));
        }
        let text = std::str::from_utf8(octets).map_err(|_| SignatureError::Malformed)?;
        let decoded = BASE64_STANDARD.decode(text.trim_end());
        let decoded = decoded.map_err(|_| SignatureError::Malformed)?;
        let octets = decoded.try_into().map_err(|_| SignatureError::Malformed)?;
        Ok(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn signer(key: &SigningKey) -> Signer {
        Signer::new(&hex::encode(key.verifying_key().as_bytes())).unwrap()
    }

    #[test]
    fn one_of_the_signers_is_enough_and_anybody_else_is_not() {
        let [ours, second, foreign] = [1, 2, 3].map(|n| SigningKey::from_bytes(&[n; 32]));
        let signers: Signers = [signer(&ours), signer(&second)].into_iter().collect();
        let detached = |key: &SigningKey| Detached(key.sign(b"component").to_bytes());
        assert_eq!(signers.verify(b"component", detached(&ours)), Ok(()));
        assert_eq!(signers.verify(b"component", detached(&second)), Ok(()));
        let wrong = Err(SignatureError::Wrong);
        assert_eq!(signers.verify(b"component", detached(&foreign)), wrong);
        assert_eq!(signers.verify(b"Component", detached(&ours)), wrong);
    }

    #[test]
    fn a_signature_is_64_octets_or_their_base64() {
        let octets = [7; 64];
        let text = BASE64_STANDARD.encode(octets);
        let line = format!("{text}\n");
        for good in [&octets[..], text.as_bytes(), line.as_bytes()] {
            assert_eq!(Detached::read(good), Ok(Detached(octets)));
        }
        for bad in [
            &octets[..63],
            b"",
            b"\n",
            &text.as_bytes()[..80],
            &[0xff; 65],
        ] {
            assert_eq!(Detached::read(bad), Err(SignatureError::Malformed));
        }
    }
}
