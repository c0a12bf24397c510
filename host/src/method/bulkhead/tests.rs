use std::time::Duration;

use super::*;

const LIMITS: RealmLimits = RealmLimits {
    logins: 2,
    calls: 2,
    queue: 1,
    wait: Duration::from_secs(1),
};

#[test]
fn a_realm_has_so_many_logins_under_way() {
    let bulkhead = Bulkhead::new(LIMITS);
    let first = bulkhead.enter().expect("there is room");
    let _second = bulkhead.enter().expect("there is room");
    assert_eq!(bulkhead.enter().expect_err("no room"), Full(2));
    drop(first);
    assert!(bulkhead.enter().is_ok());
}

#[tokio::test]
async fn calls_beyond_those_under_way_wait_and_more_are_refused_at_once() {
    let (bulkhead, runtime) = (Bulkhead::new(LIMITS), Runtime::new().expect("an engine"));
    let first = bulkhead.call(&runtime, false).await.expect("there is room");
    let _second = bulkhead.call(&runtime, false).await.expect("there is room");
    let (waiting, refused) = tokio::join!(biased; bulkhead.call(&runtime, false), async {
        let refused = bulkhead.call(&runtime, false).await.err();
        drop(first);
        refused
    });
    assert!(waiting.is_ok(), "it waited for the first to end");
    let why = refused.expect("one waits already").to_string();
    assert!(why.contains("limit: queue"), "{why}");
}

#[tokio::test]
async fn a_call_does_not_wait_for_long() {
    let wait = Duration::from_millis(10);
    let bulkhead = Bulkhead::new(RealmLimits {
        calls: 1,
        wait,
        ..LIMITS
    });
    let runtime = Runtime::new().expect("an engine");
    let _first = bulkhead.call(&runtime, false).await.expect("there is room");
    let late = bulkhead.call(&runtime, false).await.err();
    let why = late.expect("its time has passed").to_string();
    assert!(why.contains("limit: wait"), "{why}");
}

#[test]
fn realms_have_bulkheads_of_their_own_which_outlive_generations() {
    let bulkheads = Bulkheads::default();
    let (acme, other): (Arc<str>, Arc<str>) = ("acme".into(), "other".into());
    let first = bulkheads.of(&acme, LIMITS);
    assert!(Arc::ptr_eq(&first, &bulkheads.of(&acme, LIMITS)));
    assert!(!Arc::ptr_eq(&first, &bulkheads.of(&other, LIMITS)));
    let changed = RealmLimits {
        logins: 3,
        ..LIMITS
    };
    assert!(!Arc::ptr_eq(&first, &bulkheads.of(&acme, changed)));
}
