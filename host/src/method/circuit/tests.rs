use std::time::Duration;

use super::*;
use crate::{
    breaker::{FIRST_PAUSE, MOST_FAILURES},
    login::StepName,
    method::Limit,
};

fn circuit() -> Circuit {
    Circuit::new(&Arc::new(Label {
        realm: "acme".into(),
        step: StepName::new("ticket"),
        revision: "0123456789ab".into(),
    }))
}

fn trap() -> Result<Verdict, Fault> {
    Err(Fault::Trapped("unreachable".into()))
}

/// Has a call go through and end so. False: it was not let through.
fn call(circuit: &Circuit, peer: &str, told: &Result<Verdict, Fault>) -> bool {
    match circuit.admit(peer) {
        Ok(passage) => {
            passage.settle(told);
            true
        }
        Err(Fault::Stopped(left)) => {
            assert!(left <= FIRST_PAUSE);
            false
        }
        Err(other) => panic!("{other}"),
    }
}

fn fail(circuit: &Circuit, peer: &str) {
    for _ in 0..MOST_FAILURES {
        assert!(call(circuit, peer, &trap()), "{peer}");
    }
    assert!(!call(circuit, peer, &trap()), "{peer} had enough");
}

#[test]
fn one_client_that_knows_how_to_make_it_fail_closes_it_to_nobody_else() {
    let circuit = circuit();
    fail(&circuit, "tcp:192.0.2.1:1000");
    let denied = Ok(Verdict::Deny("wrong".into()));
    assert!(
        !call(&circuit, "tcp:192.0.2.1:2000", &denied),
        "another port is no other client"
    );
    assert!(call(&circuit, "tcp:192.0.2.2:1000", &denied));
    assert!(call(&circuit, "unix:1000", &denied));
}

#[test]
fn something_good_in_between_does_not_help_a_client_that_makes_it_fail() {
    let circuit = circuit();
    let denied = Ok(Verdict::Deny("wrong".into()));
    for _ in 0..MOST_FAILURES {
        assert!(call(&circuit, "tcp:192.0.2.1:1000", &denied));
        assert!(call(&circuit, "tcp:192.0.2.1:1000", &trap()));
    }
    assert!(!call(&circuit, "tcp:192.0.2.1:1000", &denied));
}

#[test]
fn who_shares_an_address_with_one_that_makes_it_fail_notices_nothing_while_they_are_many() {
    let circuit = circuit();
    let denied = Ok(Verdict::Deny("wrong".into()));
    for _ in 0..100 {
        assert!(call(&circuit, "tcp:192.0.2.1:1000", &trap()));
        for _ in 0..10 {
            assert!(call(&circuit, "tcp:192.0.2.1:2000", &denied));
        }
    }
}

#[test]
fn when_it_fails_for_many_it_is_closed_to_all() {
    let circuit = circuit();
    for source in 1..=MOST_FAILURES {
        fail(&circuit, &format!("tcp:192.0.2.{source}:1000"));
    }
    assert!(
        !call(&circuit, "tcp:192.0.2.200:1000", &trap()),
        "who has not asked before"
    );
}

#[test]
fn one_verdict_in_between_shows_that_it_works() {
    let circuit = circuit();
    for source in 1..50 {
        fail(&circuit, &format!("tcp:192.0.2.{source}:1000"));
        let verdict = Ok(Verdict::NotMine);
        assert!(
            call(&circuit, "tcp:198.51.100.1:1000", &verdict),
            "after {source}"
        );
    }
}

/// What a client, the realm's settings, somebody else's service or the router is to blame for.
#[test]
fn what_is_not_the_methods_fault_does_not_count() {
    let circuit = circuit();
    for _ in 0..10 {
        for fault in [
            Fault::Overrun(Limit::Input),
            Fault::Undecided("no answer".into()),
            Fault::Store("locked".into()),
            Fault::Overload("busy".into()),
            Fault::Stopped(Duration::ZERO),
        ] {
            assert!(call(&circuit, "tcp:192.0.2.1:1000", &Err(fault)));
        }
        drop(circuit.admit("tcp:192.0.2.1:1000").expect("it is closed"));
    }
}

#[test]
fn what_is_known_of_sources_is_bounded() {
    let circuit = circuit();
    for source in 0..u16::MAX {
        let [high, low] = source.to_be_bytes();
        assert!(call(&circuit, &format!("tcp:10.0.{high}.{low}:1"), &trap()));
        assert!(circuit.breakers.lock().sources.len() <= MOST_SOURCES);
    }
}
