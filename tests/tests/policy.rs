//! What a realm may say of its steps: whom they are for, what they may change, what a role requires,
//! and what wrong answers lead to.

use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{
    Client, Component, Deployment, Refusal, Router, answer, code, hello, sign, wrong_code,
};
use tokio::task::JoinSet;
use xtask::Identity;

/// Everybody's first factor, used as a key as it is.
const KEY: &str = "a key that is no password";

/// Those who have an app must show a code, and admins must have one.
const REALM: &str = r#"
roles = ["user", { role = "admin", requires = ["totp"] }]

[[login]]
steps = ["wampcra", { method = "totp", when = "enrolled" }]
"#;

/// A realm with `wampcra`, `ticket` and `totp`.
fn house(realm: &str) -> Deployment {
    let house = Deployment::bare();
    house.realm("realm1", realm);
    for method in ["wampcra", "ticket", "anonymous"] {
        house.component(method, &Component::method(method));
    }
    house.totp();
    house
}

/// Alice has an app and Bob has none; both are users.
fn alice_and_bob(realm: &str) -> Deployment {
    let house = house(realm);
    for authid in ["alice", "bob"] {
        enrol(&house, authid, "user");
    }
    house.enrol_app("realm1", "alice", "user");
    house
}

/// Gives somebody a first factor.
fn enrol(house: &Deployment, authid: &str, role: &str) {
    house.enrol(&Identity {
        role,
        ..Identity::wampcra(authid, KEY)
    });
}

/// Runs `countersign credential`, which must succeed, and returns what it says.
async fn credential(router: &Router, words: &str) -> String {
    let (done, said) = router.deployment.credential(words).await;
    assert!(done, "{words}: {said}");
    said
}

/// Somebody who is asked for the first factor.
async fn greeted(router: &Router, authid: &str) -> (Client, Message) {
    let greeting = hello("realm1", &["wampcra"], Some(authid));
    let mut client = Client::greet(router, greeting).await;
    let challenge = client.receive().await;
    (client, challenge)
}

/// Somebody who has given this answer to it.
async fn first_factor(router: &Router, authid: &str, key: &str) -> Client {
    let (mut client, challenge) = greeted(router, authid).await;
    client.send(&sign(&challenge, key)).await;
    client
}

/// Somebody who has shown the first factor and sent this as the second.
async fn both_factors(router: &Router, authid: &str, code: &str) -> Client {
    let mut client = first_factor(router, authid, KEY).await;
    asked_for_a_code(&mut client).await;
    client.send(&answer(code)).await;
    client
}

async fn asked_for_a_code(client: &mut Client) {
    let asked = client.receive().await;
    let Message::Challenge { method, extra } = asked else {
        panic!("{asked:?}")
    };
    assert_eq!((&*method, extra), ("totp", Dict::new().with("digits", 6)));
}

/// The role that it is welcomed with.
async fn welcomed(mut client: Client) -> String {
    let welcome = client.receive().await;
    let Message::Welcome { details, .. } = welcome else {
        panic!("{welcome:?}")
    };
    details.text("authrole").unwrap().to_owned()
}

async fn denied(client: Client) -> Refusal {
    let refusal = client.refusal().await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    refusal
}

async fn last_why(router: &Router, count: usize) -> String {
    router.whys(count).await.pop().unwrap()
}

#[tokio::test]
async fn who_has_an_app_must_show_a_code_and_who_has_none_need_not() {
    let router = alice_and_bob(REALM).start().await;
    assert_eq!(
        welcomed(both_factors(&router, "alice", &code(0)).await).await,
        "user"
    );
    assert_eq!(
        welcomed(first_factor(&router, "bob", KEY).await).await,
        "user"
    );
    let records = router
        .log
        .take(2, |event| event.message() == "logged in")
        .await;
    let steps: Vec<&str> = records.iter().map(|record| record.text("steps")).collect();
    assert_eq!(
        steps[0],
        "wampcra: challenge; wampcra: accept; totp: challenge; totp: accept"
    );
    assert_eq!(
        steps[1],
        "wampcra: challenge; wampcra: accept; totp: skipped: no credential"
    );
}

/// T01.
#[tokio::test]
async fn t01_who_has_shown_nothing_learns_of_no_second_factor() {
    let router = alice_and_bob(REALM).start().await;
    let mut refusals = Vec::new();
    for authid in ["alice", "bob", "nobody"] {
        refusals.push(denied(first_factor(&router, authid, "looking-glass").await).await);
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    let records = router
        .log
        .take(3, |event| event.message() == "login refused")
        .await;
    let steps: Vec<&str> = records.iter().map(|record| record.text("steps")).collect();
    assert!(steps.iter().all(|it| *it == steps[0]), "{steps:?}");
}

#[tokio::test]
async fn an_app_that_is_disabled_or_expired_is_no_way_around_it() {
    let router = alice_and_bob(REALM).start().await;
    for (words, state) in [
        ("disable realm1 totp alice", "disabled"),
        ("enable realm1 totp alice", ""),
        ("expire realm1 totp alice 1ms", "expired"),
        ("expire realm1 totp alice --never", ""),
    ] {
        credential(&router, words).await;
        if state.is_empty() {
            // What was shown while it was withheld is not used up.
            continue;
        }
        denied(both_factors(&router, "alice", &code(0)).await).await;
        let list = credential(&router, "list realm1").await;
        assert!(list.contains(state), "{list}");
    }
    let whys = router.whys(2).await;
    let why = |state| {
        format!(
            "totp: the code is not one that is shown now (the totp credential of alice is {state})"
        )
    };
    assert_eq!(whys, [why("disabled"), why("expired")]);
    welcomed(both_factors(&router, "alice", &code(0)).await).await;
}

/// T21.
#[tokio::test]
async fn t21_r24_an_app_that_is_disabled_before_the_answer_comes_shows_no_good_code() {
    let router = alice_and_bob(REALM).start().await;
    let mut client = first_factor(&router, "alice", KEY).await;
    asked_for_a_code(&mut client).await;
    credential(&router, "disable realm1 totp alice").await;
    client.send(&answer(&code(0))).await;
    denied(client).await;
}

#[tokio::test]
async fn a_role_may_require_a_step() {
    let house = house(REALM);
    for authid in ["carol", "dave"] {
        enrol(&house, authid, "admin");
    }
    house.enrol_app("realm1", "carol", "admin");
    let router = house.start().await;
    assert_eq!(
        welcomed(both_factors(&router, "carol", &code(0)).await).await,
        "admin"
    );
    denied(first_factor(&router, "dave", KEY).await).await;
    assert_eq!(
        last_why(&router, 1).await,
        "the role \"admin\" requires totp, which this login has not passed"
    );
}

/// A password makes a user, and the secret besides an admin.
#[tokio::test]
async fn a_step_changes_the_role_only_where_it_may() {
    for (rule, good) in [(", may_change = [\"role\"]", true), ("", false)] {
        let house = house(&format!(
            "roles = [\"user\", {{ role = \"admin\", requires = [\"wampcra\"] }}]\n[[login]]\n\
             steps = [\"ticket\", {{ method = \"wampcra\"{rule} }}]\n"
        ));
        enrol(&house, "alice", "admin");
        house.enrol(&Identity::ticket("alice", "wonderland"));
        let router = house.start().await;
        let greeting = hello("realm1", &["ticket"], Some("alice"));
        let mut client = Client::greet(&router, greeting).await;
        client.receive().await;
        client.send(&answer("wonderland")).await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, KEY)).await;
        if good {
            assert_eq!(welcomed(client).await, "admin");
        } else {
            denied(client).await;
            assert_eq!(
                last_why(&router, 1).await,
                "wampcra found alice (admin), but ticket had found alice (user)"
            );
        }
    }
}

#[tokio::test]
async fn wrong_codes_lock_the_step_whatever_is_shown_then() {
    let router = alice_and_bob(REALM).start().await;
    let mut refusals = Vec::new();
    for _ in 0..5 {
        refusals.push(denied(both_factors(&router, "alice", &wrong_code()).await).await);
    }
    let locked = router.log.mention("after 5 wrong answers in a row").await;
    assert_eq!(
        (locked.text("authid"), locked.text("step")),
        ("alice", "totp")
    );
    // Now the right one, and a wrong one.
    for code in [code(0), wrong_code()] {
        refusals.push(denied(both_factors(&router, "alice", &code).await).await);
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    let whys = router.whys(7).await;
    assert_eq!(whys[4], "totp: the code is not one that is shown now");
    for why in &whys[5..] {
        assert!(
            why.starts_with("totp: it is locked for ")
                && why.contains("s more, after 5 wrong answers in a row"),
            "{why}"
        );
    }

    let router = router.kill().await.start().await;
    denied(both_factors(&router, "alice", &code(0)).await).await;
    let list = credential(&router, "list realm1").await;
    assert!(list.contains("locked until "), "{list}");
    credential(&router, "unlock realm1 totp alice").await;
    let list = credential(&router, "list realm1").await;
    assert!(!list.contains("locked"), "{list}");
    // What was right during the lock was not used up.
    welcomed(both_factors(&router, "alice", &code(0)).await).await;
}

#[tokio::test]
async fn a_right_code_makes_the_wrong_ones_forgotten() {
    let router = alice_and_bob(REALM).start().await;
    for later in [-1, 0, 1] {
        for _ in 0..4 {
            denied(both_factors(&router, "alice", &wrong_code()).await).await;
        }
        welcomed(both_factors(&router, "alice", &code(later)).await).await;
    }
}

#[tokio::test]
async fn who_lacks_the_first_factor_locks_nobody_out_of_the_second() {
    let router = alice_and_bob(REALM).start().await;
    for _ in 0..20 {
        denied(first_factor(&router, "alice", "looking-glass").await).await;
    }
    // Nor does who is asked for a code and sends none.
    for _ in 0..20 {
        let mut client = first_factor(&router, "alice", KEY).await;
        asked_for_a_code(&mut client).await;
    }
    welcomed(both_factors(&router, "alice", &code(0)).await).await;
    let list = credential(&router, "list realm1").await;
    assert!(!list.contains("wrong"), "{list}");
}

/// T12 and R23.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_r23_of_64_parallel_guesses_no_more_are_looked_at_than_may_be() {
    let router = alice_and_bob(REALM).start().await;
    let mut asked = Vec::new();
    for _ in 0..64 {
        let mut client = first_factor(&router, "alice", KEY).await;
        asked_for_a_code(&mut client).await;
        asked.push(client);
    }
    let wrong = wrong_code();
    let mut guesses = JoinSet::new();
    for mut client in asked {
        let wrong = wrong.clone();
        guesses.spawn(async move {
            client.send(&answer(&wrong)).await;
            denied(client).await
        });
    }
    let refusals = guesses.join_all().await;
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    let whys = router.whys(64).await;
    let looked_at = whys
        .iter()
        .filter(|why| *why == "totp: the code is not one that is shown now");
    assert_eq!(looked_at.count(), 5);
    let locked = whys.iter().filter(|why| why.contains("it is locked"));
    assert_eq!(locked.count(), 59);
}

#[tokio::test]
async fn who_leaves_before_the_verdict_has_guessed_all_the_same() {
    let realm = REALM.to_owned() + "[method.totp]\nguesses = { most = 1 }\n";
    let router = alice_and_bob(&realm).start().await;
    let client = both_factors(&router, "alice", &wrong_code()).await;
    drop(client);
    router.log.mention("after 1 wrong answers in a row").await;
    denied(both_factors(&router, "alice", &code(0)).await).await;
}

/// T01: the first factor, the second, a lock, a role that requires more, a role that may not change,
/// a credential that is disabled.
#[tokio::test]
async fn t01_the_client_is_told_the_same_whichever_step_failed() {
    let house = alice_and_bob(REALM);
    enrol(&house, "carol", "admin");
    enrol(&house, "erin", "user");
    house.enrol_app("realm1", "erin", "user");
    let router = house.start().await;
    credential(&router, "disable realm1 totp erin").await;
    let mut refusals = vec![
        denied(first_factor(&router, "alice", "looking-glass").await).await,
        denied(first_factor(&router, "nobody", KEY).await).await,
        denied(first_factor(&router, "carol", KEY).await).await,
        denied(both_factors(&router, "erin", &code(0)).await).await,
    ];
    for _ in 0..6 {
        refusals.push(denied(both_factors(&router, "alice", &wrong_code()).await).await);
    }
    for refusal in &refusals {
        assert_eq!(*refusal, refusals[0]);
    }
}

/// T04: whom the router has never heard of is locked just so.
#[tokio::test]
async fn t04_where_a_first_step_is_counted_it_is_for_everyone() {
    let realm = r#"
        roles = ["user"]
        [[login]]
        steps = ["totp"]
        [method.totp]
        settings = { alone = true }
        guesses = { most = 2, first_step = "counted" }
    "#;
    let router = alice_and_bob(realm).start().await;
    let alone = async |authid: &str, code: String| {
        let greeting = hello("realm1", &["totp"], Some(authid));
        let mut client = Client::greet(&router, greeting).await;
        asked_for_a_code(&mut client).await;
        client.send(&answer(&code)).await;
        denied(client).await
    };
    let mut refusals = Vec::new();
    for authid in ["alice", "nobody"] {
        refusals.push(alone(authid, wrong_code()).await);
        refusals.push(alone(authid, wrong_code()).await);
        refusals.push(alone(authid, code(0)).await);
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    let whys = router.whys(6).await;
    for locked in [&whys[2], &whys[5]] {
        assert!(
            locked.contains("after 2 wrong answers in a row"),
            "{locked}"
        );
    }
    let list = credential(&router, "list realm1").await;
    assert!(list.contains("no credential, locked until"), "{list}");
    credential(&router, "unlock realm1 totp nobody").await;
}

#[tokio::test]
async fn a_step_that_would_be_skipped_for_everyone_is_refused() {
    let house = house(
        "roles = [\"user\"]\n[[login]]\n\
         steps = [\"wampcra\", { method = \"anonymous\", when = \"enrolled\" }]\n",
    );
    let (good, said) = house.check().await;
    assert!(
        !good && said.contains("remove when = \"enrolled\""),
        "{said}"
    );
}

/// T13: from a proxy that names its clients, so that they are told apart.
#[tokio::test]
async fn t13_who_guesses_locks_nobody_out_of_where_they_are_known() {
    let house = house(
        r#"
        roles = ["user"]
        login = [{ steps = ["wampcra"] }]
        [method.wampcra]
        guesses = { most = 2, first_step = "counted" }
        "#,
    );
    enrol(&house, "alice", "user");
    house.listener(
        "address = \"127.0.0.1:0\"\n[listener.proxy]\nfrom = [\"127.0.0.1\"]\nheader = \"x-forwarded-for\"\n",
    );
    let router = house.start().await;
    let from = async |address: &str, key: &str| {
        let headers = format!("X-Forwarded-For: {address}");
        let mut client = Client::connect_through(&router, b"", &headers).await;
        client
            .send(&hello("realm1", &["wampcra"], Some("alice")))
            .await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, key)).await;
        client
    };
    welcomed(from("192.0.2.1", KEY).await).await;
    for _ in 0..2 {
        denied(from("203.0.113.9", "a guess").await).await;
    }
    let list = credential(&router, "list realm1").await;
    assert!(list.contains("locked until "), "{list}");
    denied(from("203.0.113.9", KEY).await).await;
    denied(from("198.51.100.3", KEY).await).await;
    // She has not noticed anything, and a typing error of hers is counted by itself.
    denied(from("192.0.2.1", "a slip").await).await;
    welcomed(from("192.0.2.1", KEY).await).await;
}
