//! Requests of the router's own: to a service that a realm asks who somebody is, or to one that
//! publishes keys.
//!
//! What a tenant writes decides where they go, and what the tenant's service answers decides who
//! gets in. So a request goes to an origin that the operator allows and nowhere else: the host is
//! resolved once, each address is looked at, and the one that passed is connected to; redirects are
//! not followed. It ends in time, in a response of a bounded size, or in an error that says what
//! was in the way. A service that does not answer is left alone for a while, so that its realm's
//! logins fail at once instead of piling up.
//!
//! [`Egress`] is for the host's own requests, a [`Door`] for those of one method: it lets through
//! what the realm has granted, and adds the secret that the method does not see.

mod address;
mod breaker;
mod client;
mod door;
mod error;
mod exchange;
mod secret;
mod tls;

pub use address::AddressKind;
pub use client::Egress;
pub use door::{Door, DoorError};
pub use error::{EgressError, SetupError, Stage};
pub use exchange::{Request, Response};
pub use secret::{Secret, SecretError};
