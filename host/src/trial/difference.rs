//! What a table expects, held against what came.

use serde_json::Value as Json;

use super::{
    play::{Played, Said, Turn},
    script::Known,
};
use crate::{
    config::{ExpectedIdentity, ExpectedVerdict, Settings, TestAttempt},
    login::Identity,
    wamp::Dict,
};

/// All that is not as the table has it, a line each.
pub(super) fn differences(attempt: &TestAttempt, played: &Played) -> Vec<String> {
    let mut differences = Vec::new();
    for (number, round) in (1_usize..).zip(&attempt.rounds) {
        let Some(turn) = played.turns.get(number - 1) else {
            break;
        };
        match &turn.said {
            Said::Challenge(challenge) => {
                let place = format!("round {number}: challenge");
                let found = members(&place, &round.challenge, &challenge.extra, turn);
                differences.extend(found);
            }
            other => {
                differences.push(format!("round {number}: expected a challenge, got {other}"));
                return differences;
            }
        }
    }
    let (Some(last), said) = (played.turns.last(), played.said()) else {
        return differences;
    };
    if played.turns.len() <= attempt.rounds.len() {
        return differences;
    }
    let expected = match &attempt.verdict {
        ExpectedVerdict::Challenge(_) => "challenge",
        ExpectedVerdict::Accept(_) => "accept",
        ExpectedVerdict::Deny { .. } => "deny",
        ExpectedVerdict::NotMine => "not-mine",
        ExpectedVerdict::Fault { .. } => "fault",
    };
    if said.word() != expected {
        differences.push(format!("verdict: expected {expected}, got {said}"));
        return differences;
    }
    match (&attempt.verdict, said) {
        (ExpectedVerdict::Challenge(expected), Said::Challenge(challenge)) => {
            differences.extend(members("challenge", expected, &challenge.extra, last));
        }
        (ExpectedVerdict::Accept(expected), Said::Accept(identity)) => {
            differences.extend(identities(expected, identity, last));
        }
        (ExpectedVerdict::Deny { says: Some(says) }, Said::Deny(why)) => {
            differences.extend(words(says, why));
        }
        (ExpectedVerdict::Fault { fault, says }, Said::Fault(label, why)) => {
            if let Some(fault) = fault
                && fault != label
            {
                differences.push(format!("fault: expected {fault:?}, got {label:?}: {why}"));
            }
            differences.extend(says.iter().filter_map(|says| words(says, why)));
        }
        _ => {}
    }
    differences
}

fn words(says: &str, why: &str) -> Option<String> {
    (!why.contains(says)).then(|| format!("says: expected {says:?} to be among {why:?}"))
}

fn identities(expected: &ExpectedIdentity, found: &Identity, turn: &Turn) -> Vec<String> {
    let known_as = |member: &str, expected: Option<&str>, found: Option<&str>| {
        let expected = expected?;
        (Some(expected) != found)
            .then(|| format!("identity.{member}: expected {expected:?}, got {found:?}"))
    };
    let role = expected.role.as_ref().map(crate::config::RoleName::as_str);
    let mut differences: Vec<String> = [
        known_as(
            "authid",
            expected.authid.as_deref(),
            Some(found.authid.as_str()),
        ),
        known_as("role", role, Some(&found.authrole)),
        known_as(
            "authprovider",
            expected.authprovider.as_deref(),
            found.authprovider.as_deref(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let ends = found.expires_at.map(|end| end.as_millis());
    if let Some(expected) = expected.expires_at
        && ends != Some(u128::from(expected))
    {
        differences.push(format!(
            "identity.expires_at: expected {expected}, got {ends:?}"
        ));
    }
    let place = "identity.authextra";
    differences.extend(members(place, &expected.authextra, &found.authextra, turn));
    differences
}

/// Those that are not as expected. What is there besides may be.
fn members(place: &str, expected: &Settings, found: &Dict, turn: &Turn) -> Vec<String> {
    let known = Known {
        nonce: &turn.nonce,
        challenge: found,
    };
    let found_json: Json = serde_json::from_str(&found.to_json()).unwrap_or_default();
    let differences = expected.as_object().iter().filter_map(|(key, expected)| {
        let expected = known.fill_all(expected.clone());
        let found = found_json.get(key);
        if found == Some(&expected) {
            return None;
        }
        let found = found.map_or_else(|| "nothing".to_owned(), Json::to_string);
        Some(format!("{place}.{key}: expected {expected}, got {found}"))
    });
    differences.collect()
}
