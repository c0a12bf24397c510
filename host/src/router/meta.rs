//! What the router itself offers to those whom the realm lets: who is here, and sending somebody
//! away (`advanced/meta_api_sessions.md`).

use super::{Farewell, Member, Refusal, State};
use crate::wamp::{Dict, Id, Payload, Uri, Value, reason};

pub(super) const ON_JOIN: &str = "wamp.session.on_join";
pub(super) const ON_LEAVE: &str = "wamp.session.on_leave";

const NO_SESSION: Refusal = Refusal::new(
    reason::NO_SUCH_SESSION,
    "there is no such session in the realm",
);
const NO_REASON: Refusal = Refusal::new(reason::INVALID_URI, "the reason is not a valid URI");
const ARGUMENTS: Refusal = Refusal::new(
    reason::INVALID_ARGUMENT,
    "the arguments are not what this procedure takes",
);

/// A call of one of the procedures.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    procedure: &'static str,
    what: What,
}

#[derive(Debug, PartialEq)]
enum What {
    Count(Roles),
    List(Roles),
    Get(u64),
    Kill(Whom, Option<Uri>, Option<String>),
}

type Parse = fn(&Payload) -> Result<What, Refusal>;

/// None: all of them.
type Roles = Option<Vec<String>>;

#[derive(Debug, PartialEq)]
enum Whom {
    Session(u64),
    Authid(String),
    Authrole(String),
    All,
}

impl Request {
    /// None where it is no procedure of the router's.
    pub fn parse(procedure: &str, payload: &Payload) -> Option<Result<Self, Refusal>> {
        let short = procedure.strip_prefix("wamp.session.")?;
        let (procedure, parse): (_, Parse) = match short {
            "count" => ("wamp.session.count", |payload| {
                roles(payload).map(What::Count)
            }),
            "list" => ("wamp.session.list", |payload| {
                roles(payload).map(What::List)
            }),
            "get" => ("wamp.session.get", |payload| {
                session(payload).map(What::Get)
            }),
            "kill" => ("wamp.session.kill", |payload| {
                kill(payload, Whom::Session(session(payload)?))
            }),
            "kill_by_authid" => ("wamp.session.kill_by_authid", |payload| {
                kill(payload, Whom::Authid(text(payload)?))
            }),
            "kill_by_authrole" => ("wamp.session.kill_by_authrole", |payload| {
                kill(payload, Whom::Authrole(text(payload)?))
            }),
            "kill_all" => ("wamp.session.kill_all", |payload| kill(payload, Whom::All)),
            _ => return None,
        };
        Some(parse(payload).map(|what| Self { procedure, what }))
    }
}

impl State {
    /// Does what is asked for. The caller itself is never sent away.
    pub(super) fn meta(&mut self, caller: &Member, request: Request) -> Result<Payload, Refusal> {
        let Request { procedure, what } = request;
        let value = match what {
            What::Count(roles) => self.members(roles.as_deref()).count().into_value(),
            What::List(roles) => {
                let mut ids: Vec<u64> = self
                    .members(roles.as_deref())
                    .map(|member| member.id.as_u64())
                    .collect();
                ids.sort_unstable();
                ids.into_value()
            }
            What::Get(id) => {
                let session = Id::new(id).and_then(|id| self.sessions.get(&id));
                session.ok_or(NO_SESSION)?.member.details().into()
            }
            What::Kill(whom, reason, message) => {
                let by = format!("{} ({}) by {procedure}", caller.id, caller.authid);
                let mut farewell = Farewell::new(
                    reason::CLOSE_KILLED,
                    "somebody who may has ended this session",
                    by,
                );
                if let Some(reason) = reason {
                    farewell = farewell.with_reason(&reason);
                }
                if let Some(message) = message {
                    farewell = farewell.with_message(message);
                }
                return self.kill(caller.id, &whom, &farewell);
            }
        };
        Ok(Payload::list(vec![value]))
    }

    fn members(&self, roles: Option<&[String]>) -> impl Iterator<Item = &Member> {
        let members = self.sessions.values().map(|session| &*session.member);
        members.filter(move |member| {
            roles.is_none_or(|roles| roles.iter().any(|role| **role == *member.authrole))
        })
    }

    fn kill(&mut self, caller: Id, whom: &Whom, farewell: &Farewell) -> Result<Payload, Refusal> {
        let is_meant = |member: &&Member| {
            member.id != caller
                && match whom {
                    Whom::Session(id) => member.id.as_u64() == *id,
                    Whom::Authid(authid) => **authid == *member.authid,
                    Whom::Authrole(role) => **role == *member.authrole,
                    Whom::All => true,
                }
        };
        let mut ids: Vec<Id> = if let Whom::Session(id) = whom {
            let session = Id::new(*id).and_then(|id| self.sessions.get(&id));
            let member = session.map(|session| &*session.member).filter(is_meant);
            vec![member.ok_or(NO_SESSION)?.id]
        } else {
            let meant = self.members(None).filter(is_meant);
            meant.map(|member| member.id).collect()
        };
        ids.sort_unstable();
        for id in &ids {
            if let Some(member) = self.leave(*id) {
                member.outbox.end(farewell.clone());
            }
        }
        Ok(match whom {
            Whom::Session(_) => Payload::NONE,
            Whom::Authid(_) => {
                let ids: Vec<u64> = ids.iter().map(|id| id.as_u64()).collect();
                Payload::list(vec![ids.into_value()])
            }
            Whom::Authrole(_) | Whom::All => Payload::list(vec![ids.len().into_value()]),
        })
    }
}

impl Member {
    /// Who it is, as `wamp.session.get` and `wamp.session.on_join` have it.
    pub(super) fn details(&self) -> Dict {
        Dict::new()
            .with("session", self.id.as_u64())
            .with("authid", &*self.authid)
            .with("authrole", &*self.authrole)
            .with("authmethod", &*self.authmethod)
            .with("authprovider", &*self.authprovider)
    }

    /// What `wamp.session.on_leave` says.
    pub(super) fn farewell(&self) -> Vec<Value> {
        let Self {
            id,
            authid,
            authrole,
            ..
        } = self;
        vec![id.as_u64().into(), (**authid).into(), (**authrole).into()]
    }
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for usize {
    fn into_value(self) -> Value {
        u64::try_from(self).unwrap_or(u64::MAX).into()
    }
}

impl IntoValue for Vec<u64> {
    fn into_value(self) -> Value {
        let values: Vec<Value> = self.into_iter().map(Value::from).collect();
        values.into()
    }
}

/// What stands first, if anything does.
fn first(payload: &Payload) -> Result<Option<Value>, Refusal> {
    let arguments = payload.arguments().map_err(|_| ARGUMENTS)?;
    let first = arguments.into_iter().next();
    Ok(first.filter(|value| *value != Value::Null))
}

fn roles(payload: &Payload) -> Result<Roles, Refusal> {
    let Some(value) = first(payload)? else {
        return Ok(None);
    };
    let list = value.as_list().ok_or(ARGUMENTS)?;
    let roles: Option<Vec<String>> = list
        .iter()
        .map(|role| role.as_str().map(str::to_owned))
        .collect();
    roles.ok_or(ARGUMENTS).map(Some)
}

fn session(payload: &Payload) -> Result<u64, Refusal> {
    let value = first(payload)?;
    value.and_then(|value| value.as_u64()).ok_or(ARGUMENTS)
}

fn text(payload: &Payload) -> Result<String, Refusal> {
    match first(payload)? {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(ARGUMENTS),
    }
}

fn kill(payload: &Payload, whom: Whom) -> Result<What, Refusal> {
    let keywords = payload.keyword_arguments().map_err(|_| ARGUMENTS)?;
    let text = |key| match keywords.value(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ARGUMENTS),
    };
    let reason = text("reason")?.map(|reason| Uri::parse(&reason));
    let reason = reason.transpose().map_err(|_| NO_REASON)?;
    Ok(What::Kill(whom, reason, text("message")?))
}
