//! Running authentication methods: WebAssembly components, each call in an instance that it has for
//! itself.
//!
//! Three lifetimes, each built from the one before: the [`Runtime`] (one engine, for the process),
//! a [`Revision`] (one component, linked against one grant), and a call, which has an instance of
//! its own and leaves nothing behind. Whatever goes wrong inside a call is a [`Fault`] that names
//! what it was; it never reaches beyond that call.

mod bindings;
mod bulkhead;
mod call;
mod capability;
mod circuit;
mod contract;
mod evidence;
mod guarded;
mod guest;
mod handles;
mod limits;
mod reach;
mod revision;
mod runtime;
mod spent;
mod warm;

pub use bulkhead::{Bulkhead, Bulkheads, Full, LoginPlace};
pub use call::{Method, MethodParts};
pub use capability::{Callees, Calling, Capability, Grant, Procedures, Unsuccessful};
pub use evidence::{Evidence, Seen};
pub use guest::Fault;
pub use limits::{Limit, Limits};
pub use reach::Reach;
pub use revision::{Digest, LoadError, Manifest, Revision, Source};
pub use runtime::{Runtime, RuntimeError};
pub use spent::{HostCall, HostCalls, Spent};
