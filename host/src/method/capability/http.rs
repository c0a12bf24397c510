use std::time::Instant;

use wasmtime::component::{HasSelf, Linker};

use crate::{
    egress::{EgressError, Request, Response},
    method::{
        HostCall,
        bindings::{countersign::auth::http, wasi::logging::logging::Level},
        guest::Guest,
    },
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/http"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    http::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl http::Host for Guest {
    async fn fetch(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<http::Response, String>> {
        self.host_call(HostCall::Request)?;
        let Some(door) = &self.reach.door else {
            return Ok(Err(no_door()));
        };
        let url = request.url.clone();
        let left = self
            .requests_until
            .saturating_duration_since(Instant::now());
        match door.send(&url, request.into(), left).await {
            Ok(response) => Ok(Ok(response.into())),
            // The client may come again later, and is told so.
            Err(error @ EgressError::Busy(_)) => Err(error.into()),
            Err(error) => {
                if error.is_refusal() {
                    // The method may keep it to itself; an operator must learn of it.
                    let line = format!("a request was refused: {error}");
                    self.log.write(Level::Warn, &line)?;
                }
                Ok(Err(error.to_string()))
            }
        }
    }

    fn check(&mut self, url: String) -> wasmtime::Result<Result<(), String>> {
        self.host_call(HostCall::Url)?;
        let checked = match &self.reach.door {
            Some(door) => door.check(&url).map_err(|error| error.to_string()),
            None => Err(no_door()),
        };
        Ok(checked)
    }
}

/// A method that is only asked who it is has none yet.
fn no_door() -> String {
    "there are no origins that requests may go to".to_owned()
}

impl From<http::Request> for Request {
    fn from(request: http::Request) -> Self {
        match request.verb {
            http::Verb::Get => Self::get(),
            http::Verb::Post => Self::post(request.content_type, request.body),
        }
    }
}

impl From<Response> for http::Response {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            content_type: response.content_type,
            body: response.body.into(),
        }
    }
}
