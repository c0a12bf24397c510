//! How a request says that it comes from this router.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

/// A signing key's octets: the fewest and the most, by Standard Webhooks.
const KEY_OCTETS: std::ops::RangeInclusive<usize> = 24..=64;

const KEY_PREFIX: &str = "whsec_";

/// More is no secret that somebody has put there for us.
const LARGEST_FILE: u64 = 4096;

/// What a method's requests are sent with, and the method does not see.
#[derive(Clone)]
pub enum Secret {
    /// By Standard Webhooks 1.0: headers with an id, the time, and the HMAC-SHA256 of both and the
    /// body. Most languages have a library that checks it.
    Signature(Zeroizing<Vec<u8>>),
    /// `Authorization: Bearer`.
    Bearer(HeaderValue),
}

/// Why a file is no secret. Nothing of what is in it is told.
#[derive(Debug, Error)]
pub enum SecretError {
    #[error("{}: the secret cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{}: the file is larger than 4 KiB, so it is no secret for requests", file.display())]
    TooLarge { file: PathBuf },
    #[error(
        "{}: this is no signing key; it must be 24 to 64 octets in base64, with or without \
         \"whsec_\" before them: openssl rand -base64 32 makes one", file.display()
    )]
    NotAKey { file: PathBuf },
    #[error(
        "{}: this is no bearer token; it must be one line of visible ASCII characters", file.display()
    )]
    NotAToken { file: PathBuf },
}

impl Secret {
    pub(super) fn signature(file: &Path) -> Result<Self, SecretError> {
        let text = read(file)?;
        let text = text.strip_prefix(KEY_PREFIX).unwrap_or(&text);
        match BASE64_STANDARD.decode(text).map(Zeroizing::new) {
            Ok(key) if KEY_OCTETS.contains(&key.len()) => Ok(Self::Signature(key)),
            _ => Err(SecretError::NotAKey {
                file: file.to_owned(),
            }),
        }
    }

    pub(super) fn bearer(file: &Path) -> Result<Self, SecretError> {
        let token = read(file)?;
        let is_token = !token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic());
        let value = Zeroizing::new(format!("Bearer {}", *token));
        match HeaderValue::from_str(&value) {
            Ok(mut value) if is_token => {
                value.set_sensitive(true);
                Ok(Self::Bearer(value))
            }
            _ => Err(SecretError::NotAToken {
                file: file.to_owned(),
            }),
        }
    }

    /// The headers that go with a request of this body. `id` is new for each request.
    pub(super) fn headers(
        &self,
        id: [u8; 16],
        now: SystemTime,
        body: &[u8],
    ) -> Vec<(HeaderName, HeaderValue)> {
        let key = match self {
            Self::Bearer(value) => return vec![(AUTHORIZATION, value.clone())],
            Self::Signature(key) => key,
        };
        // A clock before 1970 is not worth a failure: the service will refuse the time.
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let (id, timestamp) = (
            format!("msg_{}", hex::encode(id)),
            now.as_secs().to_string(),
        );
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            hmac.update(part);
        }
        let tag = BASE64_STANDARD.encode(hmac.finalize().into_bytes());
        let value = |text: String| HeaderValue::try_from(text).expect("letters, digits and base64");
        vec![
            (HeaderName::from_static("webhook-id"), value(id)),
            (
                HeaderName::from_static("webhook-timestamp"),
                value(timestamp),
            ),
            (
                HeaderName::from_static("webhook-signature"),
                value(format!("v1,{tag}")),
            ),
        ]
    }
}

/// The text without the end of its line.
fn read(file: &Path) -> Result<Zeroizing<String>, SecretError> {
    let unreadable = |source| SecretError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() {
        // Reading a pipe would wait for its writer.
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(SecretError::TooLarge {
            file: file.to_owned(),
        });
    }
    let text = Zeroizing::new(fs::read_to_string(file).map_err(unreadable)?);
    Ok(Zeroizing::new(text.trim_end().to_owned()))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature(_) => "Signature(_)",
            Self::Bearer(_) => "Bearer(_)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    fn file(contents: &str) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, contents).unwrap();
        (directory, path)
    }

    /// The example of the specification's libraries.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let (_directory, path) = file("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
        let secret = Secret::signature(&path).unwrap();
        let Secret::Signature(key) = &secret else {
            panic!()
        };
        assert_eq!(key.len(), 24);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let headers = secret.headers([0xab; 16], now, br#"{"test": 2432232314}"#);
        let shown: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert_eq!(
            shown[..2],
            [
                "webhook-id: msg_abababababababababababababababab",
                "webhook-timestamp: 1614265330"
            ]
        );
        assert!(shown[2].starts_with("webhook-signature: v1,"), "{shown:?}");
    }

    #[test]
    fn a_token_is_sent_as_it_is() {
        let (_directory, path) = file("abc.def-123\n");
        let secret = Secret::bearer(&path).unwrap();
        let headers = secret.headers([0; 16], SystemTime::now(), b"body");
        assert_eq!(headers[0].1.to_str().unwrap(), "Bearer abc.def-123");
        assert!(!format!("{headers:?}{secret:?}").contains("abc"));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_a_word_of_it() {
        for contents in [
            "",
            "\n",
            "hunter2",
            "aHVudGVyMg==",
            "not base64 but long enough",
        ] {
            let (_directory, path) = file(contents);
            let error = Secret::signature(&path).unwrap_err();
            assert!(matches!(error, SecretError::NotAKey { .. }), "{contents:?}");
            assert!(!error.to_string().contains("hunter2"));
        }
        for contents in ["", " ", "two words", "two\nlines", "\u{e4}"] {
            let (_directory, path) = file(contents);
            let error = Secret::bearer(&path).unwrap_err();
            assert!(
                matches!(error, SecretError::NotAToken { .. }),
                "{contents:?}"
            );
        }
        let (directory, path) = file(&"x".repeat(5000));
        let error = Secret::bearer(&path).unwrap_err();
        assert!(matches!(error, SecretError::TooLarge { .. }));
        for path in [directory.path(), Path::new("/dev/zero"), Path::new("/none")] {
            let error = Secret::bearer(path).unwrap_err();
            assert!(matches!(error, SecretError::Unreadable { .. }));
        }
    }
}
