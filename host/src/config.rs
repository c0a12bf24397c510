//! What the operator and the tenants write: `countersign.toml`, and one `realms/NAME.toml` for
//! each realm; and what the authors of methods write: tables of attempts.
//!
//! Text becomes typed values here and nowhere else. A file is taken whole or refused whole: an
//! unknown key, a wrong type or a value out of range refuses it, and every problem found in it is
//! reported with its line, its column and what to do. Nothing here opens a socket, looks for a
//! component or knows another room.

mod admin;
mod audit;
mod document;
mod egress;
mod error;
mod guesses;
mod key_set;
mod limits;
mod listener;
mod loading;
mod login;
mod method;
mod metrics;
mod name;
mod operator;
mod origin;
mod permission;
mod procedures;
mod quantity;
mod realm;
mod revision;
mod role;
mod scalar;
mod settings;
mod test_table;

pub use admin::AdminConfig;
pub use audit::{AuditConfig, AuditSync, Unrecorded};
pub use egress::EgressConfig;
pub(crate) use error::read as read_file;
pub use error::{ConfigError, Problem};
pub use guesses::{FirstStep, GuessLimits};
pub use key_set::{KeySetPlace, KeySetUrl, RemoteKeySet};
pub use limits::{CallLimits, Ceilings, RealmLimits};
pub use listener::{
    ClientCertificate, ListenAddress, Listener, Protocol, Proxy, ProxyHeader, SocketMode, Tls,
    WebOrigin,
};
pub use loading::{LoadingConfig, Signer};
pub use login::{Change, Login, Step, When};
pub use method::{Authorization, Capability, Cleartext, Conform, Instances, MethodConfig};
pub use metrics::MetricsConfig;
pub use name::{
    ComponentName, KeyFileName, KeySetName, ProcedureName, RealmName, RoleName, SecretName,
    StepName, UrlPath,
};
pub use operator::{LoginLimits, Operator, PasswordLimits, SessionLimits};
pub use origin::Origin;
pub use permission::Permission;
pub use procedures::{Authenticates, Procedures};
pub use quantity::{Octets, duration};
pub use realm::{CookieTerms, Realm};
pub use revision::{ComponentDigest, RollbackTerms};
pub use role::Assurance;
pub(crate) use scalar::nearest;
pub use settings::Settings;
pub use test_table::{
    CredentialState, ExpectedIdentity, ExpectedVerdict, Line, Piece, Template, TestAnswer,
    TestAttempt, TestCredential, TestHash, TestKdf, TestPasskey, TestProcedure, TestProof,
    TestRound, TestSecret, TestTable, TestTransport,
};

#[cfg(test)]
mod tests;
