use super::*;

fn invoke(policy: &str) -> Dict {
    none().with("invoke", policy)
}

#[test]
fn a_call_is_answered_by_who_registered() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    let request = bob.call("com.p", none());
    let (invocation, details) = alice.invoked();
    assert_eq!((invocation, details), (id(1), none()));
    alice.answer(invocation, none());
    let expected = Message::Result {
        request,
        details: none(),
        payload: payload(),
    };
    assert_eq!(bob.read(), expected);
    assert_eq!(realm.router.census().calls, 0);
}

#[test]
fn invocations_are_numbered_for_each_callee() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.a", none());
    bob.registered("com.b", none());
    for expected in 1..=3 {
        alice.call("com.b", none());
        assert_eq!(bob.invoked().0, id(expected));
    }
    bob.call("com.a", none());
    assert_eq!(alice.invoked().0, id(1));
}

#[test]
fn a_session_may_call_itself_and_leave_in_the_middle() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.registered("com.p", none());
    alice.call("com.p", none());
    alice.answer(alice.invoked().0, none());
    assert!(matches!(alice.read(), Message::Result { .. }));
    alice.call("com.p", none());
    alice.invoked();
    realm.router.leave(alice.id);
    assert_eq!(realm.router.census(), Census::default());
    assert!(alice.hears_nothing());
}

#[test]
fn calls_that_go_nowhere_say_why() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    for (procedure, options, error) in [
        ("com.none", none(), reason::NO_SUCH_PROCEDURE),
        ("com..none", none(), reason::INVALID_URI),
        ("org.none", none(), reason::NOT_AUTHORIZED),
        (
            "com.none",
            none().with("disclose_me", 1),
            reason::INVALID_ARGUMENT,
        ),
    ] {
        let request = alice.call(procedure, options);
        assert_eq!(alice.refused(Code::Call, request), error, "{procedure}");
    }
}

#[test]
fn registrations_are_refused_with_what_is_wrong() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    for (procedure, options, error) in [
        ("com.p", none(), reason::PROCEDURE_ALREADY_EXISTS),
        ("com.p", invoke("random"), reason::PROCEDURE_ALREADY_EXISTS),
        ("com.q", invoke("all"), reason::INVALID_ARGUMENT),
        ("com..q", none(), reason::INVALID_URI),
        ("wamp.session.count", none(), reason::INVALID_URI),
        ("wamp.", none().with("match", "prefix"), reason::INVALID_URI),
        ("org.q", none(), reason::NOT_AUTHORIZED),
        (
            "com",
            none().with("match", "prefix"),
            reason::NOT_AUTHORIZED,
        ),
        (
            "..q",
            none().with("match", "wildcard"),
            reason::NOT_AUTHORIZED,
        ),
    ] {
        assert_eq!(
            error_of(&bob.register(procedure, options)),
            error,
            "{procedure}"
        );
    }
}

#[test]
fn nobody_takes_the_procedures_of_the_protocol() {
    let mut realm = Realm::new();
    realm.router.set_permissions(permissions("w"));
    let mut alice = realm.join("alice");
    alice.registered("wam", none().with("match", "prefix"));
    let request = alice.call("wamp.session.count", none());
    assert_eq!(alice.refused(Code::Call, request), reason::NOT_AUTHORIZED);
    realm.router.set_permissions(permissions("wamp."));
    let request = alice.call("wamp.session.none", none());
    assert_eq!(
        alice.refused(Code::Call, request),
        reason::NO_SUCH_PROCEDURE
    );
}

#[test]
fn the_most_specific_registration_is_called() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.a.x", none());
    alice.registered("com.a", none().with("match", "prefix"));
    alice.registered("com..y", none().with("match", "wildcard"));
    for (procedure, named) in [("com.a.x", false), ("com.a.y", true), ("com.b.y", true)] {
        bob.call(procedure, none());
        let details = alice.invoked().1;
        assert_eq!(details.text("procedure").is_some(), named, "{procedure}");
    }
}

#[test]
fn an_unregistered_procedure_still_answers_calls_under_way() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let registration = alice.registered("com.p", none());
    bob.call("com.p", none());
    let (invocation, _) = alice.invoked();
    let unregister = |request| Message::Unregister {
        request,
        registration,
    };
    let request = alice.request(unregister);
    assert_eq!(alice.read(), Message::Unregistered { request });
    alice.answer(invocation, none());
    assert!(matches!(bob.read(), Message::Result { .. }));
    let request = alice.request(unregister);
    let error = alice.refused(Code::Unregister, request);
    assert_eq!(error, reason::NO_SUCH_REGISTRATION);
}

#[test]
fn both_ends_can_name_themselves() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let disclose = none().with("disclose_me", true).with("ppt_scheme", "x");
    alice.registered("com.p", none());
    bob.call("com.p", disclose.clone());
    let (invocation, details) = alice.invoked();
    let caller = none()
        .with("caller", bob.id.as_u64())
        .with("caller_authid", "bob")
        .with("caller_authrole", "user")
        .with("ppt_scheme", "x");
    assert_eq!(details, caller);
    alice.answer(invocation, disclose);
    let callee = none()
        .with("callee", alice.id.as_u64())
        .with("callee_authid", "alice")
        .with("callee_authrole", "user")
        .with("ppt_scheme", "x");
    assert!(matches!(bob.read(), Message::Result { details, .. } if details == callee));
}

#[test]
fn an_error_of_the_callee_reaches_the_caller() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    for (error, passed_on) in [("com.oops", "com.oops"), ("not a uri", reason::INVALID_URI)] {
        let request = bob.call("com.p", none());
        let failure = Message::Error {
            kind: Code::Invocation,
            request: alice.invoked().0,
            details: none(),
            error: error.into(),
            payload: payload(),
        };
        alice.send(failure).unwrap();
        assert_eq!(bob.refused(Code::Call, request), passed_on);
    }
}

#[test]
fn answers_to_what_was_never_asked_are_violations() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    bob.call("com.p", none());
    let (invocation, _) = alice.invoked();
    let error = |kind, request| Message::Error {
        kind,
        request,
        details: none(),
        error: "com.oops".into(),
        payload: Payload::NONE,
    };
    assert_eq!(
        alice.send(error(Code::Call, invocation)),
        Err(Violation::ErrorKind)
    );
    let never = Violation::NoSuchInvocation(id(2));
    assert_eq!(alice.send(error(Code::Invocation, id(2))), Err(never));
    alice.answer(invocation, none());
    alice.answer(invocation, none());
    assert!(matches!(bob.read(), Message::Result { .. }));
    assert!(bob.hears_nothing(), "a second answer is swallowed");
}

#[test]
fn progress_leaves_the_call_open() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join_able("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    bob.call("com.p", none().with("receive_progress", true));
    let (invocation, details) = alice.invoked();
    assert_eq!(details, none().with("receive_progress", true));
    let progress = none().with("progress", true);
    for options in [progress.clone(), progress, none()] {
        alice.answer(invocation, options.clone());
        assert!(matches!(bob.read(), Message::Result { details, .. } if details == options));
    }
    assert_eq!(realm.router.census().calls, 0);
}

#[test]
fn progress_that_nobody_asked_for_is_dropped() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    bob.call("com.p", none().with("receive_progress", true));
    let (invocation, details) = alice.invoked();
    assert_eq!(details, none(), "the callee announced no such feature");
    alice.answer(invocation, none().with("progress", true));
    assert!(bob.hears_nothing());
    alice.answer(invocation, none());
    assert!(matches!(bob.read(), Message::Result { .. }));
}

#[test]
fn a_canceled_call_ends_at_once_unless_the_callee_is_to_be_waited_for() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join_able("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    for (mode, interrupted) in [("skip", false), ("killnowait", true), ("?", true)] {
        let request = bob.call("com.p", none());
        let (invocation, _) = alice.invoked();
        bob.cancel(request, mode);
        assert_eq!(bob.refused(Code::Call, request), reason::CANCELED);
        let interrupt = Message::Interrupt {
            request: invocation,
            options: none().with("mode", "killnowait"),
        };
        assert_eq!(alice.heard(), interrupted.then_some(interrupt), "{mode}");
        alice.answer(invocation, none());
        bob.cancel(request, mode);
        assert!(bob.hears_nothing(), "the late answer is swallowed");
    }

    let request = bob.call("com.p", none());
    let (invocation, _) = alice.invoked();
    bob.cancel(request, "kill");
    bob.cancel(request, "kill");
    assert!(matches!(alice.read(), Message::Interrupt { .. }));
    assert!(alice.hears_nothing() && bob.hears_nothing());
    alice.answer(invocation, none());
    assert!(matches!(bob.read(), Message::Result { .. }));
}

#[test]
fn a_callee_that_does_not_understand_interrupt_is_not_bothered() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    let request = bob.call("com.p", none());
    alice.invoked();
    bob.cancel(request, "kill");
    assert_eq!(bob.refused(Code::Call, request), reason::CANCELED);
    assert!(alice.hears_nothing());
}

#[test]
fn when_the_callee_leaves_its_callers_hear_of_it() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    let request = bob.call("com.p", none());
    realm.router.leave(alice.id);
    assert_eq!(bob.refused(Code::Call, request), reason::CANCELED);
    let request = bob.call("com.p", none());
    assert_eq!(bob.refused(Code::Call, request), reason::NO_SUCH_PROCEDURE);
    realm.router.leave(bob.id);
    assert_eq!(realm.router.census(), Census::default());
}

#[test]
fn when_the_caller_leaves_the_callee_is_interrupted() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join_able("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    bob.call("com.p", none());
    let (invocation, _) = alice.invoked();
    realm.router.leave(bob.id);
    let interrupt = Message::Interrupt {
        request: invocation,
        options: none().with("mode", "killnowait"),
    };
    assert_eq!(alice.read(), interrupt);
    alice.answer(invocation, none());
    assert_eq!(realm.router.census().invocations, 0);
}

#[test]
fn shared_registrations_choose_by_their_policy() {
    for (policy, expected) in [
        ("roundrobin", [0, 1, 2, 0, 1, 2]),
        // The source of the tests counts: 1, 2, 3 …
        ("random", [1, 2, 0, 1, 2, 0]),
        ("first", [0; 6]),
        ("last", [2; 6]),
    ] {
        let mut realm = Realm::new();
        let mut callees = [realm.join("a"), realm.join("b"), realm.join("c")];
        let mut caller = realm.join("caller");
        for callee in &mut callees {
            callee.registered("com.p", invoke(policy));
        }
        let again = callees[0].register("com.p", invoke(policy));
        assert_eq!(error_of(&again), reason::PROCEDURE_ALREADY_EXISTS);
        for expected in expected {
            caller.call("com.p", none());
            let invoked = callees.iter().position(|callee| callee.heard().is_some());
            assert_eq!(invoked, Some(expected), "{policy}");
        }
    }
}

#[test]
fn turns_go_on_when_a_callee_leaves() {
    let mut realm = Realm::new();
    let mut callees = [realm.join("a"), realm.join("b"), realm.join("c")];
    let mut caller = realm.join("caller");
    for callee in &mut callees {
        callee.registered("com.p", invoke("roundrobin"));
    }
    caller.call("com.p", none());
    callees[0].invoked();
    realm.router.leave(callees[0].id);
    caller.read();
    for expected in [1, 2, 1] {
        caller.call("com.p", none());
        callees[expected].invoked();
    }
}

#[test]
fn calls_and_registrations_are_bounded() {
    let limits = Limits {
        calls: 2,
        registrations: 1,
        ..Limits::default()
    };
    let mut realm = Realm::with_limits(limits);
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    let answer = alice.register("com.q", none());
    assert_eq!(error_of(&answer), reason::UNAVAILABLE);
    bob.call("com.p", none());
    bob.call("com.p", none());
    let request = bob.call("com.p", none());
    assert_eq!(bob.refused(Code::Call, request), reason::UNAVAILABLE);
    alice.answer(alice.invoked().0, none());
    bob.read();
    bob.call("com.p", none());
    assert_eq!(realm.router.census().calls, 2);
}

#[test]
fn what_cannot_be_transcoded_is_an_error_for_the_caller() {
    let mut realm = Realm::new();
    let mut cbor = realm.join_as("c", "user", Serializer::Cbor, Features::default());
    let mut json = realm.join("j");
    json.registered("com.json", none());
    cbor.registered("com.cbor", none());

    let request = cbor.request(|request| Message::Call {
        request,
        options: none(),
        procedure: "com.json".into(),
        payload: unreadable(),
    });
    let error = cbor.refused(Code::Call, request);
    assert_eq!(error, reason::INVALID_ARGUMENT);
    assert!(json.hears_nothing());

    let request = json.call("com.cbor", none());
    let answer = Message::Yield {
        request: cbor.invoked().0,
        options: none(),
        payload: unreadable(),
    };
    cbor.send(answer).unwrap();
    assert_eq!(json.refused(Code::Call, request), reason::INVALID_ARGUMENT);

    cbor.call("com.json", none());
    assert_eq!(json.invoked().0, id(1), "the failed one took no number");
}

#[test]
fn a_yield_with_odd_options_ends_the_call() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.registered("com.p", none());
    let request = bob.call("com.p", none());
    alice.answer(alice.invoked().0, none().with("progress", "yes"));
    assert_eq!(bob.refused(Code::Call, request), reason::INVALID_ARGUMENT);
}
