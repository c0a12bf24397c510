//! WAMP's ticket login: the client shows a secret that the realm knows, usually a password.
//!
//! The challenge says nothing but "your ticket, please", and the answer is the ticket itself, in
//! clear: it needs a connection that nobody else can read. The host keeps a slow hash of it and
//! compares; an authid that does not exist takes the same calls and the same time, and no ticket
//! fits.

use countersign_guest::credentials::find;
use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict};
use serde::Deserialize;

/// The kind of credential that holds a ticket's hash.
const KIND: &str = "ticket";

/// The method. It has no settings.
#[derive(Debug, Deserialize)]
pub struct Ticket {}

impl Method for Ticket {
    const MANIFEST: Manifest = Manifest {
        name: "ticket",
        version: env!("CARGO_PKG_VERSION"),
        summary: "asks for a ticket, e.g. a password, and compares it with the hash on record",
        credential_kinds: &[KIND],
    };

    const CLEAR_SECRET: bool = true;

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        if attempt.authid.is_none() {
            return Ok(no_authid());
        }
        Ok(Challenge::default().into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        let Some(authid) = &attempt.authid else {
            return Ok(no_authid());
        };
        let credential = find(KIND, authid);
        if !credential.verify_password(&answer.signature) {
            return Ok(Verdict::deny("the ticket is not the one on record"));
        }
        Ok(Verdict::accept(credential.authid(), credential.authrole()))
    }
}

fn no_authid() -> Verdict {
    Verdict::deny("the client gave no authid")
}

countersign_guest::export!(Ticket);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_an_authid_is_asked_for_its_ticket() {
        let attempt = Attempt {
            authid: Some("alice".into()),
            ..Attempt::default()
        };
        let Ok(Verdict::Challenge(challenge)) = (Ticket {}).begin(&attempt) else {
            panic!("no challenge");
        };
        assert_eq!(challenge.extra, "{}");
    }

    #[test]
    fn a_client_without_an_authid_is_denied() {
        let attempt = Attempt::default();
        assert!(matches!((Ticket {}).begin(&attempt), Ok(Verdict::Deny(_))));
    }
}
