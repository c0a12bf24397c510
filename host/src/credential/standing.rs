use std::fmt;
use std::time::SystemTime;

use super::{CredentialVersion, Keyring, Present, StoreError, Validity};

/// What a credential that somebody has logged in with stands for by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is as it was, and may be used, until this time.
    Good(Option<SystemTime>),
    Ended(Ended),
}

/// Why a credential is no reason any more to let anybody stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Removed,
    /// It was replaced, or has another key or another end, or was disabled and enabled again.
    Changed,
    Disabled,
    Expired,
}

impl Standing {
    fn of(credential: &CredentialVersion, present: Option<Present>, now: SystemTime) -> Self {
        let Some(Present { version, validity }) = present else {
            return Self::Ended(Ended::Removed);
        };
        match validity {
            Validity { disabled: true, .. } => Self::Ended(Ended::Disabled),
            Validity {
                expires: Some(end), ..
            } if end <= now => Self::Ended(Ended::Expired),
            Validity { .. } if version != credential.version => Self::Ended(Ended::Changed),
            Validity { expires, .. } => Self::Good(expires),
        }
    }
}

/// Completes "the credential was".
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Disabled => "disabled",
            Self::Expired => "to be used until now only",
        })
    }
}

impl Keyring {
    /// What has become of credentials by `now`, each at the place of its question.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn standing(
        &self,
        credentials: &[CredentialVersion],
        now: SystemTime,
    ) -> Result<Vec<Standing>, StoreError> {
        if credentials.is_empty() {
            return Ok(Vec::new());
        }
        let present = self.present(credentials)?;
        let pairs = credentials.iter().zip(present);
        Ok(pairs
            .map(|(credential, present)| Standing::of(credential, present, now))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_same_version_that_may_be_used_is_good() {
        let now = SystemTime::now();
        let credential = CredentialVersion {
            kind: "ticket".into(),
            authid: "alice".into(),
            version: 7,
        };
        let later = now + Duration::from_secs(1);
        let present = |version, disabled, expires| Present {
            version,
            validity: Validity { disabled, expires },
        };
        for (present, standing) in [
            (None, Standing::Ended(Ended::Removed)),
            (Some(present(7, false, None)), Standing::Good(None)),
            (
                Some(present(7, false, Some(later))),
                Standing::Good(Some(later)),
            ),
            (
                Some(present(7, false, Some(now))),
                Standing::Ended(Ended::Expired),
            ),
            (
                Some(present(8, false, None)),
                Standing::Ended(Ended::Changed),
            ),
            (
                Some(present(8, true, None)),
                Standing::Ended(Ended::Disabled),
            ),
        ] {
            assert_eq!(Standing::of(&credential, present, now), standing);
        }
    }
}
