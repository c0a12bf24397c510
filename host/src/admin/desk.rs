use std::{path::PathBuf, sync::Arc};

use super::{Request, Response};
use crate::realm::{Realm, Realms, Workshop};

mod methods;

/// Does what operators ask for.
#[derive(Debug)]
pub struct Desk {
    realms: Arc<Realms>,
    workshop: Arc<Workshop>,
    /// The directory of the realms' files.
    directory: PathBuf,
}

impl Desk {
    pub const fn new(realms: Arc<Realms>, workshop: Arc<Workshop>, directory: PathBuf) -> Self {
        Self {
            realms,
            workshop,
            directory,
        }
    }

    pub(super) async fn answer(&self, request: Request) -> Response {
        let answer = match request {
            Request::Methods { realm } => self.methods(realm.as_deref()),
            Request::Stage { realm, step, file } => self.stage(&realm, &step, &file).await,
            Request::Rollback { realm, step } => self.roll_back(&realm, &step).await,
            Request::Withdraw { realm, which } => self.withdraw(&realm, &which),
            Request::Canary {
                realm,
                step,
                thousandths,
            } => self.canary(&realm, &step, thousandths).await,
            Request::Shadow { realm, step } => self.shadow(&realm, &step).await,
            Request::Unstage { realm, step } => self.unstage(&realm, &step),
        };
        answer.unwrap_or_else(|why| Response::Refused(why.to_string()))
    }

    fn realm(&self, name: &str) -> anyhow::Result<Arc<Realm>> {
        let realm = self.realms.find(name);
        realm.ok_or_else(|| anyhow::anyhow!("there is no realm {name:?} in this router"))
    }
}
