//! Methods on trial: a component is asked as a login would ask it, without a router. Its time, its
//! nonces and its randomness are fixed, its credentials are those of a table, and what it says is
//! held against what the table expects.
//!
//! ```text
//! TestTable ──▶ Scene (store, method, world) ──Script──▶ Played ──▶ Outcome
//! ```
//!
//! [`Tried::table`] runs a table; [`conform`] runs what any method must stand.

mod callees;
mod conform;
mod difference;
mod play;
mod scene;
mod script;
mod store;
mod tried;

pub use conform::{Check, Conformance, Finding, Severity, conform};
pub use play::{Asked, Said, Turn};
pub use scene::TrialError;
pub use tried::{Outcome, Tried, probe};
