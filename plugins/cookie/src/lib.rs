//! Login by cookie: a browser that has logged in by another method, and has asked to be remembered, is
//! known again. What a cookie is and whether it is good, the host decides; this says what follows.
//!
//! A browser without a cookie that is good is not denied: it cannot know that its cookie has ended, and
//! the page cannot see it. The realm's next alternative is asked, as if this one were not there.

use countersign_guest::cookies::{Remembered, presented};
use countersign_guest::{Attempt, Identity, Manifest, Method, Verdict};
use serde::Deserialize;

/// The method. It has no settings.
#[derive(Debug, Deserialize)]
pub struct Cookie {}

impl Method for Cookie {
    const MANIFEST: Manifest = Manifest {
        name: "cookie",
        version: env!("CARGO_PKG_VERSION"),
        summary: "knows a browser again that has logged in by another method",
        credential_kinds: &[],
    };

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        Ok(presented().map_or(Verdict::NotMine, |remembered| {
            decide(remembered, attempt.authid.as_deref())
        }))
    }
}

/// A page need not know who was logged in. One that says so means nobody else.
fn decide(remembered: Remembered, asked: Option<&str>) -> Verdict {
    let Remembered {
        authid,
        authrole,
        ends_at,
    } = remembered;
    match asked {
        Some(asked) if asked != authid => Verdict::deny(format!(
            "the cookie is not that of {asked}, but of {authid}"
        )),
        _ => Identity::new(authid, authrole).expiring_at(ends_at).into(),
    }
}

countersign_guest::export!(Cookie);

#[cfg(test)]
mod tests {
    use super::*;

    fn alices() -> Remembered {
        Remembered {
            authid: "alice".into(),
            authrole: "user".into(),
            ends_at: 7,
        }
    }

    #[test]
    fn a_browser_is_who_it_was_until_the_time_that_the_host_says() {
        for asked in [None, Some("alice")] {
            let Verdict::Accept(identity) = decide(alices(), asked) else {
                panic!("{asked:?}");
            };
            assert_eq!((&*identity.authid, &*identity.authrole), ("alice", "user"));
            assert_eq!(identity.expires_at, Some(7));
        }
    }

    #[test]
    fn whoever_asks_to_be_somebody_else_is_denied() {
        for asked in ["bob", "Alice", ""] {
            assert!(matches!(decide(alices(), Some(asked)), Verdict::Deny(_)));
        }
    }
}
