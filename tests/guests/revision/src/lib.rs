//! A method whose every answer says which revision of it gave it, and which denies a login that was
//! begun by another. A test makes revisions by writing another number into the component's file. The
//! revision 9999 traps.

use std::hint::black_box;

use countersign_guest::{Answer, Attempt, Challenge, Identity, Manifest, Method, Verdict};
use serde::Deserialize;
use serde_json::json;

/// The test looks for these octets in the file, and writes its number over the zeros.
static MARK: [u8; 13] = *b"revision-0000";

#[derive(Debug, Deserialize)]
struct Revision {}

impl Method for Revision {
    const MANIFEST: Manifest = Manifest {
        name: "revision",
        version: env!("CARGO_PKG_VERSION"),
        summary: "lets everyone in who meets one revision only",
        credential_kinds: &[],
    };

    fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
        assert_ne!(mark(), "revision-9999", "on purpose");
        Ok(Challenge::new(&json!({ "revision": mark() }))?
            .with_state(mark())
            .into())
    }

    fn resume(&self, _attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        if answer.state != mark().as_bytes() {
            return Ok(Verdict::deny("begun by another revision"));
        }
        Ok(Verdict::Accept(Identity {
            authid: "someone".into(),
            authrole: "guest".into(),
            authprovider: None,
            authextra: json!({ "revision": mark() }).to_string(),
            expires_at: None,
        }))
    }
}

/// Read from memory each time: the compiler must not know what the test will write there.
fn mark() -> String {
    String::from_utf8_lossy(black_box(&MARK)).into_owned()
}

countersign_guest::export!(Revision);
