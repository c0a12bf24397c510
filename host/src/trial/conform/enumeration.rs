//! The same work for who exists and who does not (T02).

use super::{Check, Suite};
use crate::{
    config::{CredentialState, TestTable},
    login::Authid,
    trial::{
        play::{Played, Said, Turn},
        scene::TrialError,
    },
    wamp::{Dict, Value},
};

/// The most that the work may differ by: a thousandth.
const TOLERANCE: u64 = 1000;

impl Suite<'_> {
    pub(super) async fn treats_everyone_alike(&mut self) -> Result<(), TrialError> {
        if !self.works_with_credentials() {
            return Ok(());
        }
        let usable = self.scene(self.table).await?;
        let disabled = self
            .scene(&in_state(self.table, CredentialState::Disabled))
            .await?;
        let locked = self
            .scene(&in_state(self.table, CredentialState::Locked))
            .await?;
        for (name, right) in self.shown() {
            let Some(authid) = right.user() else {
                continue;
            };
            let wrong = right.with_wrong_answer();
            let measure = usable.play(&wrong).await;
            if matches!(measure.said(), Said::Accept(_)) {
                self.fail(
                    Check::Enumeration,
                    format!("{name}: a wrong answer let {authid} in"),
                );
                continue;
            }
            let nobody = unknown(&authid);
            let wrong_of_nobody = wrong.as_somebody(&nobody);
            self.compare(
                &format!("{name}: beside a wrong answer"),
                &measure,
                [
                    (
                        "somebody who does not exist",
                        usable.play(&wrong_of_nobody).await,
                    ),
                    ("a disabled credential", disabled.play(&wrong).await),
                    ("a locked one", locked.play(&wrong).await),
                ],
            );
            // What is right but for whose it is takes other ways through a method.
            self.compare(
                &format!("{name}: beside the right answer to a disabled credential"),
                &disabled.play(&right).await,
                [
                    (
                        "somebody who does not exist",
                        disabled.play(&right.as_somebody(&nobody)).await,
                    ),
                    ("a locked credential", locked.play(&right).await),
                ],
            );
        }
        Ok(())
    }

    fn compare<const N: usize>(
        &mut self,
        beside: &str,
        measure: &Played,
        all: [(&str, Played); N],
    ) {
        for (who, played) in all {
            self.look(Check::Enumeration);
            if let Some(difference) = difference(measure, &played) {
                self.fail(Check::Enumeration, format!("{beside}, {who} {difference}"));
            }
        }
    }
}

fn in_state(table: &TestTable, state: CredentialState) -> TestTable {
    let mut changed = table.clone();
    for credential in &mut changed.credentials {
        credential.state = state;
    }
    changed
}

/// An authid of the same length that no table has.
pub(super) fn unknown(authid: &Authid) -> Authid {
    let other = super::input::wrong(authid.as_str());
    Authid::parse(&other).unwrap_or_else(|_| authid.clone())
}

/// How the second differs in what could be seen of it. What is said to the operator may differ.
fn difference(measure: &Played, other: &Played) -> Option<String> {
    if measure.turns.len() != other.turns.len() {
        return Some(format!(
            "takes {} calls instead of {}",
            other.turns.len(),
            measure.turns.len()
        ));
    }
    let mut turns = measure.turns.iter().zip(&other.turns);
    turns.find_map(|(measure, other)| turns_differ(measure, other))
}

fn turns_differ(measure: &Turn, other: &Turn) -> Option<String> {
    let call = match other.asked {
        crate::trial::Asked::Begin => "begin",
        crate::trial::Asked::Resume => "resume",
    };
    if measure.said.word() != other.said.word() {
        return Some(format!(
            "gets another verdict from {call}: {} instead of {}",
            other.said, measure.said
        ));
    }
    if let (Said::Challenge(ours), Said::Challenge(theirs)) = (&measure.said, &other.said)
        && shape(&ours.extra) != shape(&theirs.extra)
    {
        return Some(format!(
            "gets a challenge of another shape: {} instead of {}",
            theirs.extra.to_json(),
            ours.extra.to_json()
        ));
    }
    let (Some(ours), Some(theirs)) = (measure.cost, other.cost) else {
        return None;
    };
    if ours.host_calls != theirs.host_calls {
        return Some(format!(
            "has {call} ask the host for other things: {:?} instead of {:?}",
            theirs.host_calls, ours.host_calls
        ));
    }
    if let (Some(ours), Some(theirs)) = (ours.fuel, theirs.fuel)
        && ours.abs_diff(theirs) > ours / TOLERANCE
    {
        return Some(format!(
            "takes {theirs} units of work in {call} instead of {ours}, more than a thousandth apart"
        ));
    }
    None
}

/// A dictionary without what is in it: names, kinds, lengths.
fn shape(dict: &Dict) -> Vec<(String, String)> {
    let member = |(name, value): (&str, &Value)| (name.to_owned(), kind(value));
    dict.iter().map(member).collect()
}

fn kind(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("text of {}", text.len()),
        Value::Binary(octets) => format!("octets: {}", octets.len()),
        Value::List(items) => format!("{:?}", items.iter().map(kind).collect::<Vec<_>>()),
        Value::Dict(dict) => format!("{:?}", shape(dict)),
        // Numbers such as costs are parameters, which everyone has alike.
        other => format!("{other:?}"),
    }
}
