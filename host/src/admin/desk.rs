use std::sync::Arc;

use super::{Request, Response};
use crate::realm::Realms;

mod methods;
mod sessions;

/// Does what operators ask for.
#[derive(Debug)]
pub struct Desk {
    realms: Arc<Realms>,
}

impl Desk {
    pub const fn new(realms: Arc<Realms>) -> Self {
        Self { realms }
    }

    pub(super) async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Sessions(query) => self.sessions(&query),
            Request::EndSessions(eviction) => self.end_sessions(&eviction),
            Request::Methods { realm } => self.methods(realm.as_deref()),
        }
    }
}
