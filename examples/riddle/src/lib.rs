//! A login method of one's own: lets in whoever answers the realm's riddle.

use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict};
use serde::Deserialize;
use serde_json::json;

/// What a realm's file may say under `settings`.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Riddle {
    question: String,
    answer: String,
    role: String,
}

impl Default for Riddle {
    fn default() -> Self {
        Self {
            question: "What has keys but opens no locks?".into(),
            answer: "a piano".into(),
            role: "guest".into(),
        }
    }
}

impl Method for Riddle {
    const MANIFEST: Manifest = Manifest {
        name: "riddle",
        version: env!("CARGO_PKG_VERSION"),
        summary: "lets in whoever answers the realm's riddle",
        credential_kinds: &[],
    };

    const CLEAR_SECRET: bool = true;

    fn check(&self) -> Result<(), String> {
        if self.answer.trim().is_empty() {
            return Err("`answer`: everybody could guess an empty one".into());
        }
        Ok(())
    }

    fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
        Ok(Challenge::new(&json!({ "question": self.question }))?.into())
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        if !answer
            .signature
            .trim()
            .eq_ignore_ascii_case(self.answer.trim())
        {
            return Ok(Verdict::deny("the riddle was not solved"));
        }
        let authid = attempt.authid.as_deref().unwrap_or("somebody");
        Ok(Verdict::accept(authid, self.role.as_str()))
    }
}

countersign_guest::export!(Riddle);
