use std::{borrow::Cow, sync::Arc};

use crate::wamp::Uri;

/// Why a session is ended by somebody else than its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    reason: Cow<'static, str>,
    message: Cow<'static, str>,
    by: Arc<str>,
}

impl Farewell {
    /// A reason for GOODBYE, which is a URI, and a few words for the client; for the log what or who
    /// ends the session.
    pub fn new(reason: &'static str, message: &'static str, by: impl Into<Arc<str>>) -> Self {
        Self {
            reason: Cow::Borrowed(reason),
            message: Cow::Borrowed(message),
            by: by.into(),
        }
    }

    /// With another reason than usual.
    #[must_use]
    pub fn with_reason(mut self, reason: &Uri) -> Self {
        self.reason = Cow::Owned(reason.as_str().to_owned());
        self
    }

    /// With other words for the client.
    #[must_use]
    pub fn with_message(mut self, message: String) -> Self {
        self.message = Cow::Owned(message);
        self
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// What or who ends the session, for the log.
    pub fn by(&self) -> &str {
        &self.by
    }
}
