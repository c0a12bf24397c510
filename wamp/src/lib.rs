//! The Web Application Messaging Protocol: its messages, their three serializations, ids and URIs.
//!
//! This crate knows nothing of ours: no realms, no methods, no sessions. It turns frames into
//! [`Message`]s and back, and never fails in any other way than [`Malformed`].

mod action;
mod codec;
mod id;
mod message;
mod payload;
mod uri;
mod value;

pub use action::{Action, Actions};
pub use codec::{Malformed, Serializer};
pub use id::{Id, RequestIds};
pub use message::{Code, Message};
pub use payload::Payload;
pub use uri::{InvalidUri, MatchPolicy, Pattern, Uri, is_reserved};
pub use value::{Dict, Value};

/// The error and close reasons that the specification names (`basic/uri_reference.md`,
/// `advanced/uris.md`).
pub mod reason {
    pub const AUTHENTICATION_DENIED: &str = "wamp.error.authentication_denied";
    pub const NO_MATCHING_AUTH_METHOD: &str = "wamp.error.no_matching_auth_method";
    pub const NO_SUCH_REALM: &str = "wamp.error.no_such_realm";
    pub const PROTOCOL_VIOLATION: &str = "wamp.error.protocol_violation";
    pub const UNAVAILABLE: &str = "wamp.error.unavailable";

    pub const INVALID_URI: &str = "wamp.error.invalid_uri";
    pub const INVALID_ARGUMENT: &str = "wamp.error.invalid_argument";
    pub const NO_SUCH_PROCEDURE: &str = "wamp.error.no_such_procedure";
    pub const NO_SUCH_REGISTRATION: &str = "wamp.error.no_such_registration";
    pub const NO_SUCH_SESSION: &str = "wamp.error.no_such_session";
    pub const NO_SUCH_SUBSCRIPTION: &str = "wamp.error.no_such_subscription";
    pub const PROCEDURE_ALREADY_EXISTS: &str = "wamp.error.procedure_already_exists";
    pub const NOT_AUTHORIZED: &str = "wamp.error.not_authorized";
    pub const CANCELED: &str = "wamp.error.canceled";
    pub const TIMEOUT: &str = "wamp.error.timeout";

    /// Ours: the specification has no reason for a session whose time is up.
    pub const CLOSE_EXPIRED: &str = "wamp.close.expired";
    /// Ours: what the session rested on has ended, such as a credential.
    pub const CLOSE_REVOKED: &str = "wamp.close.revoked";
    pub const CLOSE_KILLED: &str = "wamp.close.killed";
    pub const CLOSE_LOGOUT: &str = "wamp.close.logout";
    pub const CLOSE_NORMAL: &str = "wamp.close.normal";
    pub const CLOSE_REALM: &str = "wamp.close.close_realm";
    pub const GOODBYE_AND_OUT: &str = "wamp.close.goodbye_and_out";
    pub const SYSTEM_SHUTDOWN: &str = "wamp.close.system_shutdown";
}
