//! Letting a person add a passkey.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};
use clap::Args;

use super::{Report, list::for_people, store_authid};
use crate::{
    command::secret::Secret,
    config::RealmName,
    credential::{
        EnrolledKey, EnrolmentCode, Invitation, Kind, Material, Record, Sqlite, Store, StoreError,
    },
    login::Authid,
};

/// Minutes that a code is good for: long enough for a message to be read, and short enough for a
/// mailbox that somebody else reads later.
const VALID: u32 = 60;

/// A month of them.
const LONGEST: i64 = 31 * 24 * 60;

#[derive(Debug, Args)]
pub(super) struct WebauthnArgs {
    /// For webauthn: how long the code is good [default: 60]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=LONGEST))]
    valid: Option<u32>,
}

impl WebauthnArgs {
    pub(super) const fn is_used(&self) -> bool {
        self.valid.is_some()
    }

    /// Makes a code that lets somebody add one passkey. A former code of theirs ends.
    pub(super) fn invite(
        &self,
        realm: &RealmName,
        authid: &Authid,
        role: &str,
        replace: bool,
        store: &Sqlite,
    ) -> anyhow::Result<Report> {
        let (in_realm, kind, whose) = (
            realm.as_str().into(),
            Kind::webauthn(),
            store_authid(authid),
        );
        if replace {
            store.remove(&in_realm, &kind, &whose)?;
        }
        match store.find(&in_realm, &kind, &whose) {
            Ok(None) => {}
            Ok(Some(present)) => may_extend(&present, role)?,
            Err(StoreError::Damaged { .. }) => bail!(
                "the passkeys of {authid} in realm {realm} cannot be read; --replace removes them"
            ),
            Err(error) => return Err(error.into()),
        }
        let code = EnrolmentCode::generate().context("the system has no randomness for a code")?;
        let minutes = self.valid.unwrap_or(VALID);
        let expires = SystemTime::now() + Duration::from_secs(60 * u64::from(minutes));
        let invitation = Invitation {
            authrole: role.into(),
            code: code.hash(&in_realm, &kind, &whose),
            expires,
        };
        store.invite(&in_realm, &kind, &whose, &invitation)?;
        Ok(Report {
            result: format!(
                "{authid} can add a passkey for realm {realm}, with the role {role}, until {} UTC\n",
                for_people(expires)
            ),
            secret: Some(handout(authid, &code)),
            ..Report::default()
        })
    }
}

/// Whether one key more fits to what somebody has.
fn may_extend(present: &Record, role: &str) -> anyhow::Result<()> {
    let Record {
        authid,
        authrole,
        material,
        validity,
        ..
    } = present;
    let ended = validity.expires.is_some_and(|end| end <= SystemTime::now());
    if validity.disabled || ended {
        bail!(
            "the passkeys of {authid} are {}, and another one would be as well; --replace removes \
             them",
            if validity.disabled {
                "disabled"
            } else {
                "expired"
            }
        );
    }
    if authrole.as_str() != role {
        bail!(
            "{authid} has passkeys with the role {authrole}, and another one cannot have the role \
             {role}; --replace removes those first"
        );
    }
    if let Material::EnrolledKeys(keys) = material
        && keys.len() >= EnrolledKey::MOST
    {
        bail!(
            "{authid} has {} passkeys, the most that are possible; --replace removes them",
            keys.len()
        );
    }
    Ok(())
}

/// What the person must get, for the screen.
fn handout(authid: &Authid, code: &EnrolmentCode) -> Secret {
    // Large enough from the start: text that grows leaves copies behind.
    let mut text = String::with_capacity(4 << 10);
    // Writing to a String does not fail.
    _ = writeln!(
        text,
        "\nThe code, once and never again:\n\n  {}\n\n\
         It is good once. The client logs in as {authid} by webauthn, with the code in its\n\
         authextra ({{\"enrolment\": \"…\"}}); it is asked to make a passkey, and is logged in. Give the\n\
         code to nobody else: whoever has it can log in as {authid} from then on.\n",
        *code.expose()
    );
    Secret::from(text)
}
