//! `[[procedure]]`: what a callee answers that the method may ask.

use super::{
    super::{
        document::{Reported, Table},
        name::ProcedureName,
        settings::Settings,
    },
    text::Text,
};

/// One answer of a procedure.
#[derive(Clone, Debug)]
pub struct TestProcedure {
    pub uri: ProcedureName,
    /// Whom it is for. None: for everyone, if none before is.
    pub authid: Option<String>,
    /// For whom shows this ticket. None: whatever is shown.
    pub ticket: Option<String>,
    pub answer: TestAnswer,
}

#[derive(Clone, Debug)]
pub enum TestAnswer {
    Returns(Settings),
    Refuses { error: String, message: String },
}

impl TestProcedure {
    pub(super) fn take(mut table: Table<'_>) -> Result<Self, Reported> {
        let uri = table.required::<ProcedureName>("uri");
        let authid = table.optional::<Text>("authid");
        let ticket = table.optional::<Text>("ticket");
        let error = table.optional::<Text>("error");
        let message = table.optional::<Text>("message");
        let returns = table.opaque("returns");
        let returns = Settings::read(returns, table.problems);
        let answer = match error?.map(|error| error.value.0) {
            None => TestAnswer::Returns(returns?),
            Some(error) => TestAnswer::Refuses {
                error,
                message: message?.map(|found| found.value.0).unwrap_or_default(),
            },
        };
        Ok(Self {
            uri: uri?.value,
            authid: authid?.map(|found| found.value.0),
            ticket: ticket?.map(|found| found.value.0),
            answer,
        })
    }
}
