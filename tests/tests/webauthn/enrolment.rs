//! How a passkey gets into a realm.

use std::time::{Duration, SystemTime};

use countersign::credential::{EnrolmentCode, Invitation, Kind, Sqlite, Store};
use countersign_tests::{Client, Passkey};

use crate::house::{
    House, ORIGIN, RP, asked, asked_for, asked_to_enrol, assert_same, enrol, fails, greeting, ids,
    invite, is_refused, is_welcome, logs_in, operate, remove,
};

#[tokio::test]
async fn a_passkey_is_made_with_a_code_and_then_used() {
    let router = House::new().start().await;
    let mut passkey = enrol(&router, "alice", 1).await;
    logs_in(&router, "alice", &mut passkey).await;
    // Nobody needs to say who they are: the passkey does.
    let (client, options) = asked(&router, greeting("realm1", None, None)).await;
    assert!(ids(&options, "allowCredentials").is_empty());
    is_welcome(client, &passkey.get(&options), "alice").await;
}

#[tokio::test]
async fn a_code_is_good_once_for_one_person_in_one_realm() {
    let router = House::new().start().await;
    let mut refusals = Vec::new();
    let code = invite(&router.deployment, "realm1", "alice").await;
    for (realm, authid, code) in [
        ("realm1", Some("bob"), &*code),
        ("realm2", Some("alice"), &*code),
        ("realm1", Some("alice"), "abcd-efgh-ijkl-mnop"),
        ("realm1", Some("alice"), ""),
        ("realm1", Some("alice"), &"a".repeat(4000)),
        ("realm1", None, &*code),
    ] {
        let client = Client::greet(&router, greeting(realm, authid, Some(code))).await;
        refusals.push(client.refusal().await);
    }

    // It has a second spelling.
    let spelling = code.replace('-', "").to_uppercase();
    let (client, options) = asked_to_enrol(&router, "alice", &spelling).await;
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    is_welcome(client, &passkey.create(&options), "alice").await;
    for code in [code, spelling] {
        let client = Client::greet(&router, greeting("realm1", Some("alice"), Some(&code))).await;
        refusals.push(client.refusal().await);
    }
    assert_same(&refusals);
    let whys = router.whys(refusals.len()).await;
    let no_authid = whys
        .iter()
        .filter(|why| *why == "webauthn: an enrolment needs an authid");
    assert_eq!(no_authid.count(), 1, "{whys:?}");
    let not_open = "webauthn: the enrolment code is not one that is open for this authid";
    let not_open = whys.iter().filter(|why| *why == not_open);
    assert_eq!(not_open.count(), refusals.len() - 1, "{whys:?}");
}

#[tokio::test]
async fn a_code_expires() {
    let router = House::new().start().await;
    let store = Sqlite::open(router.deployment.path("credentials.db")).unwrap();
    let code = EnrolmentCode::generate().unwrap();
    let (realm, kind, alice) = ("realm1".into(), Kind::webauthn(), "alice".into());
    let open_until = |expires| {
        let invitation = Invitation {
            authrole: "user".into(),
            code: code.hash(&realm, &kind, &alice),
            expires,
        };
        store.invite(&realm, &kind, &alice, &invitation).unwrap();
    };
    let (past, future) = (
        SystemTime::now() - Duration::from_secs(1),
        SystemTime::now() + Duration::from_hours(1),
    );
    open_until(past);
    let code_text = code.expose();
    let late = greeting("realm1", Some("alice"), Some(&code_text));
    let first = Client::greet(&router, late).await.refusal().await;

    // While the client makes its passkey.
    open_until(future);
    let (client, options) = asked_to_enrol(&router, "alice", &code_text).await;
    open_until(past);
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    let second = is_refused(client, &passkey.create(&options)).await;
    assert_same(&[first, second]);
}

#[tokio::test]
async fn of_two_who_show_one_code_one_gets_in() {
    let router = House::new().start().await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let (first, options) = asked_to_enrol(&router, "alice", &code).await;
    let (second, other_options) = asked_to_enrol(&router, "alice", &code).await;
    let mut passkey = Passkey::new(1, RP, ORIGIN);
    is_welcome(first, &passkey.create(&options), "alice").await;
    let mut late = Passkey::new(2, RP, ORIGIN);
    is_refused(second, &late.create(&other_options)).await;
    logs_in(&router, "alice", &mut passkey).await;
    fails(&router, "alice", &mut late).await;
}

#[tokio::test]
async fn a_second_passkey_takes_a_second_code() {
    let router = House::new().start().await;
    let mut first = enrol(&router, "alice", 1).await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let listed = operate(&router.deployment, "list realm1").await;
    assert!(
        listed.contains("1 key\n") && listed.contains("code, open until 2"),
        "{listed}"
    );

    let (client, options) = asked_to_enrol(&router, "alice", &code).await;
    // An authenticator that has one of hers already does not make another.
    assert_eq!(ids(&options, "excludeCredentials").len(), 1);
    let mut second = Passkey::new(2, RP, ORIGIN);
    second.counter = 100;
    is_welcome(client, &second.create(&options), "alice").await;

    // Each has a counter of its own.
    logs_in(&router, "alice", &mut second).await;
    logs_in(&router, "alice", &mut first).await;
    let (_, options) = asked_for(&router, "alice").await;
    assert_eq!(ids(&options, "allowCredentials").len(), 2);
    let listed = operate(&router.deployment, "list realm1").await;
    assert!(
        listed.contains("2 keys\n") && !listed.contains("code"),
        "{listed}"
    );

    remove(&router.deployment, "alice").await;
    assert_same(&[
        fails(&router, "alice", &mut first).await,
        fails(&router, "alice", &mut second).await,
    ]);
}

#[tokio::test]
async fn a_passkey_belongs_to_one_person() {
    let router = House::new().start().await;
    let mut alices = enrol(&router, "alice", 1).await;
    let mut bobs = enrol(&router, "bob", 2).await;
    let swapped = fails(&router, "alice", &mut bobs).await;
    // Nor can it be somebody else's as well.
    let code = invite(&router.deployment, "realm1", "carol").await;
    let (client, options) = asked_to_enrol(&router, "carol", &code).await;
    let taken = is_refused(client, &alices.clone().create(&options)).await;
    assert_same(&[swapped, taken]);
    assert_eq!(
        router.whys(2).await,
        [
            "webauthn: the passkey belongs to somebody else",
            "webauthn: the passkey is enrolled already"
        ]
    );
    logs_in(&router, "alice", &mut alices).await;
    logs_in(&router, "bob", &mut bobs).await;
    // Carol's code has not been used up.
    let (client, options) = asked_to_enrol(&router, "carol", &code).await;
    is_welcome(
        client,
        &Passkey::new(3, RP, ORIGIN).create(&options),
        "carol",
    )
    .await;
}

#[tokio::test]
async fn passkeys_of_one_person_have_one_role() {
    let router = House::new().start().await;
    enrol(&router, "alice", 1).await;
    let add = "add realm1 webauthn alice --role admin";
    let (done, refused) = router.deployment.credential(add).await;
    assert!(
        !done && refused.contains("alice has passkeys with the role user"),
        "{refused}"
    );
}
