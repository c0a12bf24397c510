//! Codes that a person keeps for the day when a device is lost.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::{Hash, Key};

/// One recovery code: 80 bits of randomness, as 16 letters and digits of base32. So much that it
/// can be neither guessed at the router nor found from its hash, which may therefore be a fast one.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<[u8; Self::LEN]>);

/// What is kept of a recovery code: an HMAC-SHA256 under the key of the credential that the code
/// belongs to, so that a code fits no other, and looking for one by its hash tells nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeHash([u8; 32]);

impl RecoveryCode {
    const LEN: usize = 10;

    /// Characters between two hyphens.
    const GROUP: usize = 4;

    /// Text that is longer than a code with its hyphens can sensibly be.
    const LONGEST: usize = 32;

    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut code = Self(Zeroizing::new([0; Self::LEN]));
        getrandom::fill(&mut *code.0)?;
        Ok(code)
    }

    /// Reads a code, in upper or lower case, with or without hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::LONGEST {
            return None;
        }
        let base32: Zeroizing<Vec<u8>> = Zeroizing::new(
            text.bytes()
                .filter(|octet| *octet != b'-')
                .map(|octet| octet.to_ascii_uppercase())
                .collect(),
        );
        let octets = Zeroizing::new(BASE32_NOPAD.decode(&base32).ok()?);
        let octets = <[u8; Self::LEN]>::try_from(octets.as_slice()).ok()?;
        Some(Self(Zeroizing::new(octets)))
    }

    /// The code as a person gets it: `abcd-efgh-ijkl-mnop`.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let base32 = Zeroizing::new(BASE32_NOPAD.encode(&*self.0));
        let mut text = Zeroizing::new(String::with_capacity(Self::LONGEST));
        for (at, letter) in base32.chars().enumerate() {
            if at > 0 && at % Self::GROUP == 0 {
                text.push('-');
            }
            text.push(letter.to_ascii_lowercase());
        }
        text
    }

    pub(super) fn hash(&self, key: &Key) -> CodeHash {
        // Longer than any message that is authenticated under a seed for codes by time: 8 octets.
        let message = [b"recovery code ".as_slice(), &*self.0].concat();
        let tag = key.hmac(Hash::Sha256, &Zeroizing::new(message));
        let mut hash = [0; 32];
        hash.copy_from_slice(&tag);
        CodeHash(hash)
    }
}

impl CodeHash {
    pub(super) const fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(_)")
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(_)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = RecoveryCode::generate().unwrap();
        let text = code.expose().to_string();
        assert_eq!(text.len(), 19);
        let bare = text.replace('-', "");
        for typed in [&text, &bare, &text.to_uppercase(), &format!("-{bare}-")] {
            assert_eq!(RecoveryCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
    }

    #[test]
    fn other_text_is_no_code() {
        for text in [
            "",
            "123456",
            "abcd-efgh-ijkl-mno",
            "abcd-efgh-ijkl-mnopq",
            "abcd efgh ijkl mnop",
            "abcd-efgh-ijkl-mno1",
            "abcd-efgh-ijkl-mnoº",
            "ａbcdefghijklmnop",
            &"a".repeat(1 << 20),
        ] {
            assert_eq!(RecoveryCode::parse(text), None);
        }
    }

    #[test]
    fn a_hash_belongs_to_one_key_and_one_code() {
        let (one, two) = (Key::new(b"one"), Key::new(b"two"));
        let code = RecoveryCode::parse("abcd-efgh-ijkl-mnop").unwrap();
        let other = RecoveryCode::parse("abcd-efgh-ijkl-mnoq").unwrap();
        assert_eq!(code.hash(&one), code.hash(&one));
        assert_ne!(code.hash(&one), code.hash(&two));
        assert_ne!(code.hash(&one), other.hash(&one));
    }
}
