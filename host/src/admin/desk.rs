use std::{path::PathBuf, sync::Arc};

use super::{Request, Response};
use crate::realm::{Realm, Realms, Workshop};

mod methods;
mod sessions;

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
            Request::Sessions(query) => return self.sessions(&query),
            Request::EndSessions(eviction) => return self.end_sessions(&eviction),
            Request::Methods { realm } => self.methods(realm.as_deref()),
            Request::Stage {
                realm,
                step,
                file,
                table,
            } => self.stage(&realm, &step, &file, table.as_deref()).await,
            Request::Rollback { realm, step } => self.roll_back(&realm, &step).await,
            Request::Withdraw {
                realm,
                which,
                end_sessions,
            } => self.withdraw(&realm, &which, end_sessions),
            Request::Readmit { realm, which } => self.readmit(&realm, &which),
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
