//! What the login's state machine costs without a network and without methods.

use std::{hint::black_box, sync::Arc, time::Duration};

use countersign::{
    login::{
        Alternative, Authid, Challenge, Effect, Identity, Limits, Login, Policy, Role, StepName,
        Verdict,
    },
    wamp::{Dict, Id, Message, Value},
};
use criterion::Criterion;

const LIMITS: Limits = Limits {
    hello: Duration::from_secs(5),
    round: Duration::from_secs(30),
    total: Duration::from_secs(60),
    rounds: 4,
};

const NONCE: [u8; 32] = [0x5a; 32];

fn hello() -> Message {
    let methods = ["anonymous", "ticket", "wampcra"].map(Value::from).to_vec();
    let details = Dict::new()
        .with("authid", "alice")
        .with("authmethods", methods)
        .with("roles", Dict::new().with("caller", Dict::new()));
    Message::Hello {
        realm: "realm1".into(),
        details,
    }
}

fn challenge() -> Verdict {
    let text = format!("{{\"nonce\":\"{}\"}}", "5a".repeat(32));
    Verdict::Challenge(Challenge {
        extra: Dict::new().with("challenge", text),
        state: Arc::new([]),
    })
}

fn accept() -> Verdict {
    Verdict::Accept(Identity {
        authid: Authid::parse("alice").expect("it is one"),
        authrole: "user".into(),
        authprovider: None,
        authextra: Dict::new(),
        expires_at: None,
    })
}

/// From HELLO to the identity: one challenge, by the last of a realm's alternatives.
fn login(
    policy: &Arc<Policy>,
    messages: (Message, Message),
    verdicts: (Verdict, Verdict),
) -> Effect {
    let age = Duration::from_millis(1);
    let mut login = Login::new(LIMITS, Id::MIN, || NONCE, true);
    _ = login.receive(messages.0, age);
    _ = login.open(Some(Arc::clone(policy)));
    _ = login.decide(Ok(verdicts.0), age);
    _ = login.receive(messages.1, age);
    login.decide(Ok(verdicts.1), age)
}

fn role(name: &str) -> Role {
    Role {
        name: name.into(),
        requires: Vec::new(),
    }
}

pub fn policy(c: &mut Criterion) {
    let alternatives = ["cryptosign", "wampcra"].map(|step| Alternative {
        first: StepName::new(step),
        rest: Vec::new(),
        confidential: false,
    });
    let policy = Arc::new(Policy {
        alternatives: alternatives.to_vec(),
        roles: ["admin", "user"].map(role).to_vec(),
        ..Policy::default()
    });
    let answer = Message::Authenticate {
        signature: "a signature".into(),
        extra: Dict::new(),
    };
    let (messages, verdicts) = ((hello(), answer), (challenge(), accept()));
    let done = login(&policy, messages.clone(), verdicts.clone());
    assert!(matches!(
        done,
        Effect::End(countersign::login::Outcome::Accepted(_))
    ));
    c.bench_function("policy: HELLO to WELCOME", |b| {
        b.iter_batched(
            || (messages.clone(), verdicts.clone()),
            |(messages, verdicts)| black_box(login(&policy, messages, verdicts)),
            criterion::BatchSize::SmallInput,
        );
    });
}
