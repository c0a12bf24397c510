//! What is accepted of a passkey, and what is not.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use countersign::wamp::{Dict, Message, Value};
use countersign_tests::{Client, Component, Passkey, hello, sign};
use xtask::Identity;

use crate::house::{
    House, ORIGIN, RP, asked, asked_for, asked_to_enrol, assert_same, enrol, fails, greeting, ids,
    invite, is_refused, is_welcome, logs_in, operate, remove,
};

#[tokio::test]
async fn t05_an_assertion_is_good_for_its_own_challenge_only() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let (client, options) = asked_for(&router, "alice").await;
    let assertion = passkey.get(&options);
    let (waiting, _) = asked_for(&router, "alice").await;
    is_welcome(client, &assertion, "alice").await;
    let replayed = is_refused(waiting, &assertion).await;
    let (client, _) = asked_for(&router, "alice").await;
    assert_same(&[replayed, is_refused(client, &assertion).await]);
    for why in router.whys(2).await {
        assert_eq!(
            why,
            "webauthn: the challenge that was answered is another one"
        );
    }
}

#[tokio::test]
async fn what_was_signed_for_another_place_is_denied() {
    type Change = fn(&mut Passkey);
    let cases: [(Change, &str); 7] = [
        (
            |it| it.origin = "https://example.org.evil.example".into(),
            "the page's origin is \"https://example.org.evil.example\", which is none of `origins`",
        ),
        (
            |it| it.rp = "evil.example".into(),
            "the authenticator was asked by another party than `rp`",
        ),
        (
            |it| it.cross_origin = true,
            "the page was in a frame of another site",
        ),
        (|it| it.flags = Passkey::USER_VERIFIED, "nobody was there"),
        (
            |it| it.flags = Passkey::USER_PRESENT,
            "the authenticator has not verified its user",
        ),
        (
            |it| it.flags |= Passkey::BACKED_UP,
            "the passkey is backed up, which it says it cannot be",
        ),
        (
            |it| it.flags |= Passkey::BACKUP_ELIGIBLE,
            "the passkey differs from the one that was enrolled in whether it can be backed up",
        ),
    ];
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let mut refusals = Vec::new();
    for (change, _) in cases {
        let mut changed = passkey.clone();
        change(&mut changed);
        refusals.push(fails(&router, "alice", &mut changed).await);
    }
    // The same holds for what is enrolled, but for what is then first said.
    for (change, _) in &cases[..6] {
        let code = invite(&router.deployment, "realm1", "bob").await;
        let (client, options) = asked_to_enrol(&router, "bob", &code).await;
        let mut changed = Passkey::new(2, RP, ORIGIN);
        change(&mut changed);
        refusals.push(is_refused(client, &changed.create(&options)).await);
    }
    assert_same(&refusals);
    let expected = cases.iter().chain(&cases[..6]);
    let expected: Vec<String> = expected
        .map(|(_, why)| format!("webauthn: {why}"))
        .collect();
    assert_eq!(router.whys(refusals.len()).await, expected);
    logs_in(&router, "alice", &mut passkey).await;
}

#[tokio::test]
async fn a_signature_counter_must_rise() {
    let router = House::new().start().await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    passkey.counter = 7;
    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    is_welcome(client, &passkey.create(&options), "alice").await;
    let mut copy = passkey.clone();
    for _ in 0..3 {
        logs_in(&router, "alice", &mut passkey).await;
    }
    // The copy says 8, 9 and 10, as the other has. A router that was killed has not forgotten it.
    let mut refusals = vec![fails(&router, "alice", &mut copy).await];
    let router = router.kill().await.start().await;
    refusals.push(fails(&router, "alice", &mut copy).await);
    refusals.push(fails(&router, "alice", &mut copy).await);
    // And none at all is less than what it was.
    let mut zero = passkey.clone();
    zero.counter = 0;
    refusals.push(fails(&router, "alice", &mut zero).await);
    assert_same(&refusals);
    for (why, counter) in router.whys(3).await.iter().zip([9, 10, 0]) {
        let told = format!(
            "webauthn: the signature counter has not risen: {counter} after 10. The passkey may have \
             been copied"
        );
        assert_eq!(*why, told);
    }
    logs_in(&router, "alice", &mut copy).await;
}

#[tokio::test]
async fn a_passkey_that_does_not_count_says_0_each_time() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    for _ in 0..2 {
        logs_in(&router, "alice", &mut passkey).await;
        assert_eq!(passkey.counter, 0);
    }
    // From when on it counts, it must go on to.
    passkey.counter = 1;
    logs_in(&router, "alice", &mut passkey).await;
    passkey.counter = 0;
    fails(&router, "alice", &mut passkey).await;
}

#[tokio::test]
async fn realms_do_not_share_passkeys() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    // An answer to one realm's challenge, in the other.
    let (_waiting, options) = asked_for(&router, "alice").await;
    let (client, _) = asked(&router, greeting("realm2", Some("alice"), None)).await;
    let crossed = is_refused(client, &passkey.get(&options)).await;
    // An answer to the other's challenge, where nobody knows the passkey.
    let mut refusals = vec![crossed];
    for authid in [Some("alice"), None] {
        let (client, options) = asked(&router, greeting("realm2", authid, None)).await;
        refusals.push(is_refused(client, &passkey.get(&options)).await);
    }
    assert_same(&refusals);
    assert_eq!(
        router.whys(3).await,
        [
            "webauthn: the challenge that was answered is another one",
            "webauthn: the signature does not match",
            "webauthn: the signature does not match",
        ]
    );
}

#[tokio::test]
async fn t01_nobody_looks_like_somebody() {
    let router = House::new().start().await;
    let passkey = enrol(&router, "alice", 1).await;
    let shape = |options: &Dict| {
        let list = options
            .value("allowCredentials")
            .and_then(Value::as_list)
            .unwrap();
        let [one] = list else { panic!("{list:?}") };
        let mut one = one.as_dict().unwrap().clone();
        let length = one.text("id").unwrap().len();
        one.remove("id");
        let mut options = options.clone();
        options.remove("challenge");
        options.remove("allowCredentials");
        (one, length, options)
    };
    let mut seen = Vec::new();
    for authid in ["alice", "nobody"] {
        let (client, options) = asked_for(&router, authid).await;
        // Right but for the key: another authenticator that says it has that passkey.
        let mut forged = Passkey::new(9, RP, ORIGIN);
        forged.id = BASE64URL
            .decode(&ids(&options, "allowCredentials")[0])
            .unwrap();
        forged.user_handle.clone_from(&passkey.user_handle);
        let refusal = is_refused(client, &forged.get(&options)).await;
        seen.push((shape(&options), refusal));
    }
    assert_eq!(seen[0], seen[1]);
    let records = router
        .log
        .take(2, |event| event.message() == "login refused")
        .await;
    for field in ["why", "steps"] {
        assert_eq!(records[0].text(field), records[1].text(field));
    }
    assert_eq!(
        records[0].text("why"),
        "webauthn: the signature does not match"
    );
}

#[tokio::test]
async fn nobody_has_the_same_passkey_each_time() {
    let router = House::new().start().await;
    let mut seen = Vec::new();
    for (realm, authid) in [
        ("realm1", "nobody"),
        ("realm1", "nobody"),
        ("realm1", "somebody"),
        ("realm2", "nobody"),
    ] {
        let (_, options) = asked(&router, greeting(realm, Some(authid), None)).await;
        seen.push(ids(&options, "allowCredentials"));
    }
    assert_eq!(seen[0].len(), 1);
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0] != seen[2] && seen[0] != seen[3] && seen[2] != seen[3]);
}

#[tokio::test]
async fn t21_a_passkey_that_ends_between_two_rounds_is_denied() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let (client, options) = asked_for(&router, "alice").await;
    remove(&router.deployment, "alice").await;
    let removed = is_refused(client, &passkey.get(&options)).await;

    let mut passkey = enrol(&router, "alice", 1).await;
    let (client, options) = asked_for(&router, "alice").await;
    let replace = "add realm1 webauthn alice --role user --replace";
    operate(&router.deployment, replace).await;
    enrol(&router, "alice", 2).await;
    let replaced = is_refused(client, &passkey.get(&options)).await;

    // And a code that is taken back while its owner makes a passkey.
    let code = invite(&router.deployment, "realm1", "bob").await;
    let (client, options) = asked_to_enrol(&router, "bob", &code).await;
    remove(&router.deployment, "bob").await;
    let taken_back = is_refused(client, &Passkey::new(3, RP, ORIGIN).create(&options)).await;
    assert_same(&[removed, replaced, taken_back]);
}

#[tokio::test]
async fn a_disabled_passkey_is_asked_for_as_ever_and_denied() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let (_, asked_before) = asked_for(&router, "alice").await;
    let (client, options) = asked_for(&router, "alice").await;
    operate(&router.deployment, "disable realm1 webauthn alice").await;
    // Between a challenge and its answer, and after that.
    let mut refusals = vec![is_refused(client, &passkey.get(&options)).await];
    let (_, asked_now) = asked_for(&router, "alice").await;
    assert_eq!(
        ids(&asked_now, "allowCredentials"),
        ids(&asked_before, "allowCredentials")
    );
    refusals.push(fails(&router, "alice", &mut passkey).await);
    // Nor does a code let her in, an open one or another.
    let enrolling = greeting("realm1", Some("alice"), Some(&code));
    refusals.push(Client::greet(&router, enrolling).await.refusal().await);
    assert_same(&refusals);
    let words = "add realm1 webauthn alice --role user";
    let (done, said) = router.deployment.credential(words).await;
    assert!(!done && said.contains("are disabled"), "{said}");

    operate(&router.deployment, "enable realm1 webauthn alice").await;
    logs_in(&router, "alice", &mut passkey).await;
    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    let mut second = Passkey::new(2, RP, ORIGIN);
    is_welcome(client, &second.create(&options), "alice").await;
}

#[tokio::test]
async fn answers_that_are_none_are_denied() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let mut refusals = Vec::new();
    for (authid, code) in [("alice", None), ("nobody", None), ("alice", Some(&*code))] {
        let greeting = || greeting("realm1", Some(authid), code);
        let (_, options) = asked(&router, greeting()).await;
        let assertion = passkey.get(&options);
        for signature in [
            "",
            "null",
            "[]",
            "{}",
            "{\"rawId\":",
            &assertion[..assertion.len() - 1],
            &assertion.replace("public-key", "password"),
            &assertion.replace("authenticatorData", "authenticatordata"),
            &format!("{assertion} "),
            &"x".repeat(15_000),
        ] {
            let (client, _) = asked(&router, greeting()).await;
            refusals.push(is_refused(client, signature).await);
        }
    }
    assert_same(&refusals);
    // A failed enrolment has not used up the code.
    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    is_welcome(
        client,
        &Passkey::new(2, RP, ORIGIN).create(&options),
        "alice",
    )
    .await;
}

#[tokio::test]
async fn a_passkey_can_be_the_second_factor() {
    const KEY: &str = "a key that is no password";
    let house = House::new();
    let settings = format!("settings = {{ rp = \"{RP}\", origins = [\"{ORIGIN}\"] }}");
    house.0.realm(
        "realm1",
        &format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"wampcra\", \"webauthn\"]\n\
             [[login]]\nsteps = [\"webauthn\"]\n[method.webauthn]\n{settings}\n"
        ),
    );
    house.0.component("wampcra", &Component::method("wampcra"));
    house.0.enrol(&Identity::wampcra("alice", KEY));
    let router = house.start().await;
    let mut alices = enrol(&router, "alice", 1).await;
    let mut bobs = enrol(&router, "bob", 2).await;
    for (passkey, is_hers) in [(&mut alices, true), (&mut bobs, false)] {
        let greeting = hello("realm1", &["wampcra"], Some("alice"));
        let mut client = Client::greet(&router, greeting).await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, KEY)).await;
        let Message::Challenge { extra, .. } = client.receive().await else {
            panic!("no second challenge")
        };
        assert_eq!(ids(&extra, "allowCredentials").len(), 1);
        if is_hers {
            is_welcome(client, &passkey.get(&extra), "alice").await;
        } else {
            is_refused(client, &passkey.get(&extra)).await;
        }
    }
}
