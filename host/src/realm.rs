//! Realms: what each consists of at the moment, and how that changes while logins go on.
//!
//! A realm's file and the components that it names make a [`Generation`], which never changes. A
//! change in the files makes a new one, whole and checked, and then one pointer is swapped; if
//! anything is wrong with it, the old one goes on serving. A login finishes on the generation that
//! it began with.

mod build;
mod callees;
mod components;
mod consent;
mod cookies;
mod directory;
mod generation;
mod ledger;
mod reload;
mod reloads;
mod revisions;
mod revocation;
mod roll;
mod selection;
mod stage;
mod trials;
mod watch;

pub use build::{MethodError, RealmError, Workshop};
pub use components::{ComponentError, signature_path};
pub use consent::ConsentError;
pub use cookies::{Came, Cookies, Ties, UNSERVED};
pub use directory::Realms;
pub use generation::{Generation, Realm};
pub use ledger::{Ledger, LedgerError};
pub use reload::{Inspection, Reloader};
pub use reloads::{ReloadOutcome, Reloads};
pub use revisions::{
    Aside, Comparison, Part, RevisionError, RevisionState, RevisionStatus, RolledBack, Share,
    Withdrawal, Withdrawn,
};
pub use revocation::follow as follow_credentials;
pub use roll::{LiveSession, NotAdmitted, Passed, Seat};
pub use selection::{NoRevisionName, RevisionName, Selection};
pub use stage::{StageError, Staging};
pub use trials::TrialFailure;
pub use watch::Hints;
