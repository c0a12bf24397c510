//! Login by the word of a service of the operator's: the method tells it by HTTP who wants to log
//! in and what the client has shown, and the service says whether that is enough.
//!
//! By default the client is asked first, by a challenge like that of `ticket`: what it answers, a
//! password or a token, goes to the service. With `challenge = "service"` the service is asked as
//! soon as a login reaches this method, and may itself write the challenge.
//!
//! Whatever is not a verdict in so many words (no answer, a redirect, an error's page, JSON with a
//! member more or less) decides nothing, which denies the login. The service's contract stands in
//! `docs/methods/http.md`.

mod question;
mod reply;

use countersign_guest::http::{self, Request, Verb};
use countersign_guest::{Answer, Attempt, Challenge, Manifest, Method, Verdict, transport};
use serde::Deserialize;

use crate::{
    question::{Peer, Question},
    reply::Reply,
};

const JSON: &str = "application/json";

/// The method with its settings.
#[derive(Debug, Deserialize)]
pub struct Http {
    /// Where the service is. The realm's file must grant its origin.
    url: String,
    #[serde(default)]
    challenge: Author,
}

/// Who writes a login's first challenge.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Author {
    /// This method: an empty one, as that of `ticket` is. Stock clients know what to do with it.
    #[default]
    Ticket,
    /// The service, if it wants one.
    Service,
}

impl Method for Http {
    const MANIFEST: Manifest = Manifest {
        name: "http",
        version: env!("CARGO_PKG_VERSION"),
        summary: "asks a service over HTTP, which decides",
        credential_kinds: &[],
    };

    const CLEAR_SECRET: bool = true;

    fn check(&self) -> Result<(), String> {
        http::check(&self.url).map_err(|error| format!("`url`: {error}"))
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        match self.challenge {
            Author::Ticket => Ok(Challenge::default().into()),
            Author::Service => self.ask(attempt, None),
        }
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        self.ask(attempt, Some(answer))
    }
}

impl Http {
    fn ask(&self, attempt: &Attempt, answer: Option<&Answer>) -> Result<Verdict, String> {
        let peer = Peer {
            address: transport::peer(),
            confidential: transport::confidential(),
        };
        let question = Question::new(attempt, answer, &peer)?;
        let response = http::fetch(&Request {
            verb: Verb::Post,
            url: self.url.clone(),
            content_type: Some(JSON.into()),
            body: question.to_json()?,
        })?;
        let reply = Reply::read(
            response.status,
            response.content_type.as_deref(),
            &response.body,
        )?;
        reply.verdict(attempt)
    }
}

countersign_guest::export!(Http);
