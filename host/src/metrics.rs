//! What the router counts, for those who watch it: an HTTP endpoint in the text format of Prometheus.
//!
//! Nothing is counted here. Each room keeps its own counts, and they are read when somebody asks:
//! so a realm that is gone leaves the page, and a login pays for what it adds and for nothing else.
//! Labels are words of ours and names that operators gave to realms and steps. Nothing that a client
//! or a method says becomes one.

mod page;
mod server;
mod survey;

pub use server::{MetricsError, MetricsServer};
pub use survey::Survey;
