//! What clients send that mean no good, and states that a method did not write.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Check, Severity, Suite};
use crate::{
    login::Challenge,
    trial::{
        play::{MOST_ROUNDS, Said, answer},
        scene::TrialError,
        script::{Reply, Script},
    },
    wamp::Dict,
};

/// What a client can send before its login, a message being 16 KiB at most.
const LARGEST: usize = 15 << 10;

/// In a wrong answer, and so in nothing that the operator is told.
const CANARY: &str = "conform-canary-9c2f";

impl Suite<'_> {
    pub(super) async fn stands_any_input(&mut self) -> Result<(), TrialError> {
        let scene = self.scene(self.table).await?;
        let mut bases: Vec<Script> = self.accepted.iter().map(|it| it.script.clone()).collect();
        if bases.is_empty() {
            bases = self.table.attempts.iter().flat_map(Script::of).collect();
        }
        bases.push(Script::plain("alice"));
        for base in &bases {
            for authextra in strange_objects(&base.authextra) {
                let script = Script {
                    authextra: authextra.into(),
                    replies: Vec::new(),
                    ..base.clone()
                };
                let said = scene.play(&script).await.said().clone();
                self.input(&said, "authextra", &script.authextra);
            }
            for authid in strange_authids() {
                let script = Script {
                    authid: crate::login::Authid::parse(&authid).ok(),
                    ..base.clone()
                };
                let said = scene.play(&script).await.said().clone();
                self.input(&said, "authid", &authid);
            }
            let begun = scene.ask(base, 1, None).await;
            let Said::Challenge(challenge) = &begun.said else {
                continue;
            };
            for reply in strange_replies() {
                let answer = answer(&reply, begun.nonce, challenge);
                let shown = format!("{} {}", answer.signature, answer.extra.to_json());
                let said = scene.ask(base, 2, Some(answer)).await.said;
                if matches!(said, Said::Accept(_)) {
                    let shown = shortened(&shown);
                    self.fail(Check::Input, format!("the answer {shown} is accepted"));
                }
                self.input(&said, "answer", &shown);
            }
        }
        Ok(())
    }

    fn input(&mut self, said: &Said, what: &str, shown: &str) {
        self.look(Check::Input);
        let Said::Fault(label, why) = said else {
            return;
        };
        let shown = shortened(shown);
        let found = format!("the {what} {shown} leads to a fault: {why}");
        match *label {
            // Told by others.
            "nonce" | "order" => {}
            "undecided" => self.warn(
                Check::Input,
                format!("{found}; what a client did wrong is better denied"),
            ),
            _ => self.fail(Check::Input, found),
        }
    }

    /// Truncated, lengthened, or with one bit flipped.
    pub(super) async fn stands_any_state(&mut self) -> Result<(), TrialError> {
        let scene = self.scene(self.table).await?;
        for (_, script) in self.shown() {
            let Some(reply) = script.replies.first().cloned() else {
                continue;
            };
            let begun = scene.ask(&script, 1, None).await;
            let Said::Challenge(challenge) = &begun.said else {
                continue;
            };
            for state in strange_states(&challenge.state) {
                self.look(Check::State);
                let challenge = Challenge {
                    state: Arc::from(state),
                    ..challenge.clone()
                };
                let answer = answer(&reply, begun.nonce, &challenge);
                let said = scene.ask(&script, 2, Some(answer)).await.said;
                match &said {
                    Said::Fault(label, _) if matches!(*label, "undecided" | "nonce" | "order") => {}
                    Said::Fault(_, why) => {
                        let length = challenge.state.len();
                        self.fail(
                            Check::State,
                            format!("a state of {length} octets leads to a fault: {why}"),
                        );
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A wrong answer, as often as there are challenges.
    pub(super) async fn keeps_secrets_and_ends(&mut self) -> Result<(), TrialError> {
        let scene = self.scene(self.table).await?;
        let mut scripts: Vec<Script> = self.table.attempts.iter().flat_map(Script::of).collect();
        scripts.push(Script::plain("alice"));
        for script in scripts {
            let script = Script {
                replies: vec![Reply::literal(CANARY); MOST_ROUNDS],
                ..script
            };
            let played = scene.play(&script).await;
            if played.turns.len() == 1 {
                continue;
            }
            self.look(Check::Rounds);
            if matches!(played.said(), Said::Challenge(_)) {
                self.fail(
                    Check::Rounds,
                    format!("after {MOST_ROUNDS} wrong answers it still asks"),
                );
            }
            self.look(Check::Secrets);
            if let Said::Deny(why) | Said::Fault(_, why) = played.said()
                && why.contains(CANARY)
            {
                let severity = if self.clear_secret() {
                    Severity::Failure
                } else {
                    Severity::Warning
                };
                self.find(
                    Check::Secrets,
                    severity,
                    format!("it repeats the client's answer: {why}"),
                );
            }
        }
        Ok(())
    }
}

impl Script {
    /// The same, with another answer of the same form in the last round; where nothing is answered, with
    /// other texts in what is sent along.
    pub(super) fn with_wrong_answer(&self) -> Self {
        let mut changed = self.clone();
        match changed.replies.last_mut() {
            Some(reply) => reply.spoil(wrong),
            None => changed.authextra = spoilt(&self.authextra).into(),
        }
        changed
    }
}

/// A text of the same length and the same kinds of letters and digits, which differs in one of them:
/// one in the middle, so that what is encoded in it can still be decoded.
pub(super) fn wrong(text: &str) -> String {
    let middle = text.chars().count() / 2;
    let candidates = text.char_indices().enumerate();
    let nearest = candidates
        .filter(|(_, (_, c))| c.is_ascii_alphanumeric())
        .min_by_key(|(place, _)| place.abs_diff(middle));
    let Some((_, (at, old))) = nearest else {
        return text.to_owned();
    };
    let new = match old {
        '9' => '0',
        // So that hex stays hex.
        'f' => 'a',
        'F' => 'A',
        'z' => 'y',
        'Z' => 'Y',
        other => char::from(u8::try_from(other).unwrap_or(b'/') + 1),
    };
    let (before, after) = text.split_at(at);
    let after: String = after.chars().skip(1).collect();
    format!("{before}{new}{after}")
}

fn spoilt(object: &str) -> String {
    let members: Map<String, Json> = serde_json::from_str(object).unwrap_or_default();
    let spoil = |(key, value): (String, Json)| match value {
        Json::String(text) => (key, Json::String(wrong(&text))),
        other => (key, other),
    };
    Json::Object(members.into_iter().map(spoil).collect()).to_string()
}

/// The object with each of its members, and some that methods often read, made something else.
fn strange_objects(good: &str) -> Vec<String> {
    let good: Map<String, Json> = serde_json::from_str(good).unwrap_or_default();
    let deep = (0..12).fold(json!(1), |inside, _| json!({ "a": inside }));
    let values = [
        Json::Null,
        json!(false),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}AA=="),
        json!("\u{202e}\u{1f600}\r\n\u{1b}[2J"),
        json!("x".repeat(LARGEST)),
        json!([1, [2, [3]]]),
        deep,
    ];
    let usual = ["nonce", "pubkey", "channel_binding", "token", "conform"];
    let keys: Vec<String> = good
        .keys()
        .cloned()
        .chain(usual.map(str::to_owned))
        .collect();
    let mut all = vec!["{}".to_owned()];
    for key in keys {
        for value in &values {
            let mut members = good.clone();
            members.insert(key.clone(), value.clone());
            all.push(Json::Object(members).to_string());
        }
    }
    let many = (0..500).map(|number| (format!("m{number}"), json!(number)));
    all.push(Json::Object(many.collect()).to_string());
    all
}

fn strange_authids() -> [String; 6] {
    [
        "x".repeat(256),
        "\u{1f600}".repeat(64),
        r#"","authrole":"admin"#.to_owned(),
        "../../etc/passwd".to_owned(),
        "a,b=c".to_owned(),
        " ".to_owned(),
    ]
}

fn strange_replies() -> Vec<Reply> {
    let texts = [
        String::new(),
        " ".to_owned(),
        "\u{0}".to_owned(),
        "AA".to_owned(),
        "====".to_owned(),
        "\u{1f600}\u{202e}\r\n".to_owned(),
        "[".repeat(LARGEST),
        "f".repeat(192),
        "A".repeat(44),
        "9".repeat(6),
        "\u{ff10}".repeat(6),
        "x".repeat(LARGEST),
        "{}".to_owned(),
        r#"{"rawId":"","type":"public-key","response":{}}"#.to_owned(),
        CANARY.to_owned(),
    ];
    // A password may be checked for each: no more than tell something.
    let extras = [
        r#"{"nonce":null,"conform":[{}]}"#,
        r#"{"nonce":-1,"channel_binding":{}}"#,
        r#"{"nonce":"\u0000AA==","cbind_data":"\u0000"}"#,
        r#"{"nonce":"\ud83d\ude00","channel_binding":"tls-exporter"}"#,
    ];
    let extras = extras.into_iter().filter_map(|text| {
        let extra = Dict::from_json(text, 16).ok()?;
        Some(Reply::fixed("conform", &extra))
    });
    texts
        .into_iter()
        .map(Reply::literal)
        .chain(extras)
        .collect()
}

fn strange_states(good: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new(), vec![0xff; 4096], b"{}".to_vec()];
    if let Some(half) = good.get(..good.len() / 2) {
        all.push(half.to_vec());
    }
    all.push([good, &[0]].concat());
    let places = [
        0,
        good.len() / 3,
        good.len() / 2,
        good.len().saturating_sub(1),
    ];
    for place in places {
        let mut flipped = good.to_vec();
        if let Some(octet) = flipped.get_mut(place) {
            *octet ^= 0x80;
            all.push(flipped);
        }
    }
    all
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", text.split_at(end).0),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_has_the_form_of_the_right_one() {
        assert_eq!(wrong("alice"), "aljce");
        assert_eq!(wrong("ffff"), "ffaf");
        assert_eq!(wrong("9"), "0");
        assert_eq!(wrong(r#"{"a":"zZ"}"#), r#"{"a":"yZ"}"#);
        assert_eq!(wrong("…"), "…");
        assert_eq!(
            spoilt(r#"{"n":1,"token":"abc"}"#),
            r#"{"n":1,"token":"acc"}"#
        );
    }
}
