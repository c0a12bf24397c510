use std::time::Duration;

use super::*;
use crate::credential::{
    PublicKey, Store as _, enrol,
    sqlite::tests::{Disk, find, opens, put, realm, secret},
};

#[test]
fn realms_and_kinds_are_apart() {
    let disk = Disk::new();
    let store = disk.open();
    put(&store, "alice", &secret("one"));
    assert!(
        store
            .find(&"realm2".into(), &Kind::wampcra(), &"alice".into())
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .find(&realm(), &Kind::ticket(), &"alice".into())
            .unwrap()
            .is_none()
    );
    assert!(find(&store, "Alice").is_none());
    assert!(store.list(&"realm2".into()).unwrap().is_empty());
}

#[test]
fn a_key_finds_its_owner_unless_it_has_two() {
    let disk = Disk::new();
    let store = disk.open();
    let texts = [
        "ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08",
        "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d",
    ];
    let keys = texts.map(|text| text.parse::<PublicKey>().unwrap());
    let owner = |realm: &str, key: &PublicKey| {
        let found = store
            .find_by_key(&realm.into(), &Kind::cryptosign(), key.octets())
            .unwrap();
        found.map(|record| record.authid.to_string())
    };
    put(
        &store,
        "alice",
        &enrol::cryptosign(&[texts[0], texts[0], texts[1]]).unwrap(),
    );
    put(&store, "bob", &enrol::cryptosign(&[texts[1]]).unwrap());
    assert_eq!(owner("realm1", &keys[0]).as_deref(), Some("alice"));
    assert_eq!(owner("realm1", &keys[1]), None);
    assert_eq!(owner("realm2", &keys[0]), None);

    put(&store, "alice", &enrol::cryptosign(&[texts[0]]).unwrap());
    assert_eq!(owner("realm1", &keys[1]).as_deref(), Some("bob"));
    store
        .remove(&realm(), &Kind::cryptosign(), &"alice".into())
        .unwrap();
    assert_eq!(owner("realm1", &keys[0]), None);
}

#[test]
fn the_oldest_stays_the_oldest_when_it_is_replaced() {
    let disk = Disk::new();
    let store = disk.open();
    let oldest = || {
        store
            .oldest(&realm(), &Kind::wampcra())
            .unwrap()
            .map(|r| r.authid.to_string())
    };
    assert_eq!(oldest(), None);
    put(&store, "zoe", &secret("one"));
    put(&store, "alice", &secret("two"));
    put(&store, "zoe", &secret("three"));
    assert_eq!(oldest().as_deref(), Some("zoe"));
    store
        .remove(&realm(), &Kind::wampcra(), &"zoe".into())
        .unwrap();
    put(&store, "zoe", &secret("four"));
    assert_eq!(oldest().as_deref(), Some("alice"));
}

#[test]
fn a_list_says_who_has_what() {
    let disk = Disk::new();
    let store = disk.open();
    let before = SystemTime::now() - Duration::from_secs(1);
    put(&store, "bob", &secret("rabbit-hole"));
    put(&store, "alice", &secret("rabbit-hole"));
    put(
        &store,
        "alice",
        &enrol::cryptosign(&["ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08"])
            .unwrap(),
    );
    let list = store.list(&realm()).unwrap();
    let names: Vec<_> = list
        .iter()
        .map(|entry| format!("{} {} {}", entry.authid, entry.kind, entry.authrole))
        .collect();
    assert_eq!(
        names,
        [
            "alice cryptosign user",
            "alice wampcra user",
            "bob wampcra user"
        ]
    );
    assert!(
        list.iter()
            .all(|entry| entry.created > before && entry.changed == entry.created)
    );
    assert!(!format!("{list:?}").contains("rabbit-hole"));
}

#[test]
fn one_damaged_record_is_named_and_the_others_work() {
    let disk = Disk::new();
    let store = disk.open();
    put(&store, "alice", &secret("one"));
    put(&store, "bob", &secret("two"));
    for damage in [
        "parameters = '[]'",
        "material_type = 'palm'",
        "material_type = 'password'",
    ] {
        disk.meddle(&format!(
            "UPDATE credential SET {damage} WHERE authid = 'alice'"
        ));
        let error = store
            .find(&realm(), &Kind::wampcra(), &"alice".into())
            .unwrap_err();
        let StoreError::Damaged { authid, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(authid.as_str(), "alice");
        assert!(!error.to_string().contains("one"), "{error}");
        assert!(opens(find(&store, "bob"), "two"));
        put(&store, "alice", &secret("one"));
        assert!(opens(find(&store, "alice"), "one"));
    }
}
