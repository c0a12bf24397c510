use std::fmt;

use thiserror::Error;

use super::LiveSession;
use crate::{login::StepName, method::Digest, wamp::Id};

/// Which sessions of a realm are meant: those for which all holds that is said. Where nothing is,
/// all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub session: Option<Id>,
    pub authid: Option<String>,
    pub authrole: Option<String>,
    /// A step that its login has passed.
    pub step: Option<StepName>,
    /// A revision that had a part in letting it in.
    pub revision: Option<RevisionName>,
}

/// The digest of a revision, or so much of its beginning as the log shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a revision is named by its digest, or by the first 12 or more of its 64 hex digits")]
pub struct NoRevisionName;

impl Selection {
    /// Every session of the realm.
    pub fn everyone() -> Self {
        Self::default()
    }

    /// The sessions that a revision has let in.
    pub fn of_revision(digest: Digest) -> Self {
        Self {
            revision: Some(digest.into()),
            ..Self::default()
        }
    }

    pub(super) fn means(&self, session: &LiveSession) -> bool {
        let Self {
            session: id,
            authid,
            authrole,
            step,
            revision,
        } = self;
        let mut passed = session.passed.iter();
        id.is_none_or(|id| id == session.id)
            && authid.as_deref().is_none_or(|it| *it == *session.authid)
            && authrole
                .as_deref()
                .is_none_or(|it| *it == *session.authrole)
            && step
                .as_ref()
                .is_none_or(|step| session.steps().any(|passed| passed == step))
            && revision
                .as_ref()
                .is_none_or(|name| passed.any(|passed| name.is_of(&passed.revision)))
    }
}

impl RevisionName {
    /// # Errors
    /// If it is too short, or no digest's beginning.
    pub fn parse(text: &str) -> Result<Self, NoRevisionName> {
        let is_hex = text
            .bytes()
            .all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hex || !(12..=64).contains(&text.len()) {
            return Err(NoRevisionName);
        }
        Ok(Self(text.to_owned()))
    }

    fn is_of(&self, digest: &Digest) -> bool {
        digest.to_string().starts_with(&self.0)
    }
}

impl From<Digest> for RevisionName {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string())
    }
}

impl fmt::Display for RevisionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
