use std::{collections::BTreeMap, sync::Arc};

use super::{
    Member, Refusal,
    dealer::{Call, Invocation},
    id_map::IdMap,
    permissions::Grants,
};
use crate::wamp::{
    Action, Code, Dict, Id, MatchPolicy, Message, Pattern, Payload, RequestIds, Uri, is_reserved,
    reason,
};

const BAD_URI: Refusal = Refusal::new(reason::INVALID_URI, "not a valid URI");
const RESERVED: Refusal = Refusal::new(
    reason::INVALID_URI,
    "URIs that begin with \"wamp\" are the protocol's own",
);
const FORBIDDEN: Refusal = Refusal::new(
    reason::NOT_AUTHORIZED,
    "the role has no permission for this",
);

/// A member, and all that the realm knows of it.
pub(super) struct Session {
    pub member: Arc<Member>,
    pub grants: Arc<Grants>,
    /// The member's requests, all kinds in one sequence.
    pub requests: RequestIds,
    pub subscriptions: BTreeMap<Id, Pattern>,
    pub registrations: BTreeMap<Id, Pattern>,
    /// Calls that it made, by its request. Each has its counterpart among the invocations of the
    /// callee, and the reverse.
    pub calls: IdMap<Call>,
    /// Invocations that it has to answer, by the router's request.
    pub invocations: IdMap<Invocation>,
    /// The router's requests to it.
    pub invoked: RequestIds,
}

impl Session {
    pub fn new(member: Member, grants: Arc<Grants>) -> Self {
        Self {
            member: Arc::new(member),
            grants,
            requests: RequestIds::default(),
            subscriptions: BTreeMap::new(),
            registrations: BTreeMap::new(),
            calls: IdMap::default(),
            invocations: IdMap::default(),
            invoked: RequestIds::default(),
        }
    }

    /// What the member may do to one URI. `longest` is in octets.
    pub fn check(&self, action: Action, uri: &str, longest: usize) -> Result<(), Refusal> {
        if uri.len() > longest || Uri::check(uri).is_err() {
            return Err(BAD_URI);
        }
        if action == Action::Publish && is_reserved(uri) {
            return Err(RESERVED);
        }
        if !self.grants.allow(action, uri) {
            return Err(FORBIDDEN);
        }
        Ok(())
    }

    /// What the member may do to every URI that a pattern matches.
    pub fn check_all(&self, action: Action, pattern: &Pattern) -> Result<(), Refusal> {
        if action == Action::Register && pattern.is_reserved() {
            return Err(RESERVED);
        }
        if !self.grants.allow_all(action, pattern) {
            return Err(FORBIDDEN);
        }
        Ok(())
    }

    pub fn answer<T>(
        &self,
        kind: Code,
        request: Id,
        outcome: Result<T, Refusal>,
        success: impl FnOnce(T) -> Message,
    ) {
        match outcome {
            Ok(value) => self.member.deliver(&success(value)),
            Err(refusal) => self.member.refuse(kind, request, refusal),
        }
    }
}

impl Member {
    /// For messages with no client's payload in them, which always can be written.
    pub(super) fn deliver(&self, message: &Message) {
        if let Ok(frame) = message.encode(self.serializer) {
            self.outbox.deliver(frame);
        }
    }

    pub(super) fn refuse(&self, kind: Code, request: Id, refusal: Refusal) {
        self.deliver(&Message::Error {
            kind,
            request,
            details: Dict::new(),
            error: refusal.error.to_owned(),
            payload: Payload::list(vec![refusal.why.into()]),
        });
    }

    /// Names the member to another, under `caller`, `publisher` or `callee`.
    pub(super) fn disclose(&self, details: &mut Dict, name: &str) {
        details.insert(name, self.id.as_u64());
        details.insert(format!("{name}_authid"), &*self.authid);
        details.insert(format!("{name}_authrole"), &*self.authrole);
    }
}

pub(super) fn pattern(text: &str, policy: MatchPolicy, longest: usize) -> Result<Pattern, Refusal> {
    if text.len() > longest {
        return Err(BAD_URI);
    }
    Pattern::parse(text, policy).map_err(|_| BAD_URI)
}
