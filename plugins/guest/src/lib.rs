//! A library for those who write an authentication method for the Countersign router in Rust.
//!
//! A *method* decides whether a client may log in. It is a WebAssembly component, which the router
//! loads from a file, gives what its realm grants, and trusts with nothing else. A whole one:
//!
//! ```
//! use countersign_guest::credentials::find;
//! use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict};
//!
//! /// Asks for a password. The fields are what a realm's file may say under `settings`.
//! #[derive(serde::Deserialize)]
//! #[serde(default)]
//! struct Password {
//!     prompt: String,
//! }
//!
//! impl Default for Password {
//!     fn default() -> Self {
//!         Self { prompt: "Your password?".into() }
//!     }
//! }
//!
//! impl Method for Password {
//!     const MANIFEST: Manifest = Manifest {
//!         name: "password",
//!         version: env!("CARGO_PKG_VERSION"),
//!         summary: "asks for a password",
//!         credential_kinds: &["ticket"],
//!     };
//!
//!     fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
//!         let question = serde_json::json!({ "prompt": self.prompt });
//!         Ok(Challenge::new(&question)?.into())
//!     }
//!
//!     fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
//!         let Some(authid) = &attempt.authid else {
//!             return Ok(Verdict::deny("the client gave no authid"));
//!         };
//!         let credential = find("ticket", authid);
//!         if !credential.verify_password(&answer.signature) {
//!             return Ok(Verdict::deny("this is not the password"));
//!         }
//!         Ok(Verdict::accept(credential.authid(), credential.authrole()))
//!     }
//! }
//!
//! countersign_guest::export!(Password);
//! ```
//!
//! Its Cargo.toml has `crate-type = ["cdylib"]` under `[lib]`, and depends on this crate, on
//! `serde` (with `derive`) and on `serde_json`. `cargo build --release --target wasm32-wasip2`
//! makes the component.
//!
//! What to know before writing one:
//!
//! - **Nothing stays in memory.** Every call runs in a fresh instance. What [`Method::resume`]
//!   will need goes into [`Challenge::with_state`], and comes back as [`Answer::state`].
//! - **Everyone has a credential.** For an authid that does not exist [`credentials::find`] gives
//!   a decoy that no answer fits. Treat everyone alike, and nobody learns who exists.
//! - **Randomness and time come with the attempt**: [`Attempt::nonce`] and [`Attempt::now`]. What
//!   uses `HashMap`, `SystemTime` or a random generator imports more of WASI, which makes the
//!   component larger and its calls slower, and is refused where a realm does not grant it;
//!   `BTreeMap` imports nothing.
//! - **A panic is a denial** of that login and of nothing else.

#![deny(missing_docs)]

#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction)]
#[doc(hidden)]
pub mod bindings;
#[cfg(feature = "cryptosign")]
pub mod cryptosign;
mod login;
#[doc(hidden)]
pub mod method;
mod settings;
pub mod wampcra;

pub use bindings::countersign::auth::types::{
    Answer, Attempt, Challenge, Identity, Proof, Verdict,
};
pub use bindings::countersign::auth::{
    cookies, counters, credentials, enrolments, http, key_sets, procedures, recovery_codes,
    scram_keys, transport,
};
pub use bindings::wasi::logging::logging;
pub use method::{Manifest, Method};
