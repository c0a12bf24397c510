//! One call, in a router's inside: what it ends in, and what it has used until then.

use std::{sync::Arc, time::Duration};

use countersign::{
    config::Instances,
    login::Verdict,
    method::{Fault, HostCall, Limit, Limits, LoadError},
};

use crate::house::{House, ask, ask_and_count, ask_as, limits};

/// What each misdeed must end in, by the label that logs and metrics have for it.
const DEEDS: [(&str, &str); 21] = [
    ("loop", Limit::Time.label()),
    ("loop-over-host-calls", Limit::Time.label()),
    ("ask-the-time", Limit::Time.label()),
    ("sleep", Limit::Wall.label()),
    ("eat-memory", Limit::Memory.label()),
    ("recurse", "trap"),
    ("panic", "trap"),
    ("exit", "trap"),
    ("return-too-much", Limit::Memory.label()),
    ("return-too-much-state", Limit::State.label()),
    ("return-no-json", "malformed"),
    ("return-deep-json", "malformed"),
    ("return-nobody", "malformed"),
    ("return-control-characters", "malformed"),
    ("ask-too-much-of-the-host", Limit::Memory.label()),
    ("leak-handles", Limit::Handles.label()),
    ("flood-the-log", Limit::Log.label()),
    ("print-forever", Limit::Log.label()),
    ("print-one-long-line", Limit::Log.label()),
    ("check-passwords", Limit::Passwords.label()),
    ("fail-to-decide", "undecided"),
];

/// How often the clock of guests ticks.
const TICK: Duration = Duration::from_millis(5);

/// T17: each fails its own login, by name, having used no more than its limits let it; and the next
/// good login goes well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t17_every_misdeed_fails_its_login_by_name_and_nothing_else() {
    let house = House::with_hostile_method().await;
    let good = house.method("behave").await;
    let limits = limits();
    for (deed, label) in DEEDS {
        let bad = house.method(deed).await;
        let (told, spent) = ask_and_count(&bad).await;
        let fault = told.expect_err(deed);
        assert_eq!(fault.label(), label, "{deed}: {fault}");
        // One for the tick that was under way when the call began, and one that ends it.
        let most = limits.time.as_nanos().div_ceil(TICK.as_nanos()) + 2;
        assert!(u128::from(spent.ticks) <= most, "{deed}: {spent:?}");
        assert!(spent.memory <= limits.memory, "{deed}: {spent:?}");
        let passwords = spent.host_calls.of(HostCall::Password);
        assert!(passwords <= limits.passwords + 1, "{deed}: {spent:?}");
        assert!(
            matches!(ask(&good).await, Ok(Verdict::Accept(_))),
            "after {deed}"
        );
    }
}

/// R1: the contract has one value for a verdict or an error, so there cannot be both; and no verdict
/// counts of a call that did not end well, however late it went wrong.
#[tokio::test]
async fn r1_a_trap_after_an_accept_is_a_denial() {
    let house = House::with_hostile_method().await;
    let method = house.method("regret").await;
    for _ in 0..2 {
        let fault = ask(&method).await.expect_err("no verdict");
        assert_eq!(fault.label(), "trap", "{fault}");
    }
}

/// Copying is bounded by itself, not only by the guest's memory.
#[tokio::test]
async fn what_is_copied_out_of_a_guest_is_bounded() {
    let house = House::with_hostile_method().await;
    for deed in [
        "return-too-much",
        "ask-too-much-of-the-host",
        "ask-with-a-long-list",
    ] {
        let roomy = Limits {
            memory: 128 << 20,
            ..limits()
        };
        let method = house.method_within(deed, roomy).await;
        let fault = ask(&method).await.expect_err(deed);
        assert_eq!(fault, Fault::Overrun(Limit::Output), "{deed}");
    }
}

/// The method is not even asked: it could not refuse what it is handed.
#[tokio::test]
async fn what_is_copied_into_a_guest_is_bounded() {
    let house = House::with_hostile_method().await;
    let tight = Limits {
        input: 1 << 10,
        ..limits()
    };
    let method = house.method_within("behave", tight).await;
    let (told, spent) = ask_as("alice", &method, Some(&[0; 1 << 10])).await;
    assert_eq!(told, Err(Fault::Overrun(Limit::Input)));
    assert_eq!(spent.host_calls.total(), 0);
    assert!(matches!(ask(&method).await, Ok(Verdict::Accept(_))));

    let tighter = Limits {
        input: 8,
        ..limits()
    };
    let made = house.made("realm1", "behave", tighter, Instances::Fresh);
    let expected = LoadError::Check(Fault::Overrun(Limit::Input));
    assert_eq!(made.await.expect_err("settings are input too"), expected);
}

/// Whatever they are, and whether they can be refused or are only counted.
#[tokio::test]
async fn host_calls_are_bounded() {
    let house = House::with_hostile_method().await;
    let few = Limits {
        time: Duration::from_secs(10),
        log: 1 << 20,
        host_calls: 1000,
        ..limits()
    };
    for deed in ["call-the-host", "ask-the-time"] {
        let method = house.method_within(deed, few).await;
        let (told, spent) = ask_and_count(&method).await;
        assert_eq!(told, Err(Fault::Overrun(Limit::HostCalls)), "{deed}");
        let calls = spent.host_calls;
        let ours = calls.total() - calls.of(HostCall::Wasi);
        assert!(ours <= 1001, "{deed}: {calls:?}");
        assert!(spent.ticks <= 2, "{deed}: at the next tick at the latest");
    }
}

/// Also of a call that nobody waits for any more when it ends.
#[tokio::test]
async fn host_calls_are_counted_by_kind_however_the_call_ends() {
    let house = House::with_hostile_method().await;
    for (deed, kind, least) in [
        ("behave", HostCall::Find, 0),
        ("leak-handles", HostCall::Find, 65),
        ("flood-the-log", HostCall::Log, 4096 / 5 + 1),
        ("print-forever", HostCall::Wasi, 4096 / 5 + 1),
        ("sleep", HostCall::Wasi, 1),
    ] {
        let (_, spent) = ask_and_count(&house.method(deed).await).await;
        let calls = spent.host_calls;
        assert!(calls.of(kind) >= least, "{deed}: {calls:?}");
        let ours = calls.total() - calls.of(HostCall::Wasi);
        match kind {
            HostCall::Wasi => assert_eq!(ours, 0, "{deed}: {calls:?}"),
            _ => assert_eq!(ours, least, "{deed}: {calls:?}"),
        }
    }
}

/// A method that cannot look at its settings is not put in place.
#[tokio::test]
async fn a_slow_look_at_the_settings_is_cut_short() {
    let house = House::with_hostile_method().await;
    for (deed, label) in [("loop-in-check", "time"), ("panic-in-check", "trap")] {
        let made = house.made("realm1", deed, limits(), Instances::Fresh);
        match made.await {
            Err(LoadError::Check(fault)) => assert_eq!(fault.label(), label),
            other => panic!("{deed}: {other:?}"),
        }
    }
}

/// The state comes from the host, which keeps it; a method that finds another than its own is wrong
/// about something, and lets nobody in.
#[tokio::test]
async fn a_state_that_is_not_its_own() {
    let house = House::with_hostile_method().await;
    let method = house.method("expect-its-state").await;
    let (own, _) = ask_as("alice", &method, Some(b"its own")).await;
    assert!(matches!(own, Ok(Verdict::Accept(_))), "{own:?}");
    for other in [&b"its owm"[..], b"", &[0; 100]] {
        let (told, _) = ask_as("alice", &method, Some(other)).await;
        assert_eq!(told.expect_err("no verdict").label(), "trap");
    }
}

/// A worker thread that a guest keeps busy is shared with the other logins on it.
#[tokio::test(flavor = "current_thread")]
async fn a_loop_does_not_keep_others_from_running() {
    let house = House::with_hostile_method().await;
    let (bad, good) = (house.method("loop").await, house.method("behave").await);
    let (bad, good) = tokio::join!(ask(&bad), async {
        // On the one thread that there is, this runs only when the loop yields.
        tokio::task::yield_now().await;
        ask(&good).await
    });
    assert_eq!(bad, Err(Fault::Overrun(Limit::Time)));
    assert!(matches!(good, Ok(Verdict::Accept(_))));
}

#[tokio::test]
async fn nothing_is_left_of_a_call() {
    let house = House::with_hostile_method().await;
    let revision = Arc::downgrade(&house.revision);
    for deed in ["loop", "eat-memory", "panic", "behave"] {
        _ = ask(&house.method(deed).await).await;
    }
    drop(house);
    assert_eq!(revision.strong_count(), 0);
}
