use std::{cell::RefCell, path::Path};

use crate::config::error::{ConfigError, Problem};

/// How many problems of one file are told. A file with more has one cause.
const MOST_PROBLEMS: usize = 20;

/// The problems found so far.
#[derive(Default)]
pub struct Problems(RefCell<Found>);

#[derive(Default)]
struct Found {
    /// Offsets into the text, in octets, with messages.
    told: Vec<(usize, String)>,
    more: usize,
}

/// The proof that a problem was reported: whoever holds it need not report again.
#[derive(Clone, Copy, Debug)]
pub struct Reported(pub(super) ());

impl Problems {
    /// Reports a problem at an offset into the text, in octets. The message says what is wrong and,
    /// after a semicolon, what to do.
    ///
    /// It is not even written beyond the most that are told: looking for the nearest name takes
    /// long enough for a file made of mistakes to hold up a reload.
    pub fn report(&self, at: usize, message: impl FnOnce() -> String) -> Reported {
        let has_room = self.0.borrow().told.len() < MOST_PROBLEMS;
        // Not under the borrow: `message` is not ours.
        let message = has_room.then(message);
        let mut found = self.0.borrow_mut();
        match message {
            Some(message) => found.told.push((at, message)),
            None => found.more += 1,
        }
        Reported(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().told.is_empty()
    }

    pub(super) fn into_error(self, text: &str, file: &Path) -> ConfigError {
        let Found { mut told, more } = self.0.into_inner();
        told.sort_by_key(|(at, _)| *at);
        let problems = told
            .into_iter()
            .map(|(at, message)| Problem::at(file, text, at, message))
            .collect();
        ConfigError::Wrong { problems, more }
    }
}

/// One problem for each line: after the first, the parser is guessing.
pub(super) fn report_syntax(
    problems: &Problems,
    text: &str,
    errors: &[toml::de::Error],
) -> Reported {
    let mut errors: Vec<(usize, &str)> = errors
        .iter()
        .map(|error| (error.span().map_or(0, |span| span.start), error.message()))
        .collect();
    errors.sort_by_key(|(at, _)| *at);
    errors.dedup_by(|(later, _), (earlier, _)| {
        text.as_bytes()
            .get(*earlier..*later)
            .is_some_and(|between| !between.contains(&b'\n'))
    });
    for (at, message) in errors {
        let message = message.trim_end_matches(", expected nothing");
        problems.report(at, || format!("this is not TOML: {message}"));
    }
    Reported(())
}
