//! A method that lets everyone in, and on that occasion fetches what its settings name as often as
//! they say. What comes of it, it keeps to itself.

use countersign_guest::{
    Attempt, Manifest, Method, Verdict,
    http::{Request, Verb, fetch},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Fetcher {
    url: String,
    times: u32,
}

impl Method for Fetcher {
    const MANIFEST: Manifest = Manifest {
        name: "fetcher",
        version: env!("CARGO_PKG_VERSION"),
        summary: "fetches what it should not",
        credential_kinds: &[],
    };

    fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
        for _ in 0..self.times {
            let request = Request {
                verb: Verb::Get,
                url: self.url.clone(),
                content_type: None,
                body: Vec::new(),
            };
            // Whatever it is.
            _ = fetch(&request);
        }
        Ok(Verdict::accept("someone", "user"))
    }
}

countersign_guest::export!(Fetcher);
