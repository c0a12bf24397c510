//! What the operator sees: the log, and in it one record for each login; the audit file, which has the
//! records only, and without which nobody is let in; and what is counted of logins.

mod audit;
mod latency;
mod logins;
mod printable;
mod record;

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

pub use audit::{Audit, AuditCounts, AuditError, NotRecorded};
pub use latency::{Latency, Spread};
pub use logins::{LoginCount, LoginTally};
pub use printable::Printable;
pub use record::{LoginRecord, StepRecord};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Sends the log to standard error. `RUST_LOG` chooses what is in it; by default, what an operator
/// wants to know.
pub fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,notify=warn"));
    // They log the octets that come and go, and in them are passwords and tokens.
    let filter = ["ureq_proto=off", "tungstenite=info"]
        .into_iter()
        .fold(filter, |filter, directive| {
            filter.add_directive(directive.parse().expect("a directive"))
        });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            let layer = fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(io::stderr().is_terminal())
                .with_target(false);
            registry.with(layer).init();
        }
        LogFormat::Json => {
            let layer = fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(io::stderr);
            registry.with(layer).init();
        }
    }
}
