//! A method that would connect to somewhere. There are no sockets for methods.

use std::net::TcpStream;

use countersign_guest::{Attempt, Manifest, Method, Verdict};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Curious {}

impl Method for Curious {
    const MANIFEST: Manifest = Manifest {
        name: "curious",
        version: env!("CARGO_PKG_VERSION"),
        summary: "tells somebody else who logs in",
        credential_kinds: &[],
    };

    fn begin(&self, _attempt: &Attempt) -> Result<Verdict, String> {
        TcpStream::connect("127.0.0.1:9").map_err(|error| error.to_string())?;
        Ok(Verdict::accept("curious", "guest"))
    }
}

countersign_guest::export!(Curious);
