//! Instances that stay, where a realm wants it.

use std::{collections::BTreeSet, sync::Arc};

use countersign::{
    config::Instances,
    login::Verdict,
    method::{Fault, Method},
};
use tokio::task::yield_now;

use crate::house::{House, ask, ask_as, limits};

async fn warm(house: &House, realm: &str, deed: &str) -> Arc<Method> {
    let made = house.made(realm, deed, limits(), Instances::Warm).await;
    made.unwrap()
}

/// Which call of its instance this one was, as the guest counts them.
async fn call(method: &Arc<Method>) -> u32 {
    match ask(method).await {
        Ok(Verdict::Deny(said)) => said.trim_start_matches("call ").parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_guest_keeps_is_there_in_a_warm_instance_and_not_in_a_fresh_one() {
    let house = House::with_hostile_method().await;
    let (warm, fresh) = (
        warm(&house, "realm1", "remember").await,
        house.method("remember").await,
    );
    for number in 1..=3 {
        assert_eq!(call(&warm).await, number);
        assert_eq!(call(&fresh).await, 1);
    }
}

/// T19: nor do two steps, two settings or two revisions, which are methods of their own alike.
#[tokio::test]
async fn t19_two_realms_never_share_an_instance() {
    let house = House::with_hostile_method().await;
    let (one, other) = (
        warm(&house, "realm1", "remember").await,
        warm(&house, "realm2", "remember").await,
    );
    for number in 1..=3 {
        assert_eq!(call(&one).await, number);
        assert_eq!(call(&other).await, number);
    }
}

/// So that nobody can rely on what is kept, or on when it is gone.
#[tokio::test]
async fn an_instance_goes_after_a_bounded_and_varied_number_of_calls() {
    let house = House::with_hostile_method().await;
    let mut lives = BTreeSet::new();
    let mut method = warm(&house, "realm1", "remember").await;
    for _ in 0..8 {
        let mut last = 0;
        loop {
            let number = call(&method).await;
            if number <= last {
                break;
            }
            last = number;
        }
        assert!((64..=128).contains(&last), "{last} calls");
        lives.insert(last);
        method = warm(&house, "realm1", "remember").await;
    }
    assert!(lives.len() > 1, "eight of the same length: {lives:?}");
}

#[tokio::test]
async fn after_a_fault_comes_a_new_one() {
    let house = House::with_hostile_method().await;
    let method = warm(&house, "realm1", "fail-for-mallory").await;
    for _ in 0..3 {
        assert!(matches!(ask(&method).await, Ok(Verdict::Accept(_))));
        let (told, _) = ask_as("mallory", &method, None).await;
        assert_eq!(told.expect_err("it traps").label(), "trap");
    }
    assert!(matches!(ask(&method).await, Ok(Verdict::Accept(_))));
}

/// Two calls at the same time have an instance each.
#[tokio::test]
async fn a_call_has_its_instance_for_itself() {
    let house = House::with_hostile_method().await;
    let method = warm(&house, "realm1", "remember").await;
    let calls = (0..16).map(|_| {
        let method = Arc::clone(&method);
        tokio::spawn(async move {
            yield_now().await;
            call(&method).await
        })
    });
    let calls: Vec<_> = calls.collect();
    let mut seen = 0;
    for call in calls {
        seen += u32::from(call.await.unwrap() >= 1);
    }
    assert_eq!(seen, 16);
}

/// What a guest keeps of one login opens nothing in another's.
#[tokio::test]
async fn a_handle_of_an_earlier_login_is_none_in_a_later_one() {
    let house = House::with_hostile_method().await;
    let method = warm(&house, "realm1", "keep-a-handle").await;
    let (kept, _) = ask_as("alice", &method, None).await;
    assert_eq!(kept, Ok(Verdict::Deny("kept".into())));
    let (told, _) = ask_as("bob", &method, None).await;
    let fault = told.expect_err("no verdict");
    let why = "it used a handle to a credential of an earlier call";
    assert_eq!(fault, Fault::Trapped(why.into()));
    let (kept, _) = ask_as("bob", &method, None).await;
    assert_eq!(
        kept,
        Ok(Verdict::Deny("kept".into())),
        "in another instance"
    );
}

/// Memory is counted over all calls of an instance, and none fails for what earlier ones took.
#[tokio::test]
async fn an_instance_that_has_taken_half_of_its_memory_goes() {
    let house = House::with_hostile_method().await;
    let method = warm(&house, "realm1", "keep-memory").await;
    let mut longest = 0;
    for _ in 0..32 {
        longest = call(&method).await.max(longest);
    }
    assert!(
        (2..=5).contains(&longest),
        "1 MiB a call of 8 MiB: {longest}"
    );
}

/// Each call has the whole of what one may log, and its lines are its own.
#[tokio::test]
async fn what_a_call_may_log_is_new_each_time() {
    let house = House::with_hostile_method().await;
    let tight = countersign::method::Limits {
        log: 20,
        ..limits()
    };
    let method = house
        .made("realm1", "leave-a-line-open", tight, Instances::Warm)
        .await
        .unwrap();
    for _ in 0..5 {
        assert!(matches!(ask(&method).await, Ok(Verdict::Accept(_))));
    }
}
