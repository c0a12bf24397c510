use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ed25519_dalek::SigningKey;
use thiserror::Error;
use zeroize::Zeroizing;

/// The most octets that are read: 64 digits, and white space around them.
const LARGEST: usize = 128;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("{}: the key cannot be read: {source}; name a file that you may read with --key", .file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error(
        "{}: not a key; the file must hold the 32 octets of an Ed25519 seed as 64 hex digits",
        .file.display()
    )]
    Malformed { file: PathBuf },
}

/// Reads a key for cryptosign: the seed as 64 hex digits, and nothing else but white space.
pub fn read(file: &Path) -> Result<SigningKey, KeyError> {
    // So large from the start that it is never moved, which would leave a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    File::open(file)
        .and_then(|open| open.take(LARGEST as u64 + 1).read_to_end(&mut text))
        .map_err(|source| KeyError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), &mut *seed).map_err(|_| KeyError::Malformed {
        file: file.to_owned(),
    })?;
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_is_64_hex_digits() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("alice.key");
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            super::read(&file)
        };
        let seed = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510";
        let public = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d";
        let key = read(&format!("  {seed}\r\n")).unwrap();
        assert_eq!(hex::encode(key.verifying_key().to_bytes()), public);
        for bad in [
            "",
            "4d57",
            &seed.repeat(2),
            &seed.replace('4', "x"),
            &seed.repeat(100),
        ] {
            assert!(
                matches!(read(bad), Err(KeyError::Malformed { .. })),
                "{bad:?}"
            );
        }
        let missing = super::read(Path::new("/does/not/exist"))
            .unwrap_err()
            .to_string();
        assert!(
            missing.starts_with("/does/not/exist: the key cannot be read"),
            "{missing}"
        );
    }
}
