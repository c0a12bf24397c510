//! How many clients the system lets the router have: each takes a descriptor.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What is left for the router itself: its files, and what its compilers and its requests take.
const OWN: u64 = 256;

/// Takes as many as the system gives. A shell starts programs with 1024, for the sake of some that cannot
/// do with more, and lets them ask for what they need.
pub(super) fn take_all(waiting: u32) {
    match raise() {
        Ok(most) => {
            let needed = u64::from(waiting) + OWN;
            if most < needed {
                tracing::warn!(
                    descriptors = most,
                    "each client takes a descriptor, and the system gives fewer than the {needed} that \
                     [login] waiting needs: raise its limit (LimitNOFILE= of systemd, ulimit -Hn), or \
                     lower that"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "the limit of descriptors cannot be raised"),
    }
}

/// To the most that the system allows: returns that.
fn raise() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}
