//! What the operator and the tenants write: `countersign.toml`, and one `realms/NAME.toml` for
//! each realm.
//!
//! Text becomes typed values here and nowhere else. A file is taken whole or refused whole: an
//! unknown key, a wrong type or a value out of range refuses it, and every problem found in it is
//! reported with its line, its column and what to do. Nothing here opens a socket, looks for a
//! component or knows another room.

mod document;
mod error;
mod listener;
mod method;
mod name;
mod operator;
mod permission;
mod quantity;
mod realm;
mod scalar;
mod settings;

pub use error::{ConfigError, Problem};
pub use method::{CallLimits, Capability, MethodConfig};
pub use name::{ComponentName, RealmName, RoleName, StepName, UrlPath};
pub use listener::{
    ClientCertificate, ListenAddress, Listener, Protocol, Proxy, ProxyHeader, SocketMode, Tls, WebOrigin,
};
pub use operator::{LoginLimits, Operator, PasswordLimits, SessionLimits};
pub use permission::Permission;
pub use quantity::Octets;
pub use realm::{CookieTerms, Login, Realm};
pub use settings::Settings;

#[cfg(test)]
mod tests;
