//! A login method: lets in whoever knows the word.

use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict};
use serde::Deserialize;
use serde_json::json;

/// What a realm's file may say under `settings`.
#[derive(Deserialize)]
struct Word {
    word: String,
}

impl Method for Word {
    const MANIFEST: Manifest = Manifest {
        name: "{{name}}",
        version: env!("CARGO_PKG_VERSION"),
        summary: "lets in whoever knows the word",
        credential_kinds: &[],
    };
    // The client sends the word as it is.
    const CLEAR_SECRET: bool = true;

    fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
        Ok(Challenge::new(&json!({ "question": "What is the word?" }))?.into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        if answer.signature != self.word {
            return Ok(Verdict::deny("that is not the word"));
        }
        let authid = attempt.authid.as_deref().unwrap_or("somebody");
        Ok(Verdict::accept(authid, "guest"))
    }
}

countersign_guest::export!(Word);
