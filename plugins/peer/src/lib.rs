//! Login by the Unix socket that a client comes from: the kernel says which user its process runs
//! as, and the realm says who that is. Nothing is asked, and nothing can be forged short of being
//! that user.
//!
//! A client that comes another way, or that no rule knows, is denied.

use countersign_guest::transport::{LocalPeer, local};
use countersign_guest::{Attempt, Manifest, Method, Verdict};
use serde::Deserialize;

/// The method with its settings.
#[derive(Debug, Deserialize)]
pub struct Peer {
    /// The first that fits decides.
    users: Vec<Rule>,
}

/// Who a process is. What is left out fits every process, but one of `uid` and `gid` must be there.
#[derive(Debug, Deserialize)]
struct Rule {
    /// The user that the process runs as.
    uid: Option<u32>,
    /// The user's group: the process's own, and none of the others that it may belong to.
    gid: Option<u32>,
    /// Who that is in the realm.
    authid: String,
    /// One of the realm's roles.
    role: String,
}

impl Method for Peer {
    const MANIFEST: Manifest = Manifest {
        name: "peer",
        version: env!("CARGO_PKG_VERSION"),
        summary: "lets in who comes by a Unix socket, by the user of the process at its other end",
        credential_kinds: &[],
    };

    fn check(&self) -> Result<(), String> {
        if self.users.is_empty() {
            return Err("`users` is empty, so nobody could log in".into());
        }
        for (number, rule) in (1..).zip(&self.users) {
            if rule.uid.is_none() && rule.gid.is_none() {
                return Err(format!(
                    "rule {number} of `users` has neither `uid` nor `gid`: it would let in everyone"
                ));
            }
            if rule.authid.is_empty() || rule.role.is_empty() {
                return Err(format!(
                    "rule {number} of `users` has an empty `authid` or `role`"
                ));
            }
        }
        Ok(())
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let Some(peer) = local() else {
            return Ok(Verdict::deny("the client does not come by a Unix socket"));
        };
        Ok(self.decide(peer, attempt.authid.as_deref()))
    }
}

impl Peer {
    /// A client may ask for one of several authids that its user has; one that asks for none gets
    /// the first.
    fn decide(&self, peer: LocalPeer, asked: Option<&str>) -> Verdict {
        let fitting = self.users.iter().find(|rule| {
            rule.uid.is_none_or(|uid| uid == peer.uid)
                && rule.gid.is_none_or(|gid| gid == peer.gid)
                && asked.is_none_or(|asked| asked == rule.authid)
        });
        match fitting {
            Some(rule) => Verdict::accept(&rule.authid, &rule.role),
            None => Verdict::deny(format!(
                "no rule makes the user {} of the group {} what it asks to be",
                peer.uid, peer.gid
            )),
        }
    }
}

countersign_guest::export!(Peer);

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(uid: Option<u32>, gid: Option<u32>, authid: &str, role: &str) -> Rule {
        Rule {
            uid,
            gid,
            authid: authid.into(),
            role: role.into(),
        }
    }

    fn peer() -> Peer {
        Peer {
            users: vec![
                rule(Some(1000), None, "alice", "admin"),
                rule(Some(1000), None, "alice-watching", "guest"),
                rule(None, Some(50), "staff", "user"),
                rule(Some(0), Some(0), "root", "admin"),
            ],
        }
    }

    fn decided(uid: u32, gid: u32, asked: Option<&str>) -> Option<(String, String)> {
        let process = LocalPeer {
            uid,
            gid,
            pid: None,
        };
        match peer().decide(process, asked) {
            Verdict::Accept(identity) => Some((identity.authid, identity.authrole)),
            Verdict::Deny(_) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        for (uid, gid, asked, expected) in [
            (1000, 1000, None, Some(("alice", "admin"))),
            (1000, 50, None, Some(("alice", "admin"))),
            (
                1000,
                1000,
                Some("alice-watching"),
                Some(("alice-watching", "guest")),
            ),
            (1000, 1000, Some("root"), None),
            (7, 50, None, Some(("staff", "user"))),
            (7, 7, None, None),
            (0, 0, None, Some(("root", "admin"))),
            (0, 1, None, None),
            (7, 50, Some("alice"), None),
        ] {
            let expected = expected.map(|(authid, role)| (authid.to_owned(), role.to_owned()));
            assert_eq!(decided(uid, gid, asked), expected, "{uid} {gid} {asked:?}");
        }
    }

    #[test]
    fn settings_that_would_let_in_everyone_or_nobody_are_refused() {
        assert_eq!(peer().check(), Ok(()));
        for users in [
            vec![],
            vec![rule(None, None, "alice", "user")],
            vec![rule(Some(1), None, "", "user")],
            vec![rule(Some(1), None, "alice", "")],
        ] {
            assert!(Peer { users }.check().is_err());
        }
    }
}
