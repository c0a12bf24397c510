use super::*;
use crate::credential::{
    Store as _,
    sqlite::tests::{Disk, find, put, realm, secret},
};

#[test]
fn a_counter_only_rises_and_belongs_to_one_credential() {
    let disk = Disk::new();
    let store = disk.open();
    for authid in ["alice", "bob"] {
        put(&store, authid, &secret("secret"));
    }
    let (alice, bob) = (find(&store, "alice").unwrap(), find(&store, "bob").unwrap());
    let advance = |record, counter| store.advance(&realm(), record, counter).unwrap();
    for (counter, expected) in [
        (0, true),
        (0, false),
        (9, true),
        (9, false),
        (8, false),
        (10, true),
    ] {
        assert_eq!(advance(&alice, counter), expected, "{counter}");
    }
    assert!(advance(&bob, 5));
    let largest = i64::MAX.cast_unsigned();
    assert!(!advance(&bob, u64::MAX) && !advance(&bob, largest + 1));
    assert!(advance(&bob, largest));
    assert!(!store.advance(&"realm2".into(), &alice, 11).unwrap());
    // Another process knows.
    assert!(!disk.open().advance(&realm(), &alice, 10).unwrap());
}

#[test]
fn what_was_replaced_or_made_up_advances_nothing() {
    let disk = Disk::new();
    let store = disk.open();
    put(&store, "alice", &secret("secret"));
    let former = find(&store, "alice").unwrap();
    assert!(store.advance(&realm(), &former, 7).unwrap());
    put(&store, "alice", &secret("other"));
    assert!(!store.advance(&realm(), &former, 8).unwrap());
    let alice = find(&store, "alice").unwrap();
    assert!(
        store.advance(&realm(), &alice, 7).unwrap(),
        "it begins anew"
    );

    let decoy = Record {
        version: 0,
        ..alice
    };
    assert!(!store.advance(&realm(), &decoy, 9).unwrap());
}
