//! The operator's way to a router that runs: a Unix socket that takes one request in one line of
//! JSON, and answers with one line.
//!
//! The socket is open to the user that the router runs as, and to root: the kernel says who is at
//! the other end. A [`Desk`] does what is asked for; `countersign method …` are the other end.

mod client;
mod counter;
mod desk;
mod message;
mod sessions;

pub use client::{AskError, ask};
pub use counter::{AdminError, Counter};
pub use desk::Desk;
pub use message::{Request, Response, RevisionReport, StageReport, StagingReport};
pub use sessions::{Eviction, SessionQuery, SessionReport};

#[cfg(test)]
mod tests;
