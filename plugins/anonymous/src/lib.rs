//! Anonymous login: whoever asks is let in, with the role that the realm set aside for strangers.
//!
//! Nothing is proven, so there is no question to ask. Whatever `authid` the client gives is passed
//! over: it gets a made-up one, a new one for each session. A realm has anonymous clients only if
//! its policy names this method.

use countersign_guest::{Attempt, Manifest, Method, Verdict};
use serde::Deserialize;

/// How many octets of the attempt's nonce go into an authid: 64 bits, so that no two of a realm's
/// sessions share one.
const ID_OCTETS: usize = 8;

/// The method with its settings.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Anonymous {
    /// The role of anonymous clients: one of the realm's.
    role: String,
}

impl Default for Anonymous {
    fn default() -> Self {
        Self {
            role: "guest".into(),
        }
    }
}

impl Method for Anonymous {
    const MANIFEST: Manifest = Manifest {
        name: "anonymous",
        version: env!("CARGO_PKG_VERSION"),
        summary: "lets everyone in, under a made-up authid and a role for strangers",
        credential_kinds: &[],
    };

    fn check(&self) -> Result<(), String> {
        if self.role.is_empty() {
            return Err("`role` is empty".into());
        }
        Ok(())
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        let Some(id) = attempt.nonce.first_chunk::<ID_OCTETS>() else {
            return Err("the nonce is too short".into());
        };
        Ok(Verdict::accept(
            format!("anonymous-{}", hex::encode(id)),
            &self.role,
        ))
    }
}

countersign_guest::export!(Anonymous);

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(authid: Option<&str>) -> Attempt {
        Attempt {
            authid: authid.map(Into::into),
            nonce: (0xa0..0xc0).collect(),
            ..Attempt::default()
        }
    }

    fn accepted(method: &Anonymous, attempt: &Attempt) -> (String, String) {
        match method.begin(attempt) {
            Ok(Verdict::Accept(identity)) => (identity.authid, identity.authrole),
            other => panic!("not accepted: {other:?}"),
        }
    }

    #[test]
    fn a_stranger_is_a_guest_with_a_made_up_authid() {
        let (authid, authrole) = accepted(&Anonymous::default(), &attempt(None));
        assert_eq!(
            (&*authid, &*authrole),
            ("anonymous-a0a1a2a3a4a5a6a7", "guest")
        );
    }

    #[test]
    fn nobody_chooses_an_authid() {
        let (authid, _) = accepted(&Anonymous::default(), &attempt(Some("alice")));
        assert_eq!(authid, "anonymous-a0a1a2a3a4a5a6a7");
    }

    #[test]
    fn the_role_is_the_realms() {
        let method: Anonymous = serde_json::from_str(r#"{ "role": "visitor" }"#).unwrap();
        assert_eq!(accepted(&method, &attempt(None)).1, "visitor");
        assert_eq!(method.check(), Ok(()));
    }

    #[test]
    fn an_empty_role_is_no_role() {
        let method: Anonymous = serde_json::from_str(r#"{ "role": "" }"#).unwrap();
        assert!(method.check().is_err());
    }
}
