//! What is asked about sessions.

use std::sync::Arc;

use super::methods::no_realm;
use crate::{
    admin::{Desk, Eviction, Response, SessionQuery, SessionReport, sessions::unix_ms},
    login::StepName,
    realm::{LiveSession, Realm, RevisionName, Selection},
    router::Farewell,
    wamp::{Id, Uri, reason},
};

impl Desk {
    pub(super) fn sessions(&self, query: &SessionQuery) -> Response {
        let (realms, selection) = match self.meant(query) {
            Ok(meant) => meant,
            Err(refused) => return refused,
        };
        let mut reports: Vec<_> = realms
            .iter()
            .flat_map(|realm| {
                let sessions = realm.sessions(&selection);
                sessions.into_iter().map(|session| report(realm, &session))
            })
            .collect();
        reports.sort_by(|a, b| (&a.realm, a.since, a.session).cmp(&(&b.realm, b.since, b.session)));
        Response::Sessions(reports)
    }

    pub(super) fn end_sessions(&self, eviction: &Eviction) -> Response {
        let Eviction {
            of,
            reason,
            message,
        } = eviction;
        if *of == SessionQuery::default() {
            return Response::Refused(
                "say which sessions; all of a realm by --realm alone".to_owned(),
            );
        }
        let (realms, selection) = match self.meant(of) {
            Ok(meant) => meant,
            Err(refused) => return refused,
        };
        let mut farewell = Farewell::new(
            reason::CLOSE_KILLED,
            "the operator ends this session",
            "the operator",
        );
        if let Some(reason) = reason {
            let Ok(reason) = Uri::parse(reason) else {
                return Response::Refused(format!(
                    "{reason:?} is no reason: it must be a URI, such as com.example.close.moved"
                ));
            };
            farewell = farewell.with_reason(&reason);
        }
        if let Some(message) = message {
            farewell = farewell.with_message(message.clone());
        }
        let ended = realms
            .iter()
            .map(|realm| realm.end_sessions(&selection, &farewell).len());
        Response::SessionsEnded(ended.sum())
    }

    fn meant(&self, query: &SessionQuery) -> Result<(Vec<Arc<Realm>>, Selection), Response> {
        let SessionQuery {
            realm,
            session,
            authid,
            authrole,
            method,
            revision,
        } = query;
        let realms = match realm {
            None => self.realms.all(),
            Some(name) => vec![self.realms.find(name).ok_or_else(|| no_realm(name))?],
        };
        let revision = revision.as_deref().map(RevisionName::parse).transpose();
        let no_id = |id| Response::Refused(format!("{id} is no id of a session"));
        let session = session.map(|id| Id::new(id).ok_or_else(|| no_id(id)));
        let selection = Selection {
            session: session.transpose()?,
            authid: authid.clone(),
            authrole: authrole.clone(),
            step: method.as_deref().map(StepName::new),
            revision: revision.map_err(|error| Response::Refused(error.to_string()))?,
        };
        Ok((realms, selection))
    }
}

fn report(realm: &Realm, session: &LiveSession) -> SessionReport {
    let passed = session.passed.iter();
    SessionReport {
        realm: realm.name.as_ref().to_owned(),
        session: session.id.as_u64(),
        authid: session.authid.as_ref().to_owned(),
        authrole: session.authrole.as_ref().to_owned(),
        passed: passed
            .map(|passed| (passed.step.to_string(), passed.revision.to_string()))
            .collect(),
        generation: session.generation,
        since: unix_ms(session.since),
        expires: session.expires().map(unix_ms),
        peer: session.peer.as_ref().to_owned(),
    }
}
