//! A WAMP router whose authentication methods are WebAssembly components.
//!
//! Data flows one way, and so do the rooms of this house: octets come in by [`transport`], become
//! messages ([`wamp`]), and belong to a [`session`], which takes them through a [`login`]. That
//! asks the [`method`]s of its [`realm`], and ends in the realm's [`router`].

pub mod admin;
mod breaker;
pub mod command;
pub mod config;
pub mod credential;
pub mod egress;
pub mod key_set;
pub mod kit;
pub mod login;
pub mod method;
pub mod metrics;
pub mod observe;
pub mod realm;
pub mod router;
pub mod session;
mod stamp;
pub mod transport;
pub mod trial;

/// A crate of its own: nothing in it is ours, and what parses strangers' octets can be fuzzed without
/// the engine.
pub use countersign_wamp as wamp;
