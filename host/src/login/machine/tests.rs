mod cleartext;
mod downgrade;
mod messages;
mod policy;

use proptest::{collection, prelude::*, sample};

use messages::messages_out_of_place;

use super::*;
use crate::{
    login::{Alternative, Authid, Role},
    wamp::Value,
};

const LIMITS: Limits = Limits {
    hello: Duration::from_secs(5),
    round: Duration::from_mins(1),
    total: Duration::from_mins(2),
    rounds: 3,
};
const SESSION: Id = Id::MAX;
const NOW: Duration = Duration::from_secs(1);

fn nonce() -> Nonce {
    [0xab; 32]
}

fn login() -> Login {
    Login::new(LIMITS, SESSION, nonce, true)
}

fn policy(alternatives: &[&[&str]]) -> Arc<Policy> {
    let alternatives = alternatives
        .iter()
        .map(|steps| Alternative {
            first: StepName::new(steps[0]),
            rest: steps[1..].iter().copied().map(always).collect(),
            confidential: false,
        })
        .collect();
    Arc::new(Policy {
        alternatives,
        roles: vec![role("user", &[])],
        ..Policy::default()
    })
}

/// A step for everyone, which changes nothing.
fn always(name: &str) -> Step {
    Step {
        name: StepName::new(name),
        when: When::Always,
        may_change_role: false,
    }
}

fn role(name: &str, requires: &[&str]) -> Role {
    Role {
        name: name.into(),
        requires: requires.iter().copied().map(StepName::new).collect(),
    }
}

fn hello(methods: &[&str]) -> Message {
    let methods = methods.iter().copied().map(Value::from).collect::<Vec<_>>();
    let details = Dict::new()
        .with("roles", Dict::new().with("caller", Dict::new()))
        .with("authid", "alice")
        .with("authmethods", methods);
    Message::Hello {
        realm: "realm1".into(),
        details,
    }
}

fn authenticate() -> Message {
    Message::Authenticate {
        signature: "s".into(),
        extra: Dict::new(),
    }
}

fn challenge() -> Verdict {
    Verdict::Challenge(Challenge {
        extra: Dict::new(),
        state: [7].into(),
    })
}

fn accept(authid: &str, role: &str) -> Verdict {
    Verdict::Accept(Identity {
        authid: Authid::parse(authid).unwrap(),
        authrole: role.into(),
        authprovider: None,
        authextra: Dict::new(),
        expires_at: None,
    })
}

/// The login at its first question, over this policy.
fn asked(login: &mut Login, methods: &[&str], policy: Arc<Policy>) -> Effect {
    assert!(matches!(
        login.receive(hello(methods), NOW),
        Effect::Open { .. }
    ));
    login.open(Some(policy))
}

#[track_caller]
fn refused(effect: Effect) -> Refusal {
    match effect {
        Effect::End(Outcome::Denied(denial)) => denial.refusal,
        other => panic!("expected a denial, not {other:?}"),
    }
}

#[track_caller]
fn called(effect: Effect) -> Call {
    match effect {
        Effect::Call(call) => call,
        other => panic!("expected a call, not {other:?}"),
    }
}

#[track_caller]
fn accepted(effect: Effect) -> Accepted {
    match effect {
        Effect::End(Outcome::Accepted(accepted)) => accepted,
        other => panic!("expected a welcome, not {other:?}"),
    }
}

#[test]
fn a_challenge_and_its_answer_lead_to_a_welcome() {
    let mut login = login();
    let call = called(asked(&mut login, &["ticket"], policy(&[&["ticket"]])));
    assert_eq!((call.step.as_str(), call.answer), ("ticket", None));
    assert!(matches!(
        login.decide(Ok(challenge()), NOW),
        Effect::Send(_)
    ));
    let answer = called(login.receive(authenticate(), NOW)).answer.unwrap();
    assert_eq!((answer.nonce, &*answer.state), (nonce(), &[7][..]));
    let accepted = accepted(login.decide(Ok(accept("alice", "user")), NOW));
    assert_eq!(accepted.authmethod.as_str(), "ticket");
    assert_eq!(accepted.session, SESSION);
}

#[test]
fn two_steps_are_both_asked() {
    let mut login = login();
    let _ = asked(&mut login, &["wampcra"], policy(&[&["wampcra", "totp"]]));
    let second = called(login.decide(Ok(accept("alice", "user")), NOW));
    assert_eq!(second.step.as_str(), "totp");
    assert_eq!(second.attempt.proven.len(), 1);
    let accepted = accepted(login.decide(Ok(accept("alice", "user")), NOW));
    // The client announced this one.
    assert_eq!(accepted.authmethod.as_str(), "wampcra");
}

#[test]
fn a_later_step_cannot_name_someone_else() {
    for (authid, role) in [("bob", "user"), ("alice", "admin")] {
        let mut login = login();
        let _ = asked(&mut login, &["a"], policy(&[&["a", "b"]]));
        let _ = login.decide(Ok(accept("alice", "user")), NOW);
        assert_eq!(
            refused(login.decide(Ok(accept(authid, role)), NOW)),
            Refusal::Denied
        );
    }
}

#[test]
fn a_role_that_the_realm_does_not_have_is_a_denial() {
    let mut login = login();
    let _ = asked(&mut login, &["a"], policy(&[&["a"]]));
    assert_eq!(
        refused(login.decide(Ok(accept("alice", "admin")), NOW)),
        Refusal::Denied
    );
}

#[test]
fn not_mine_and_failed_are_never_merged() {
    let either = || policy(&[&["a"], &["b"]]);
    let mut passed_on = login();
    let _ = asked(&mut passed_on, &["b", "a"], either());
    assert_eq!(
        called(passed_on.decide(Ok(Verdict::NotMine), NOW))
            .step
            .as_str(),
        "b"
    );
    assert_eq!(
        refused(passed_on.decide(Ok(Verdict::NotMine), NOW)),
        Refusal::NoMatchingMethod
    );

    let fault = Fault {
        overload: false,
        why: "trap".into(),
    };
    for verdict in [Ok(Verdict::Deny("no".into())), Err(fault)] {
        let mut login = login();
        let _ = asked(&mut login, &["a", "b"], either());
        assert_eq!(refused(login.decide(verdict, NOW)), Refusal::Denied);
    }

    let mut late = login();
    let _ = asked(&mut late, &["a", "b"], either());
    let _ = late.decide(Ok(challenge()), NOW);
    let _ = late.receive(authenticate(), NOW);
    assert_eq!(
        refused(late.decide(Ok(Verdict::NotMine), NOW)),
        Refusal::Denied
    );
}

#[test]
fn messages_out_of_place_are_violations() {
    let goodbye = || Message::Goodbye {
        details: Dict::new(),
        reason: "x".into(),
    };
    for message in [
        authenticate(),
        goodbye(),
        Message::Abort {
            details: Dict::new(),
            reason: "x".into(),
        },
    ] {
        assert_eq!(
            refused(login().receive(message, NOW)),
            Refusal::ProtocolViolation
        );
    }
    for message in [authenticate(), goodbye(), hello(&["a"])] {
        let mut login = login();
        let _ = asked(&mut login, &["a"], policy(&[&["a"]]));
        assert_eq!(
            refused(login.receive(message, NOW)),
            Refusal::ProtocolViolation
        );
    }
    for message in [goodbye(), hello(&["a"])] {
        let mut login = login();
        let _ = asked(&mut login, &["a"], policy(&[&["a"]]));
        let _ = login.decide(Ok(challenge()), NOW);
        assert_eq!(
            refused(login.receive(message, NOW)),
            Refusal::ProtocolViolation
        );
    }
}

#[test]
fn an_unknown_realm_and_one_without_a_policy_look_the_same() {
    for found in [None, Some(policy(&[]))] {
        let mut login = login();
        let _ = login.receive(hello(&["a"]), NOW);
        assert_eq!(refused(login.open(found)), Refusal::NoSuchRealm);
    }
}

#[test]
fn a_client_that_announces_nothing_is_anonymous_if_the_realm_names_that() {
    let mut login1 = login();
    let call = called(asked(
        &mut login1,
        &[],
        policy(&[&["ticket"], &["anonymous"]]),
    ));
    assert_eq!(call.step.as_str(), "anonymous");
    let mut login2 = login();
    assert_eq!(
        refused(asked(&mut login2, &[], policy(&[&["ticket"]]))),
        Refusal::NoMatchingMethod
    );
}

/// The realm's bound for a step; those before it have not used it up.
#[test]
fn rounds_of_a_step_are_bounded() {
    let mut policy = Arc::unwrap_or_clone(policy(&[&["a", "b"]]));
    policy.rounds = [("a", 1), ("b", 1)]
        .map(|(step, most)| (StepName::new(step), most))
        .into();
    let mut login = login();
    let _ = asked(&mut login, &["a"], Arc::new(policy));
    for _ in 0..2 {
        let asks = login.decide(Ok(challenge()), NOW);
        assert!(matches!(asks, Effect::Send(_)), "{asks:?}");
        called(login.receive(authenticate(), NOW));
        if login.transcript().len() == 1 {
            called(login.decide(Ok(accept("alice", "user")), NOW));
        }
    }
    let Effect::End(Outcome::Denied(denial)) = login.decide(Ok(challenge()), NOW) else {
        panic!("b has had its round");
    };
    assert_eq!(denial.refusal, Refusal::Denied);
    assert_eq!(denial.why, "b has no rounds left of its 1 (limit: rounds)");
}

#[test]
fn a_realm_without_room_turns_a_login_away_before_it_asks_anything() {
    let mut login = login();
    assert!(matches!(
        login.receive(hello(&["a"]), NOW),
        Effect::Open { .. }
    ));
    assert_eq!(refused(login.turn_away("full")), Refusal::Unavailable);
    assert!(login.transcript().is_empty());
}

#[test]
fn rounds_are_bounded() {
    let mut login = login();
    let _ = asked(&mut login, &["a"], policy(&[&["a"]]));
    for _ in 0..LIMITS.rounds {
        assert!(matches!(
            login.decide(Ok(challenge()), NOW),
            Effect::Send(_)
        ));
        let _ = login.receive(authenticate(), NOW);
    }
    assert_eq!(refused(login.decide(Ok(challenge()), NOW)), Refusal::Denied);
}

#[test]
fn deadlines_follow_the_state() {
    let mut login = login();
    assert_eq!(login.deadline(), LIMITS.hello);
    let _ = asked(&mut login, &["a"], policy(&[&["a"]]));
    assert_eq!(login.deadline(), LIMITS.total);
    let late = Duration::from_secs(100);
    let _ = login.decide(Ok(challenge()), NOW);
    assert_eq!(login.deadline(), NOW + LIMITS.round);
    let _ = login.receive(authenticate(), late);
    let _ = login.decide(Ok(challenge()), late);
    assert_eq!(login.deadline(), LIMITS.total);
    assert_eq!(refused(login.expire()), Refusal::TimedOut);
}

#[test]
fn a_challenge_from_elsewhere_is_not_sent() {
    let mut login = login();
    let _ = asked(&mut login, &["a"], policy(&[&["a"]]));
    let extra = Dict::new().with("challenge", "ff".repeat(32));
    let foreign = Verdict::Challenge(Challenge {
        extra,
        state: [].into(),
    });
    assert_eq!(refused(login.decide(Ok(foreign), NOW)), Refusal::Denied);
}

#[test]
fn hello_with_wrong_types_is_a_violation() {
    for (key, value) in [
        ("roles", Value::from("x")),
        ("authid", Value::Int(1)),
        ("authmethods", Value::from("ticket")),
        ("authmethods", Value::from(vec![Value::Int(1)])),
        ("authextra", Value::from("x")),
    ] {
        let details = Dict::new().with("roles", Dict::new()).with(key, value);
        let message = Message::Hello {
            realm: "realm1".into(),
            details,
        };
        assert_eq!(
            refused(login().receive(message, NOW)),
            Refusal::ProtocolViolation,
            "{key}"
        );
    }
}

fn any_message() -> impl Strategy<Value = Message> {
    prop_oneof![
        6 => Just(authenticate()),
        2 => sample::subsequence(vec!["a", "b", "c"], 0..=3).prop_map(|methods| hello(&methods)),
        6 => sample::select(messages_out_of_place()),
    ]
}

fn any_verdict() -> impl Strategy<Value = Result<Verdict, Fault>> {
    prop_oneof![
        6 => sample::select(vec!["alice", "alice", "alice", "bob"])
            .prop_map(|authid| Ok(accept(authid, "user"))),
        4 => Just(Ok(challenge())),
        2 => Just(Ok(Verdict::NotMine)),
        1 => Just(Ok(accept("alice", "root"))),
        1 => Just(Ok(Verdict::Deny(String::new()))),
        1 => any::<bool>().prop_map(|overload| Err(Fault { overload, why: String::new() })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// T08: plays any messages of any client against any verdicts, and keeps its own account of what
    /// the policy allows.
    #[test]
    fn t08_only_what_the_policy_allows_ever_reaches_a_welcome(
        alternatives in collection::vec(
            collection::vec(sample::select(vec!["a", "b", "c"]), 1..4), 0..4),
        announced in sample::subsequence(vec!["a", "b", "c"], 0..=3),
        moves in collection::vec((any_message(), any_verdict(), 0..12_u8), 1..24),
    ) {
        let slices: Vec<&[&str]> = alternatives.iter().map(Vec::as_slice).collect();
        let policy = policy(&slices);
        let mut login = login();
        let mut effect = login.receive(hello(&announced), NOW);
        let mut passed: Vec<(String, Identity)> = Vec::new();
        let (mut sent, mut answered) = (0, 0);
        for (message, verdict, chance) in moves {
            effect = match &effect {
                Effect::Open { .. } => login.open(Some(Arc::clone(&policy))),
                Effect::Call(call) if chance > 0 => {
                    match &verdict {
                        Ok(Verdict::Accept(identity)) => {
                            passed.push((call.step.as_str().to_owned(), identity.clone()));
                        }
                        Ok(Verdict::NotMine) => passed.clear(),
                        _ => {}
                    }
                    login.decide(verdict, NOW)
                }
                Effect::Send(Message::Challenge { .. }) if chance == 0 => login.expire(),
                Effect::End(_) => break,
                Effect::Call(_) | Effect::Enrolled { .. } | Effect::Send(_) => {
                    login.receive(message, NOW)
                }
            };
            match &effect {
                Effect::Send(_) => sent += 1,
                Effect::Call(call) if call.answer.is_some() => answered += 1,
                _ => {}
            }
            // One answer for one challenge, and never more challenges than allowed.
            prop_assert!(answered <= sent && sent <= LIMITS.rounds);
        }
        if let Effect::End(Outcome::Accepted(accepted)) = effect {
            let names: Vec<_> = passed.iter().map(|(name, _)| name.as_str()).collect();
            prop_assert!(alternatives.contains(&names), "{names:?} is not in {alternatives:?}");
            prop_assert!(announced.contains(&names[0]));
            prop_assert_eq!(accepted.authmethod.as_str(), names[0]);
            for (_, identity) in &passed {
                prop_assert_eq!(&identity.authid, &accepted.authid);
                prop_assert_eq!(identity.authrole.as_str(), "user");
            }
        }
        // Over is over.
        prop_assert!(matches!(login.state, State::Over) || login.deadline() > NOW);
    }
}
