//! Connections that others could read along on.

use super::*;

fn by(steps: &[&str], confidential: bool) -> Alternative {
    Alternative {
        first: StepName::new(steps[0]),
        rest: steps[1..].iter().copied().map(always).collect(),
        confidential,
    }
}

/// What comes of a HELLO with these methods.
fn begun(policy: Policy, is_confidential: bool, methods: &[&str]) -> Effect {
    let mut login = Login::new(LIMITS, SESSION, nonce, is_confidential);
    _ = login.receive(hello(methods), Duration::ZERO);
    login.open(Some(Arc::new(policy)))
}

fn realm(alternatives: Vec<Alternative>, confidential: bool) -> Policy {
    Policy {
        alternatives,
        roles: vec![role("user", &[])],
        confidential,
        ..Policy::default()
    }
}

fn asked(effect: Effect) -> String {
    match effect {
        Effect::Call(call) => call.step.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_alternative_with_a_secret_in_clear_is_passed_over() {
    let policy = || realm(vec![by(&["ticket"], true), by(&["wampcra"], false)], false);
    let both = ["ticket", "wampcra"];
    assert_eq!(asked(begun(policy(), true, &both)), "ticket");
    assert_eq!(asked(begun(policy(), false, &both)), "wampcra");
    assert_eq!(
        refused(begun(policy(), false, &["ticket"])),
        Refusal::Denied
    );
    assert_eq!(
        refused(begun(policy(), false, &["cryptosign"])),
        Refusal::NoMatchingMethod
    );
}

#[test]
fn a_realm_can_let_in_nobody_in_clear() {
    let policy = || realm(vec![by(&["wampcra"], false)], true);
    assert_eq!(asked(begun(policy(), true, &["wampcra"])), "wampcra");
    assert_eq!(
        refused(begun(policy(), false, &["wampcra"])),
        Refusal::Denied
    );
}
