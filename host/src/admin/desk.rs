use std::sync::Arc;

use super::{Request, Response};
use crate::realm::Realms;

mod methods;

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
            Request::Methods { realm } => self.methods(realm.as_deref()),
        }
    }
}
