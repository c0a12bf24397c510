//! `[admin]`: where a router that runs takes the operator's commands.

use std::{
    os::unix::net::SocketAddr,
    path::{Path, PathBuf},
};

use super::document::{Reported, Table};

/// The operator's way to a router that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// A path that a Unix socket can have.
    pub socket: PathBuf,
}

impl AdminConfig {
    /// Paths start from `base`.
    pub(super) fn take(mut table: Table<'_>, base: &Path) -> Result<Self, Reported> {
        let named = table.optional::<PathBuf>("socket")?;
        let at = named.as_ref().map_or(table.at, |named| named.at);
        let named = named.map_or_else(|| "countersign.sock".into(), |named| named.value);
        let socket = base.join(named);
        if SocketAddr::from_pathname(&socket).is_ok() {
            return Ok(Self { socket });
        }
        Err(table.problems.report(at, || {
            format!(
                "the path of the admin socket, {}, has {} octets, more than a Unix socket's can \
                 have; name a shorter one, such as [admin] socket = \"/run/countersign.sock\"",
                socket.display(),
                socket.as_os_str().len()
            )
        }))
    }
}
