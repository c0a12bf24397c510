//! What this workspace needs beyond `cargo build`: components for WebAssembly, packages for the
//! clients that the tests drive, and the demo. The command line is one user of it, the tests are the
//! other.
//!
//! Everything is done at most once: what is there already is found and left alone, so a second run
//! takes no time. What is going on is said on standard error.

mod cargo;
mod clients;
mod contract;
mod demo;
mod files;
mod process;
mod release;

pub use cargo::{component, methods, router};
pub use clients::{Node, Python, c_compiler, chromium, node_clients, python_clients};
pub use contract::{contract, write_contract};
pub use demo::{Identity, alice, alices_key, demo, enrol};
pub use files::{cache, put, root};
pub use process::{run, say};
pub use release::release;

/// Builds and installs all that the tests need.
///
/// # Errors
///
/// A tool that is missing, or that failed.
pub fn set_up() -> anyhow::Result<()> {
    methods()?;
    router()?;
    python_clients()?;
    node_clients()?;
    chromium()?;
    c_compiler()?;
    Ok(())
}
