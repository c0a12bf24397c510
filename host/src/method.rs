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
mod compiler;
mod contract;
mod evidence;
mod functions;
mod guarded;
mod guest;
mod handles;
mod inspect;
mod limits;
mod linked;
mod meter;
mod outcomes;
mod pace;
mod priority;
mod reach;
mod revision;
mod runtime;
mod shadow;
mod shape;
mod shelf;
mod signature;
mod spent;
mod stage;
mod tenure;
mod warm;

pub use bulkhead::{Bulkhead, BulkheadLoad, Bulkheads, Full, LoginPlace};
pub use call::{Method, MethodParts};
pub use capability::{Callees, Calling, Capability, Grant, Procedures, Unsuccessful};
pub use circuit::CircuitState;
pub use compiler::{COMMAND, Compilation, Compiler, CompilerBounds, Helper, compile};
pub use evidence::{Evidence, Seen};
pub use guest::Fault;
pub use inspect::{Inspection, Need};
pub use limits::{Limit, Limits};
pub use meter::{Cost, Meter, World};
pub use outcomes::{Outcomes, OutcomesOfSteps};
pub use reach::Reach;
pub use revision::{Digest, LoadError, Manifest, Revision, Source};
pub use runtime::{Runtime, RuntimeError, RuntimeLoad};
pub use shadow::{Decided, Shadow};
pub use shape::CONTRACT;
pub use shelf::{Shelf, ShelfError};
pub use signature::{Detached, SignatureError, Signers};
pub use spent::{HostCall, HostCalls, Spent};
pub use stage::{Passed, Stage, Trail};
pub use tenure::{Alarm, Comparison, Probation, Tally, Tenure};
