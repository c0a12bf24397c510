//! Steps that are skipped, roles that change, and roles that require something.

use std::collections::BTreeSet;

use super::*;

/// One way in, by `a` and these steps.
fn after_a(rest: Vec<Step>, roles: Vec<Role>) -> Arc<Policy> {
    Arc::new(Policy {
        alternatives: vec![Alternative {
            first: StepName::new("a"),
            rest,
            confidential: false,
        }],
        roles,
        ..Policy::default()
    })
}

fn if_enrolled(name: &str) -> Step {
    Step {
        when: When::Enrolled,
        ..always(name)
    }
}

fn changes_role(name: &str) -> Step {
    Step {
        may_change_role: true,
        ..always(name)
    }
}

fn roles() -> Vec<Role> {
    vec![role("user", &[]), role("admin", &["b"])]
}

/// A login that has passed `a` as Alice.
fn past_a(policy: Arc<Policy>, role: &str) -> (Login, Effect) {
    let mut login = login();
    let first = called(asked(&mut login, &["a"], policy));
    assert_eq!(first.step.as_str(), "a");
    let next = login.decide(Ok(accept("alice", role)), NOW);
    (login, next)
}

#[track_caller]
fn looked_up(effect: &Effect) -> &str {
    match effect {
        Effect::Enrolled { step, authid } => {
            assert_eq!(authid.as_str(), "alice");
            step.as_str()
        }
        other => panic!("expected a look at the credentials, not {other:?}"),
    }
}

fn said(login: &Login) -> Vec<&str> {
    let said = login.transcript().iter().map(|entry| &*entry.said);
    said.collect()
}

#[test]
fn a_step_for_the_enrolled_is_asked_of_them() {
    let (mut login, next) = past_a(after_a(vec![if_enrolled("b")], roles()), "user");
    assert_eq!(looked_up(&next), "b");
    let call = called(login.enrolled(Ok(true)));
    assert_eq!((call.step.as_str(), call.attempt.proven.len()), ("b", 1));
    accepted(login.decide(Ok(accept("alice", "user")), NOW));
}

#[test]
fn a_step_for_the_enrolled_is_skipped_for_others_and_the_next_one_is_not() {
    let steps = vec![if_enrolled("b"), always("c"), if_enrolled("d")];
    let (mut login, next) = past_a(after_a(steps, roles()), "user");
    assert_eq!(looked_up(&next), "b");
    let call = called(login.enrolled(Ok(false)));
    assert_eq!((call.step.as_str(), call.attempt.proven.len()), ("c", 1));
    let next = login.decide(Ok(accept("alice", "user")), NOW);
    assert_eq!(looked_up(&next), "d");
    accepted(login.enrolled(Ok(false)));
    let skipped = "skipped: no credential";
    assert_eq!(said(&login), ["accept", skipped, "accept", skipped]);
}

/// Whether somebody is enrolled is not even looked at before the first step has found who it is.
#[test]
fn nobody_learns_of_a_skipped_step_who_has_shown_nothing() {
    let policy = || after_a(vec![if_enrolled("b")], roles());
    for verdict in [Verdict::Deny("no".into()), Verdict::NotMine] {
        let mut login = login();
        let _ = asked(&mut login, &["a"], policy());
        let _ = refused(login.decide(Ok(verdict), NOW));
    }
    let mut login = login();
    let _ = asked(&mut login, &["a"], policy());
    assert!(matches!(
        login.decide(Ok(challenge()), NOW),
        Effect::Send(_)
    ));
    called(login.receive(authenticate(), NOW));
}

#[test]
fn where_nobody_can_tell_who_is_enrolled_the_login_is_denied() {
    for (overload, refusal) in [(false, Refusal::Denied), (true, Refusal::Unavailable)] {
        let (mut login, _) = past_a(after_a(vec![if_enrolled("b")], roles()), "user");
        let fault = Fault {
            overload,
            why: "the disk".into(),
        };
        assert_eq!(refused(login.enrolled(Err(fault))), refusal);
    }
}

#[test]
fn while_it_is_looked_up_the_client_has_nothing_to_say() {
    let policy = || after_a(vec![if_enrolled("b")], roles());
    for message in [authenticate(), hello(&["a"])] {
        let (mut login, _) = past_a(policy(), "user");
        assert_eq!(
            refused(login.receive(message, NOW)),
            Refusal::ProtocolViolation
        );
    }
    let (mut login, _) = past_a(policy(), "user");
    assert_eq!(refused(login.expire()), Refusal::TimedOut);
}

#[test]
fn a_role_changes_only_where_it_may() {
    let (mut login, _) = past_a(after_a(vec![changes_role("b")], roles()), "user");
    let stepped_up = accepted(login.decide(Ok(accept("alice", "admin")), NOW));
    assert_eq!(&*stepped_up.authrole, "admin");

    let (mut login, _) = past_a(after_a(vec![always("b")], roles()), "user");
    assert_eq!(
        refused(login.decide(Ok(accept("alice", "admin")), NOW)),
        Refusal::Denied
    );
    // The new role is what the next step must give, and no step gives another name.
    let steps = || after_a(vec![changes_role("b"), always("c")], roles());
    for (authid, role, good) in [
        ("alice", "admin", true),
        ("alice", "user", false),
        ("bob", "admin", false),
    ] {
        let (mut login, _) = past_a(steps(), "user");
        let next = called(login.decide(Ok(accept("alice", "admin")), NOW));
        assert_eq!(next.attempt.proven[1].identity.authrole, "admin");
        let end = login.decide(Ok(accept(authid, role)), NOW);
        assert_eq!(matches!(end, Effect::End(Outcome::Accepted(_))), good);
    }
    for (authid, role) in [("bob", "user"), ("alice", "root")] {
        let (mut login, _) = past_a(steps(), "user");
        assert_eq!(
            refused(login.decide(Ok(accept(authid, role)), NOW)),
            Refusal::Denied
        );
    }
}

#[test]
fn a_role_is_had_by_who_has_passed_what_it_requires() {
    let policy = || after_a(vec![if_enrolled("b"), always("c")], roles());
    for (enrolled, role, good) in [
        (true, "admin", true),
        (false, "admin", false),
        (true, "user", true),
        (false, "user", true),
    ] {
        let (mut login, _) = past_a(policy(), role);
        let _ = login.enrolled(Ok(enrolled));
        if enrolled {
            let _ = login.decide(Ok(accept("alice", role)), NOW);
        }
        match login.decide(Ok(accept("alice", role)), NOW) {
            Effect::End(Outcome::Accepted(_)) => assert!(good),
            Effect::End(Outcome::Denied(denial)) => {
                assert!(!good);
                assert_eq!(denial.refusal, Refusal::Denied);
                assert_eq!(
                    denial.why,
                    "the role \"admin\" requires b, which this login has not passed"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_every_step_returned_arrives_and_the_first_word_stays() {
    let returned = |member: &str, value: &str| {
        let Verdict::Accept(identity) = accept("alice", "user") else {
            unreachable!()
        };
        let authextra = Dict::new().with(member, value).with("last", value);
        Ok(Verdict::Accept(Identity {
            authextra,
            ..identity
        }))
    };
    let mut login = login();
    let _ = asked(&mut login, &["a"], policy(&[&["a", "b", "c"]]));
    let _ = login.decide(returned("verifier", "of a"), NOW);
    let third = called(login.decide(returned("verifier", "of b"), NOW));
    let proven = &third.attempt.proven;
    assert_eq!(proven[1].identity.authextra.text("verifier"), Some("of b"));
    let accepted = accepted(login.decide(returned("more", "of c"), NOW));
    let expected = Dict::new()
        .with("verifier", "of a")
        .with("more", "of c")
        .with("last", "of a");
    assert_eq!(accepted.authextra, expected);
}

fn any_step() -> impl Strategy<Value = (When, bool)> {
    (
        prop_oneof![Just(When::Always), Just(When::Enrolled)],
        any::<bool>(),
    )
}

fn any_answer() -> impl Strategy<Value = Result<Verdict, Fault>> {
    prop_oneof![
        12 => (
            sample::select(vec!["alice", "alice", "alice", "alice", "bob"]),
            sample::select(vec!["user", "user", "admin", "root"]),
        )
            .prop_map(|(authid, role)| Ok(accept(authid, role))),
        2 => Just(Ok(challenge())),
        1 => any_verdict(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// No transcript reaches WELCOME with a step missing, whichever is skipped, whatever changes.
    #[test]
    fn nobody_gets_in_past_a_step(
        rest in collection::vec(any_step(), 0..4),
        required in sample::subsequence(vec!["a", "b", "c", "d", "e"], 0..=2),
        enrolled in collection::vec(any::<bool>(), 4),
        answers in collection::vec((any_answer(), any_message()), 1..12),
    ) {
        let names = ["b", "c", "d", "e"];
        let steps: Vec<Step> = rest
            .iter()
            .zip(names)
            .map(|(&(when, may_change_role), name)| Step {
                when,
                may_change_role,
                ..always(name)
            })
            .collect();
        let policy = after_a(
            steps.clone(),
            vec![role("user", &[]), role("admin", &required)],
        );
        let is_enrolled: BTreeSet<&str> = names
            .into_iter()
            .zip(&enrolled)
            .filter_map(|(name, &is_enrolled)| is_enrolled.then_some(name))
            .collect();

        let mut login = login();
        let mut effect = login.receive(hello(&["a"]), NOW);
        let mut passed: Vec<(String, String, String)> = Vec::new();
        let mut answers = answers.into_iter();
        loop {
            effect = match &effect {
                Effect::Open { .. } => login.open(Some(Arc::clone(&policy))),
                Effect::Enrolled { step, .. } => {
                    prop_assert!(!passed.is_empty());
                    login.enrolled(Ok(is_enrolled.contains(step.as_str())))
                }
                Effect::Call(call) => {
                    let Some((answer, _)) = answers.next() else { return Ok(()) };
                    if let Ok(Verdict::Accept(identity)) = &answer {
                        let step = call.step.as_str().to_owned();
                        let authid = identity.authid.as_str().to_owned();
                        passed.push((step, authid, identity.authrole.clone()));
                    }
                    login.decide(answer, NOW)
                }
                Effect::Send(_) => {
                    let Some((_, message)) = answers.next() else { return Ok(()) };
                    login.receive(message, NOW)
                }
                Effect::End(_) => break,
            };
        }
        let Effect::End(Outcome::Accepted(accepted)) = effect else { return Ok(()) };

        let expected: Vec<&str> = steps
            .iter()
            .filter(|step| step.when == When::Always || is_enrolled.contains(step.name.as_str()))
            .map(|step| step.name.as_str())
            .collect();
        let names: Vec<&str> = passed.iter().map(|(step, ..)| &**step).collect();
        prop_assert_eq!(&names[1..], &expected[..]);
        prop_assert_eq!(names[0], "a");
        for (before, after) in passed.iter().zip(&passed[1..]) {
            prop_assert_eq!(&before.1, &after.1);
            let may_change = steps
                .iter()
                .any(|step| step.name.as_str() == after.0 && step.may_change_role);
            prop_assert!(before.2 == after.2 || may_change);
        }
        let (_, authid, last_role) = passed.last().unwrap();
        prop_assert_eq!(accepted.authid.as_str(), &**authid);
        prop_assert_eq!(&*accepted.authrole, &**last_role);
        prop_assert_ne!(&**last_role, "root");
        if last_role == "admin" {
            prop_assert!(required.iter().all(|step| names.contains(step)));
        }
    }
}
