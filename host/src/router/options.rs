//! The options of client messages, parsed once. An option that is null counts as absent, since
//! some clients write what is unset; options that the router does not know are ignored.

use crate::wamp::{Dict, MatchPolicy, Value, reason};

use super::Refusal;

/// Attributes that only the two ends understand (`advanced/payload_passthru_mode.md`). They go
/// from the options of one message to the details of the other.
const PASSTHRU: [&str; 4] = ["ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid"];

const NOT_A_FLAG: Refusal = invalid("an option that must be true or false is not");
const NOT_TEXT: Refusal = invalid("an option that must be a string is not");
const NOT_IDS: Refusal = invalid("an option that must be a list of session ids is not");
const NOT_TEXTS: Refusal = invalid("an option that must be a list of strings is not");

#[derive(Debug, PartialEq)]
pub(super) struct Publish {
    pub exclude_me: bool,
    pub disclose_me: bool,
    pub exclude: Audience,
    /// None where the option is absent: then everyone is eligible.
    pub eligible: Option<Audience>,
    pub passthru: Dict,
}

/// Sessions by any of three properties (`advanced/pubsub_subscriber_blackwhite_listing.md`). The
/// lists are sorted, so that a long one costs each receiver little.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Audience {
    pub sessions: Option<Vec<u64>>,
    pub authids: Option<Vec<String>>,
    pub authroles: Option<Vec<String>>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Call {
    pub disclose_me: bool,
    pub receive_progress: bool,
    pub passthru: Dict,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Yield {
    pub progress: bool,
    pub disclose_me: bool,
    pub passthru: Dict,
}

#[derive(Debug, PartialEq)]
pub(super) struct Register {
    pub policy: MatchPolicy,
    pub invoke: Invoke,
}

/// Which of several callees gets a call (`advanced/rpc_shared_registration.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invoke {
    Single,
    RoundRobin,
    Random,
    First,
    Last,
}

/// `advanced/rpc_call_canceling.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CancelMode {
    Skip,
    Kill,
    KillNoWait,
}

impl Publish {
    /// The one option that says how a failure of the others is answered. What is not `true` does
    /// not ask for an answer.
    pub fn acknowledge(options: &Dict) -> bool {
        matches!(options.value("acknowledge"), Some(Value::Bool(true)))
    }

    pub fn parse(options: &Dict) -> Result<Self, Refusal> {
        if options.is_empty() {
            return Ok(Self {
                exclude_me: true,
                disclose_me: false,
                exclude: Audience::default(),
                eligible: None,
                passthru: Dict::new(),
            });
        }
        let eligible = Audience {
            sessions: sessions(options, "eligible")?,
            authids: texts(options, "eligible_authid")?,
            authroles: texts(options, "eligible_authrole")?,
        };
        Ok(Self {
            exclude_me: flag(options, "exclude_me", true)?,
            disclose_me: flag(options, "disclose_me", false)?,
            exclude: Audience {
                sessions: sessions(options, "exclude")?,
                authids: texts(options, "exclude_authid")?,
                authroles: texts(options, "exclude_authrole")?,
            },
            eligible: (eligible != Audience::default()).then_some(eligible),
            passthru: passthru(options)?,
        })
    }
}

impl Audience {
    /// Whether one of the lists has the session.
    pub fn any(&self, session: u64, authid: &str, authrole: &str) -> bool {
        let contains = |list: &Option<Vec<String>>, text: &str| {
            list.as_deref().is_some_and(|list| {
                list.binary_search_by(|item| item.as_str().cmp(text))
                    .is_ok()
            })
        };
        let sessions = self.sessions.as_deref().unwrap_or_default();
        sessions.binary_search(&session).is_ok()
            || contains(&self.authids, authid)
            || contains(&self.authroles, authrole)
    }

    /// Whether every list that there is has the session.
    pub fn all(&self, session: u64, authid: &str, authrole: &str) -> bool {
        let contains = |list: &Option<Vec<String>>, text: &str| {
            list.as_deref().is_none_or(|list| {
                list.binary_search_by(|item| item.as_str().cmp(text))
                    .is_ok()
            })
        };
        let sessions = self.sessions.as_deref();
        sessions.is_none_or(|sessions| sessions.binary_search(&session).is_ok())
            && contains(&self.authids, authid)
            && contains(&self.authroles, authrole)
    }
}

impl Call {
    /// `timeout` is not among the features of this dealer, and ignored.
    pub fn parse(options: &Dict) -> Result<Self, Refusal> {
        if options.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self {
            disclose_me: flag(options, "disclose_me", false)?,
            receive_progress: flag(options, "receive_progress", false)?,
            passthru: passthru(options)?,
        })
    }
}

impl Yield {
    pub fn parse(options: &Dict) -> Result<Self, Refusal> {
        if options.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self {
            progress: flag(options, "progress", false)?,
            disclose_me: flag(options, "disclose_me", false)?,
            passthru: passthru(options)?,
        })
    }
}

impl Register {
    pub fn parse(options: &Dict) -> Result<Self, Refusal> {
        let invoke = match text(options, "invoke")? {
            None | Some("single") => Invoke::Single,
            Some("roundrobin") => Invoke::RoundRobin,
            Some("random") => Invoke::Random,
            Some("first") => Invoke::First,
            Some("last") => Invoke::Last,
            Some(_) => return Err(invalid("no such invocation policy")),
        };
        Ok(Self {
            policy: match_policy(options)?,
            invoke,
        })
    }
}

impl CancelMode {
    /// CANCEL has no answer of its own, and its sender wants the call over: a mode that cannot be
    /// read is as good as none. None stands for the one that ends the call at once, on both sides.
    pub fn parse(options: &Dict) -> Self {
        match options.text("mode") {
            Some("skip") => Self::Skip,
            Some("kill") => Self::Kill,
            _ => Self::KillNoWait,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Kill => "kill",
            Self::KillNoWait => "killnowait",
        }
    }
}

/// The option `match` of SUBSCRIBE and REGISTER.
pub(super) fn match_policy(options: &Dict) -> Result<MatchPolicy, Refusal> {
    match text(options, "match")? {
        None | Some("exact") => Ok(MatchPolicy::Exact),
        Some("prefix") => Ok(MatchPolicy::Prefix),
        Some("wildcard") => Ok(MatchPolicy::Wildcard),
        Some(_) => Err(invalid("no such match policy")),
    }
}

pub(super) fn passthru(options: &Dict) -> Result<Dict, Refusal> {
    let mut passed = Dict::new();
    if options.is_empty() {
        return Ok(passed);
    }
    for key in PASSTHRU {
        if let Some(value) = text(options, key)? {
            passed.insert(key, value);
        }
    }
    Ok(passed)
}

fn flag(options: &Dict, key: &str, default: bool) -> Result<bool, Refusal> {
    present(options, key).map_or(Ok(default), |value| value.as_bool().ok_or(NOT_A_FLAG))
}

fn text<'a>(options: &'a Dict, key: &str) -> Result<Option<&'a str>, Refusal> {
    let value = present(options, key);
    value
        .map(|value| value.as_str().ok_or(NOT_TEXT))
        .transpose()
}

fn sessions(options: &Dict, key: &str) -> Result<Option<Vec<u64>>, Refusal> {
    sorted_list(options, key, Value::as_u64, NOT_IDS)
}

fn texts(options: &Dict, key: &str) -> Result<Option<Vec<String>>, Refusal> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    sorted_list(options, key, text, NOT_TEXTS)
}

fn sorted_list<T: Ord>(
    options: &Dict,
    key: &str,
    item: impl Fn(&Value) -> Option<T>,
    otherwise: Refusal,
) -> Result<Option<Vec<T>>, Refusal> {
    let Some(value) = present(options, key) else {
        return Ok(None);
    };
    let list = value.as_list().ok_or(otherwise)?;
    let list: Option<Vec<T>> = list.iter().map(item).collect();
    let mut list = list.ok_or(otherwise)?;
    list.sort_unstable();
    Ok(Some(list))
}

fn present<'a>(options: &'a Dict, key: &str) -> Option<&'a Value> {
    options.value(key).filter(|value| **value != Value::Null)
}

const fn invalid(why: &'static str) -> Refusal {
    Refusal::new(reason::INVALID_ARGUMENT, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_counts_as_absent_and_the_unknown_is_ignored() {
        let options = Dict::new()
            .with("match", Value::Null)
            .with("x_custom", 7)
            .with("exclude_me", Value::Null);
        assert_eq!(match_policy(&options), Ok(MatchPolicy::Exact));
        assert!(Publish::parse(&options).unwrap().exclude_me);
    }

    #[test]
    fn a_known_option_of_the_wrong_type_is_refused() {
        for (key, value) in [
            ("exclude_me", Value::from(1)),
            ("eligible", Value::from("all")),
            ("eligible", vec![Value::from("all")].into()),
            ("exclude_authid", vec![Value::from(1)].into()),
            ("ppt_scheme", true.into()),
        ] {
            let options = Dict::new().with(key, value);
            assert!(Publish::parse(&options).is_err(), "{options:?}");
        }
        assert!(Register::parse(&Dict::new().with("invoke", "all")).is_err());
        assert!(match_policy(&Dict::new().with("match", "regex")).is_err());
    }
}
