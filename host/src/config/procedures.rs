//! Which procedures a method may ask, and which realms a realm lets ask.

use std::{collections::BTreeSet, time::Duration};

use toml::de::DeTable;

use super::{
    document::{Reported, Table, values},
    name::{ProcedureName, RealmName},
    scalar::{Quantity, described, quoted, suggestion},
};

/// `[method.STEP.procedures]`: what a method may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procedures {
    /// Where the callees are.
    pub realm: RealmName,
    /// At least one.
    pub allow: BTreeSet<ProcedureName>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// `[[authenticates]]`: another realm may have its clients authenticated by callees of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticates {
    pub realm: RealmName,
    /// At least one.
    pub procedures: BTreeSet<ProcedureName>,
}

impl Procedures {
    /// `wall` is how long a call of the method may take. By convention a setting `procedure` names
    /// one of those that are allowed, in any method.
    pub(super) fn take(
        mut table: Table<'_>,
        settings: &DeTable<'_>,
        wall: Duration,
    ) -> Result<Self, Reported> {
        let realm = table.required::<RealmName>("realm");
        let allow = table.required_list::<ProcedureName>("allow");
        let timeout = table.within_or(
            "timeout",
            (wall / 2).clamp(Duration::from_millis(1), Duration::from_secs(5)),
            Duration::from_millis(1)..=Duration::from_mins(10),
        );
        let (realm, allow) = (realm?, allow?);
        if allow.value.is_empty() {
            return Err(table.problems.report(allow.at, || {
                "\"allow\" is empty; list the procedures that may be called".to_owned()
            }));
        }
        if timeout >= wall {
            return Err(table.problems.report(table.at, || {
                let [timeout, wall] = [timeout, wall].map(|duration| duration.written());
                format!(
                    "\"timeout\" ({timeout}) is not less than the limit \"wall\" ({wall}) of the \
                     whole call; raise \"wall\" under \"limits\""
                )
            }));
        }
        if realm.value.as_str().contains('/') {
            return Err(table.problems.report(realm.at, || {
                let realm = quoted(realm.value.as_str());
                format!("\"realm\" is {realm}, of which there can be no file; name another")
            }));
        }
        let allow: BTreeSet<ProcedureName> = values(allow.value).collect();
        if let Some(named) = settings.get("procedure") {
            let is_allowed = |text: &str| allow.contains(text);
            if !named.get_ref().as_str().is_some_and(is_allowed) {
                return Err(table.problems.report(named.span().start, || {
                    let advice = suggestion(named.get_ref().as_str().unwrap_or_default(), || {
                        allow.iter().map(ProcedureName::as_str)
                    });
                    let named = described(named.get_ref());
                    format!("the setting \"procedure\" is {named}, which \"allow\" does not have; {advice}")
                }));
            }
        }
        Ok(Self {
            realm: realm.value,
            allow,
            timeout,
        })
    }
}

impl Authenticates {
    /// Takes one `[[authenticates]]` of the realm `name`, which is none where that is wrong itself.
    pub(super) fn take(mut table: Table<'_>, name: Option<&RealmName>) -> Result<Self, Reported> {
        let realm = table.required::<RealmName>("realm");
        let procedures = table.required_list::<ProcedureName>("procedures");
        let (realm, procedures) = (realm?, procedures?);
        if Some(&realm.value) == name {
            return Err(table.problems.report(realm.at, || {
                format!(
                    "{} is this realm itself, which need not allow itself anything; remove the table",
                    quoted(realm.value.as_str())
                )
            }));
        }
        if procedures.value.is_empty() {
            return Err(table.problems.report(procedures.at, || {
                "\"procedures\" is empty; list those that the realm may have called".to_owned()
            }));
        }
        Ok(Self {
            realm: realm.value,
            procedures: values(procedures.value).collect(),
        })
    }

    /// Whether this lets a realm have a procedure called.
    #[must_use]
    pub fn allows(&self, realm: &str, procedure: &str) -> bool {
        self.realm.as_str() == realm && self.procedures.contains(procedure)
    }
}
