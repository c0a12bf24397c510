//! What the author of a method needs beside the compiler of their language: projects to begin with,
//! bindings to the contract, and a component of what the compiler makes. It knows nothing of realms
//! and of logins: the contract is a set of WIT files to it.

mod bindings;
mod build;
mod component;
mod contract;
mod error;
mod language;
mod name;
mod project;
mod runtimes;
mod template;
mod tool;
mod typescript;

#[cfg(test)]
mod tests;

pub use error::KitError;
pub use language::Language;
pub use name::{Name, NameError};
pub use project::Project;
pub use runtimes::cache;

/// Where to tell the person at the terminal what is going on: some tools take half a minute.
pub type Tell<'a> = &'a dyn Fn(std::fmt::Arguments<'_>);
