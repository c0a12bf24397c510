//! Key sets: public keys that others sign with, and that a realm trusts (RFC 7517).
//!
//! A realm's file names them. One that is in a file beside it belongs to the realm's generation: it
//! is read with it, and a change of the file makes a new one. One at an address outlives generations,
//! since what was fetched, and when, must not be forgotten because a tenant saves a file.
//!
//! Whoever logs in can make up the name of a key that is not there. So that this is no way to have
//! the router flood an issuer, there is a pause after every attempt, whatever came of it; and so that
//! an issuer who does not answer stops nobody who has a good token, the last good set goes on for a
//! while.

mod fetch;
mod remote;
mod set;
mod sets;

pub use fetch::{Fetch, Fetching};
pub use remote::Remotes;
pub use set::{KeySet, NotKeySet};
pub use sets::{Found, KeySetError, KeySetProblem, KeySets};
