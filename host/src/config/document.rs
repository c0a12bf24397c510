//! A TOML document as tables whose keys are taken out one by one.
//!
//! Reading goes on after a problem, so that one look at a file finds all of them. A key that nobody
//! takes is a problem by itself: there is no way to forget to refuse unknown keys. (serde would stop
//! at the first problem, and knows no position for most.)

mod problems;
mod table;

use std::path::Path;

use toml::de::DeTable;

pub(super) use problems::{Problems, Reported};
pub(super) use table::{Item, Table};

use super::error::ConfigError;
use problems::report_syntax;
use table::Place;

/// Parses `text` and hands its top table to `build`. What `build` returns counts only if no problem
/// was reported.
pub(super) fn parse<T>(
    text: &str,
    file: &Path,
    build: impl FnOnce(Table<'_>) -> Result<T, Reported>,
) -> Result<T, ConfigError> {
    let problems = Problems::default();
    let (top, syntax_errors) = DeTable::parse_recoverable(text);
    // What the parser made of broken text would only lead to problems that are none.
    let result = if syntax_errors.is_empty() {
        build(Table::new(&problems, Place::Top, 0, top.into_inner()))
    } else {
        Err(report_syntax(&problems, text, &syntax_errors))
    };
    match result {
        Ok(value) if problems.is_empty() => Ok(value),
        _ => Err(problems.into_error(text, file)),
    }
}

/// Everything that is good, or that a problem was reported. Unlike `collect` it goes through all
/// items, so that each has its problems reported.
pub(super) fn all<T, C: FromIterator<T>>(
    items: impl IntoIterator<Item = Result<T, Reported>>,
) -> Result<C, Reported> {
    let mut reported = None;
    let good = items
        .into_iter()
        .filter_map(|item| item.map_err(|problem| reported = Some(problem)).ok())
        .collect();
    reported.map_or(Ok(good), Err)
}

/// A value and where it stands, as an offset in octets.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

/// The items of a list, without their places.
pub(super) fn values<T>(list: Vec<Placed<T>>) -> impl Iterator<Item = T> {
    list.into_iter().map(|item| item.value)
}
