//! What a client sends before WELCOME, message by message, with methods that say what the input has them
//! say. Nobody is let in whom no method has accepted; and each answer was asked for.
#![no_main]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use countersign_fuzz::{
    login::{
        Alternative, Authid, Challenge, Effect, Fault, Identity, Limits, Login, Outcome, Policy,
        Role, Step, StepName, Verdict, When,
    },
    wamp::{Dict, Id, Message, Serializer},
};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    hello: Duration::from_secs(5),
    round: Duration::from_mins(1),
    total: Duration::from_mins(2),
    rounds: 3,
};

const NONCE: [u8; 32] = [7; 32];

fn policy() -> Arc<Policy> {
    let later = |name: &&str| Step {
        name: StepName::new(name),
        when: When::Enrolled,
        may_change_role: false,
    };
    let by = |first, rest: &[&str]| Alternative {
        first: StepName::new(first),
        rest: rest.iter().map(later).collect(),
        confidential: false,
    };
    Arc::new(Policy {
        alternatives: vec![by("ticket", &["totp"]), by("anonymous", &[])],
        roles: vec![Role {
            name: "user".into(),
            requires: Vec::new(),
        }],
        ..Policy::default()
    })
}

/// What a method says.
fn verdict(choice: u8) -> Result<Verdict, Fault> {
    match choice % 5 {
        0 => Ok(Verdict::Challenge(Challenge {
            extra: Dict::new(),
            state: Vec::new().into(),
        })),
        1 => Ok(Verdict::Accept(Identity {
            authid: Authid::parse("alice").expect("it is one"),
            authrole: if choice > 128 { "admin" } else { "user" }.into(),
            authprovider: None,
            authextra: Dict::new(),
            expires_at: None,
        })),
        2 => Ok(Verdict::NotMine),
        3 => Ok(Verdict::Deny("no".into())),
        _ => Err(Fault {
            overload: false,
            why: "it trapped".into(),
        }),
    }
}

fuzz_target!(|input: (Vec<u8>, Vec<&[u8]>)| {
    let (choices, frames) = input;
    let mut choices = choices.into_iter();
    let mut frames = frames.into_iter();
    let mut login = Login::new(LIMITS, Id::MAX, || NONCE, true);
    let (mut accepted, mut challenges) = (0, 0);
    let mut effect = None;
    loop {
        effect = Some(match effect {
            None | Some(Effect::Send(_)) => {
                let Some(frame) = frames.next() else { return };
                match Message::decode(Serializer::Json, &Bytes::copy_from_slice(frame), 16) {
                    Ok(message) => login.receive(message, Duration::from_secs(1)),
                    Err(error) => login.receive_malformed(error.to_string()),
                }
            }
            Some(Effect::Open { .. }) => login.open(Some(policy())),
            Some(Effect::Call(call)) => {
                // An answer is there where a challenge went before it.
                assert!(call.answer.is_none() || challenges > 0);
                let Some(choice) = choices.next() else { return };
                let verdict = verdict(choice);
                accepted += u32::from(matches!(verdict, Ok(Verdict::Accept(_))));
                challenges += u32::from(matches!(verdict, Ok(Verdict::Challenge(_))));
                login.decide(verdict, Duration::from_secs(1))
            }
            Some(Effect::Enrolled { .. }) => {
                let Some(choice) = choices.next() else { return };
                login.enrolled(Ok(choice % 2 == 0))
            }
            Some(Effect::End(Outcome::Accepted(session))) => {
                assert!(accepted > 0);
                assert_eq!(
                    (session.authid.as_str(), &*session.authrole),
                    ("alice", "user")
                );
                return;
            }
            Some(Effect::End(_)) => return,
        });
    }
});
