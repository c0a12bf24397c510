use clap::Args;

use crate::{admin::Request, command::realm_name, config::RealmName};

#[derive(Debug, Args)]
pub(super) struct StepArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// The step of its logins
    step: String,
}

#[derive(Debug, Args)]
#[command(about = "Have the staged revision decide about a share of the logins")]
pub(super) struct CanaryArgs {
    #[command(flatten)]
    step: StepArgs,

    /// How many of the logins, such as 10% or 0.5%
    #[arg(long, value_parser = thousandths)]
    share: u16,
}

#[derive(Debug, Args)]
#[command(
    about = "Let a revision decide about nobody any more",
    after_help = "Logins by it are told that they cannot be served now, also those that are under way, \
                  until another component is in its place or the revision is readmitted, also after \
                  the router was started anew."
)]
pub(super) struct WithdrawArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// A step, whose present revision is meant; or at least eight digits of a revision's digest
    #[arg(value_name = "STEP|DIGEST")]
    which: String,

    /// End the sessions that it has let in
    #[arg(long)]
    end_sessions: bool,
}

#[derive(Debug, Args)]
#[command(about = "Take back that a revision was withdrawn: it decides about logins again")]
pub(super) struct ReadmitArgs {
    /// The realm
    #[arg(value_parser = realm_name)]
    realm: RealmName,

    /// A step, whose present revision is meant; or at least eight digits of a revision's digest
    #[arg(value_name = "STEP|DIGEST")]
    which: String,
}

impl ReadmitArgs {
    pub(super) fn request(&self) -> Request {
        Request::Readmit {
            realm: self.realm.as_str().to_owned(),
            which: self.which.clone(),
        }
    }
}

impl StepArgs {
    fn names(&self) -> (String, String) {
        (self.realm.as_str().to_owned(), self.step.clone())
    }

    pub(super) fn unstage(&self) -> Request {
        let (realm, step) = self.names();
        Request::Unstage { realm, step }
    }

    pub(super) fn shadow(&self) -> Request {
        let (realm, step) = self.names();
        Request::Shadow { realm, step }
    }

    pub(super) fn roll_back(&self) -> Request {
        let (realm, step) = self.names();
        Request::Rollback { realm, step }
    }
}

impl CanaryArgs {
    pub(super) fn request(&self) -> Request {
        let (realm, step) = self.step.names();
        Request::Canary {
            realm,
            step,
            thousandths: self.share,
        }
    }
}

impl WithdrawArgs {
    pub(super) fn request(&self) -> Request {
        Request::Withdraw {
            realm: self.realm.as_str().to_owned(),
            which: self.which.clone(),
            end_sessions: self.end_sessions,
        }
    }
}

/// A percentage with at most one digit after the point.
fn thousandths(text: &str) -> Result<u16, String> {
    let parsed = text.strip_suffix('%').and_then(|number| {
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let is_tenth = tenth.len() == 1;
        let (whole, tenth): (u16, u16) = (whole.parse().ok()?, tenth.parse().ok()?);
        let thousandths = whole.checked_mul(10)? + tenth;
        (is_tenth && thousandths <= 1000).then_some(thousandths)
    });
    parsed.ok_or_else(|| "a share is from 0% to 100%, such as 10% or 0.5%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage() {
        let good = [
            ("0%", 0),
            ("0.5%", 5),
            ("10%", 100),
            ("99.9%", 999),
            ("100%", 1000),
        ];
        for (text, share) in good {
            assert_eq!(thousandths(text), Ok(share), "{text}");
        }
        for bad in [
            "", "%", "10", "0.1", "101%", "100.1%", "0.55%", "-1%", "1.%", "6554%",
        ] {
            assert!(thousandths(bad).is_err(), "{bad}");
        }
    }
}
