//! Whether a credential may be used.

use std::time::{Duration, SystemTime};

use clap::Args;

use super::{Report, WhichArgs, existing_store, store_authid};
use crate::{
    config::{self, Operator},
    credential::{self, Guesser, Sqlite, Store, Validity},
};

#[derive(Debug, Args)]
#[command(about = "Let a credential be used for some time only")]
pub(super) struct ExpireArgs {
    #[command(flatten)]
    which: WhichArgs,

    /// For how long from now on, such as 90d or 12h
    #[arg(value_name = "TIME", value_parser = config::duration, required_unless_present = "never")]
    after: Option<Duration>,

    /// For ever
    #[arg(long, conflicts_with = "after")]
    never: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Enabled,
    Disabled,
}

pub(super) fn set(
    which: &WhichArgs,
    standing: Standing,
    operator: &Operator,
) -> anyhow::Result<Report> {
    let disabled = standing == Standing::Disabled;
    let done = if disabled { "disabled" } else { "enabled" };
    change(which, operator, done, |validity| Validity {
        disabled,
        ..validity
    })
}

pub(super) fn expire(args: &ExpireArgs, operator: &Operator) -> anyhow::Result<Report> {
    let ExpireArgs { which, after, .. } = args;
    let expires = match after {
        None => None,
        // A time that no clock has is never.
        Some(after) => SystemTime::now().checked_add(*after),
    };
    let done = if expires.is_some() {
        "set an end to"
    } else {
        "set no end to"
    };
    change(which, operator, done, |validity| Validity {
        expires,
        ..validity
    })
}

/// `done` begins "… the totp credential of alice".
fn change(
    which: &WhichArgs,
    operator: &Operator,
    done: &str,
    new: impl FnOnce(Validity) -> Validity,
) -> anyhow::Result<Report> {
    let WhichArgs {
        realm,
        kind,
        authid,
    } = which;
    let Some((store, validity)) = present(which, operator)? else {
        return Ok(which.none());
    };
    let is_there = store.set_validity(
        &realm.as_str().into(),
        &kind.as_str().into(),
        &store_authid(authid),
        new(validity),
    )?;
    if !is_there {
        return Ok(which.none());
    }
    let result = format!("{done} the {kind} credential of {authid} in realm {realm}\n");
    Ok(Report {
        result,
        ..Report::default()
    })
}

/// The store, and what it says of a credential now; a damaged one too can be disabled.
fn present(which: &WhichArgs, operator: &Operator) -> anyhow::Result<Option<(Sqlite, Validity)>> {
    let Some(store) = existing_store(&operator.credentials)? else {
        return Ok(None);
    };
    let entries = store.list(&which.realm.as_str().into())?;
    let validity = entries
        .into_iter()
        .find(|entry| {
            entry.kind.as_str() == which.kind && entry.authid.as_str() == which.authid.as_str()
        })
        .map(|entry| entry.validity);
    Ok(validity.map(|validity| (store, validity)))
}

pub(super) fn unlock(which: &WhichArgs, operator: &Operator) -> anyhow::Result<Report> {
    let WhichArgs {
        realm,
        kind,
        authid,
    } = which;
    let guesser = Guesser {
        realm: realm.as_str().into(),
        kind: credential::Kind::from(kind.as_str()),
        authid: store_authid(authid),
        known: None,
    };
    let forgotten = match existing_store(&operator.credentials)? {
        Some(store) => store.forget_wrong(&guesser)?,
        None => false,
    };
    if !forgotten {
        let remark = format!(
            "error: there are no wrong answers of {authid} to {kind} in realm {realm}; \
             `countersign credential list {realm}` shows who is locked"
        );
        return Ok(Report {
            remark: Some(remark),
            status: 1,
            ..Report::default()
        });
    }
    let result = format!("{authid} is not locked in realm {realm} by {kind} any more\n");
    Ok(Report {
        result,
        ..Report::default()
    })
}
