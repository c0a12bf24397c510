//! What the tests of the whole router are told with: a [`Deployment`] is a directory with all that
//! a router needs, a [`Router`] is the real program that runs on it, its [`Log`] says what it does,
//! and there are clients of all kinds: a [`Client`] that can misbehave, and [`Program`]s that use
//! other people's libraries. A [`Service`] is one that the router asks.
//!
//! Nothing here waits for a time to pass. It waits for an answer or for a line in the log; only
//! when that does not come for a minute is the test given up.

// This is a test's code: where something is not as it must be, the test has failed.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod authenticator;
mod authority;
mod browser;
mod callee;
mod client;
mod component;
mod deployment;
mod hostile;
mod kit;
mod log;
mod metrics;
mod passkey;
mod program;
mod refusals;
mod revision;
mod router;
mod service;
mod visitor;
mod website;

use std::{future::Future, time::Duration};

pub use authenticator::{code, wrong_code};
pub use authority::{Authority, Certified};
pub use browser::Browser;
pub use callee::Callee;
pub use client::{Client, Refusal, Transport, answer, hello, sign};
pub use component::{Component, components, revision};
pub use deployment::Deployment;
pub use hostile::Deed;
pub use kit::{AtWork, Desk, OwnLogin, log_in};
pub use log::{Event, Log};
pub use metrics::Metrics;
pub use passkey::Passkey;
pub use program::{Job, Program, Running};
pub use refusals::authenticate;
pub use revision::Revision;
pub use router::Router;
pub use service::{Asked, Reply, Service};
pub use visitor::{Page, Visitor, asking_for_a_cookie};
pub use website::Website;

/// When a test is given up. No test needs this long: it is for machines that are very busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The same where compilers run, or a router compiles what has a whole interpreter in it.
pub(crate) const LONG_PATIENCE: Duration = Duration::from_mins(15);

/// Waits for what must come.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    within(PATIENCE, what, future).await
}

pub(crate) async fn within<F: Future>(patience: Duration, what: &str, future: F) -> F::Output {
    tokio::time::timeout(patience, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come within {patience:?}"))
}

/// What is set up once and used by all tests of a program. If it failed it fails for each of them,
/// with the same reason.
struct Setup<T>(Result<T, String>);

impl<T> Setup<T> {
    fn of<E: std::fmt::Debug>(result: Result<T, E>) -> Self {
        Self(result.map_err(|error| format!("{error:?}")))
    }

    fn get(&self) -> &T {
        self.0
            .as_ref()
            .unwrap_or_else(|error| panic!("the tests cannot run: {error}"))
    }
}
