use std::{future::Future, pin::pin, task};

use super::*;

const PROCEDURE: &str = "com.authenticate";

/// What it gives without waiting; none if it would wait.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let waker = task::Waker::noop();
    match pin!(future).poll(&mut task::Context::from_waker(waker)) {
        task::Poll::Ready(value) => Some(value),
        task::Poll::Pending => None,
    }
}

fn inquire(router: &Router) -> Inquiry<'_> {
    router.inquire(PROCEDURE.into(), payload()).unwrap()
}

#[test]
fn a_callee_answers_the_router_as_it_answers_anyone() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.registered(PROCEDURE, none());
    let inquiry = inquire(&realm.router);
    let (invocation, details) = alice.invoked();
    assert_eq!((invocation, details), (id(1), none()));
    alice.answer(invocation, none());
    assert_eq!(now(inquiry.answer()), Some(Answer::Result(payload())));
    assert_eq!(realm.router.census().inquiries, 0);
    assert_eq!(realm.router.census().invocations, 0);
}

#[test]
fn a_callee_by_pattern_learns_which_procedure_is_meant() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.registered("com.", none().with("match", "prefix"));
    let _inquiry = inquire(&realm.router);
    assert_eq!(alice.invoked().1, none().with("procedure", PROCEDURE));
}

#[test]
fn an_error_of_the_callee_is_an_answer() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.registered(PROCEDURE, none());
    for (said, heard) in [
        ("com.refused", "com.refused"),
        ("no uri", reason::INVALID_URI),
    ] {
        let inquiry = inquire(&realm.router);
        let error = Message::Error {
            kind: Code::Invocation,
            request: alice.invoked().0,
            details: none(),
            error: said.into(),
            payload: payload(),
        };
        alice.send(error).unwrap();
        let answer = Answer::Error {
            error: heard.into(),
            payload: payload(),
        };
        assert_eq!(now(inquiry.answer()), Some(answer));
    }
}

#[test]
fn a_result_with_options_that_cannot_be_read_is_an_error() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.registered(PROCEDURE, none());
    let inquiry = inquire(&realm.router);
    alice.answer(alice.invoked().0, none().with("progress", 1));
    let answer = now(inquiry.answer());
    assert!(
        matches!(&answer, Some(Answer::Error { error, .. }) if error == reason::INVALID_ARGUMENT)
    );
}

#[test]
fn progress_is_not_an_answer() {
    let mut realm = Realm::new();
    let mut alice = realm.join_able("alice");
    alice.registered(PROCEDURE, none());
    let inquiry = inquire(&realm.router);
    let (invocation, _) = alice.invoked();
    alice.answer(invocation, none().with("progress", true));
    assert_eq!(realm.router.census().inquiries, 1);
    alice.answer(invocation, none());
    assert_eq!(now(inquiry.answer()), Some(Answer::Result(payload())));
}

#[test]
fn where_nobody_can_be_called_the_router_learns_so_at_once() {
    let mut realm = Realm::new();
    let ask = |realm: &Realm, procedure: &str, payload| {
        realm.router.inquire(procedure.into(), payload).err()
    };
    assert_eq!(ask(&realm, PROCEDURE, payload()), Some(Unasked::NoCallee));
    let mut alice = realm.join("alice");
    assert_eq!(
        ask(&realm, "wamp.session.kill", payload()),
        Some(Unasked::NoCallee)
    );
    alice.registered(PROCEDURE, none());
    assert_eq!(
        ask(&realm, PROCEDURE, unreadable()),
        Some(Unasked::Unreadable)
    );
    assert!(alice.hears_nothing());
    assert_eq!(realm.router.census().inquiries, 0);
}

#[test]
fn a_callee_that_leaves_answers_by_that() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    alice.registered(PROCEDURE, none());
    let inquiry = inquire(&realm.router);
    realm.router.leave(alice.id);
    assert_eq!(now(inquiry.answer()), Some(Answer::CalleeLeft));
    assert_eq!(realm.router.census(), Census::default());
}

#[test]
fn a_call_that_is_given_up_interrupts_who_understands_that() {
    let mut realm = Realm::new();
    let (mut able, mut plain) = (realm.join_able("able"), realm.join("plain"));
    let round_robin = none().with("invoke", "roundrobin");
    able.registered(PROCEDURE, round_robin.clone());
    plain.registered(PROCEDURE, round_robin);
    for callee in [&able, &plain] {
        let inquiry = inquire(&realm.router);
        let (invocation, _) = callee.invoked();
        assert_eq!(now(inquiry.answer()), None);
        if callee.id == able.id {
            let interrupt = Message::Interrupt {
                request: invocation,
                options: none().with("mode", "killnowait"),
            };
            assert_eq!(callee.read(), interrupt);
        }
        assert!(callee.hears_nothing());
        assert_eq!(realm.router.census().invocations, 0);
        // What it says now is too late, and no violation.
        callee.answer(invocation, none());
    }
    assert_eq!(realm.router.census().inquiries, 0);
}
