//! One connection's attempt to join one realm, from HELLO to WELCOME or ABORT.
//!
//! [`Login`] is a state machine without I/O and without a clock: time is an argument, and asking a
//! method is an [`Effect`] that it returns. Whoever drives it does what the effect says and tells
//! it what came of that.

mod authid;
mod hello;
mod machine;
mod policy;
mod progress;
mod refusal;
mod verdict;

pub use authid::{Authid, InvalidAuthid};
pub use machine::{Accepted, Attempt, Call, Effect, Entry, Limits, Login, Nonce, Outcome};
pub use policy::{Alternative, Policy, Role, Step, StepName, When};
pub use refusal::{Denial, Refusal};
pub use verdict::{Answer, Challenge, Fault, Identity, Proof, Verdict};
