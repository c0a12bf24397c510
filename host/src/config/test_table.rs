//! `NAME.table.toml`: logins that are tried on a method, and what must come of them. The format is
//! told in `docs/test-tables.md`.

mod attempt;
mod credential;
mod procedure;
mod text;
mod transport;

use std::{path::Path, time::Duration};

pub use attempt::{ExpectedIdentity, ExpectedVerdict, TestAttempt, TestProof, TestRound};
pub use credential::{CredentialState, TestCredential, TestHash, TestKdf, TestPasskey, TestSecret};
pub use procedure::{TestAnswer, TestProcedure};
pub use text::{Piece, Template};
pub use transport::{Line, TestTransport};

use self::text::Count;
use super::{
    document::{self, all},
    error::{self, ConfigError},
    limits::{CallLimits, Ceilings},
    name::{RealmName, StepName},
    origin::Origin,
    settings::Settings,
};

/// What a method is tried on.
#[derive(Clone, Debug)]
pub struct TestTable {
    /// The name that the method has in the realm's policy. None: the one that it gives itself.
    pub step: Option<StepName>,
    pub realm: RealmName,
    /// What the method is told; it must find them good.
    pub settings: Settings,
    pub limits: CallLimits,
    /// What an attempt says of the time, since the Unix epoch.
    pub clock: Duration,
    /// The id that a session would have.
    pub session: u64,
    /// Where requests may go. There is no service: they come back unanswered.
    pub origins: Vec<Origin>,
    pub procedures: Vec<TestProcedure>,
    pub credentials: Vec<TestCredential>,
    /// They come one after the other, and find the credentials as those before left them.
    pub attempts: Vec<TestAttempt>,
}

impl TestTable {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong; then all that is wrong is told.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(
            &error::read(path, "write one (docs/test-tables.md), or name another")?,
            path,
        )
    }

    /// The table in `text`. `file` is not opened: the errors name it.
    ///
    /// # Errors
    ///
    /// Something in the text is wrong: [`ConfigError::Wrong`], with all that is.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        document::parse(text, file, |mut top| {
            let step = top.optional::<StepName>("step");
            let realm = top.optional::<RealmName>("realm");
            let settings = top.opaque("settings");
            let settings = Settings::read(settings, top.problems);
            let limits = CallLimits::take(top.table("limits"), &Ceilings::default());
            let clock = top.optional::<Count>("clock");
            let session = top.optional::<Count>("session");
            let origins = top.list::<Origin>("origins");
            let procedures = top.tables("procedure")?.into_iter();
            let procedures = all(procedures.map(TestProcedure::take));
            let credentials = top.tables("credential")?.into_iter();
            let credentials = all(credentials.map(TestCredential::take));
            let attempts = top.tables("attempt")?;
            let is_empty = attempts.is_empty();
            let attempts = all(attempts.into_iter().map(TestAttempt::take));
            if is_empty {
                let form = "one [[attempt]] at least, or nothing would be tried";
                return Err(top.missing("attempt", form.to_owned()));
            }
            Ok(Self {
                step: step?.map(|found| found.value),
                realm: realm?.map_or_else(Self::realm1, |found| found.value),
                settings: settings?,
                limits,
                clock: clock?.map_or(Self::CLOCK, |found| Duration::from_millis(found.value.0)),
                session: session?.map_or(1, |found| found.value.0),
                origins: document::values(origins?.unwrap_or_default()).collect(),
                procedures: procedures?,
                credentials: credentials?,
                attempts: attempts?,
            })
        })
    }

    /// A table without anything, for a method that comes without one.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            step: None,
            realm: Self::realm1(),
            settings: Settings::default(),
            limits: CallLimits::default(),
            clock: Self::CLOCK,
            session: 1,
            origins: Vec::new(),
            procedures: Vec::new(),
            credentials: Vec::new(),
            attempts: Vec::new(),
        }
    }

    /// 2026-01-01T00:00:00Z.
    const CLOCK: Duration = Duration::from_hours(490_896);

    fn realm1() -> RealmName {
        RealmName::new("realm1").expect("it is an allowed name")
    }
}

#[cfg(test)]
mod tests;
