//! What is asked about methods and their revisions.

use std::sync::Arc;

use crate::{
    admin::{Desk, Response, RevisionReport},
    realm::Realm,
};

impl Desk {
    pub(super) fn methods(&self, realm: Option<&str>) -> Response {
        let mut realms = match realm {
            None => self.realms.all(),
            Some(name) => match self.realms.find(name) {
                Some(realm) => vec![realm],
                None => return no_realm(name),
            },
        };
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        Response::Methods(realms.iter().flat_map(|realm| reports(realm)).collect())
    }
}

pub(super) fn no_realm(name: &str) -> Response {
    Response::Refused(format!("there is no realm {name:?} in this router"))
}

fn reports(realm: &Realm) -> Vec<RevisionReport> {
    let generation = realm.generation();
    let report = |(step, method): (&crate::login::StepName, &Arc<crate::method::Method>)| {
        let revision = &method.revision;
        RevisionReport {
            realm: realm.name.as_ref().to_owned(),
            step: step.to_string(),
            digest: revision.digest.to_string(),
            method: revision.manifest.name.clone(),
            version: revision.manifest.version.clone(),
            state: "live".into(),
        }
    };
    let mut reports: Vec<_> = generation.methods.iter().map(report).collect();
    reports.sort_by(|a, b| a.step.cmp(&b.step));
    reports
}
