use std::fs;

use super::*;
use crate::credential::{
    Key, Parameters, Store as _,
    enrol::{self, Derivation},
    sqlite::tests::{Disk, find, opens, put, realm, secret},
};

#[test]
fn every_material_comes_back_as_it_was() {
    let disk = Disk::new();
    let store = disk.open();
    let salted = Derivation::Salted {
        salt: "salt123".into(),
        iterations: 1000,
        keylen: 32,
    };
    let keys = ["ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08"];
    for enrolment in [
        enrol::ticket("wonderland").unwrap(),
        enrol::wampcra("wonderland", &salted).unwrap(),
        enrol::cryptosign(&keys).unwrap(),
        Enrolment {
            kind: "totp".into(),
            parameters: Parameters::parse(r#"{"digits":6}"#).unwrap(),
            material: Material::Key(Key::new(&[0, 1, 254, 255])),
            recovery: Vec::new(),
        },
    ] {
        let version = put(&store, "alice", &enrolment);
        let record = store
            .find(&realm(), &enrolment.kind, &"alice".into())
            .unwrap()
            .unwrap();
        assert_eq!(record.parameters, enrolment.parameters);
        assert_eq!(record.authrole.as_str(), "user");
        assert_eq!(record.version, version);
        let octets = |material| StoredMaterial::from(material).octets;
        assert_eq!(octets(&record.material), octets(&enrolment.material));
    }
}

#[test]
fn a_credential_is_replaced_only_if_that_is_wanted() {
    let disk = Disk::new();
    let store = disk.open();
    let add = |text, existing| {
        store.add(
            &realm(),
            &"alice".into(),
            &"user".into(),
            &secret(text),
            existing,
        )
    };
    let first = add("one", Existing::Refuse).unwrap();
    let error = add("two", Existing::Refuse).unwrap_err();
    assert_eq!(
        error.to_string(),
        "alice has a wampcra credential in realm realm1 already"
    );
    assert!(opens(find(&store, "alice"), "one"));
    let second = add("two", Existing::Replace).unwrap();
    assert!(opens(find(&store, "alice"), "two"));
    assert!(second > first);
}

#[test]
fn versions_are_never_used_again() {
    let disk = Disk::new();
    let first = put(&disk.open(), "alice", &secret("one"));
    assert!(
        disk.open()
            .remove(&realm(), &Kind::wampcra(), &"alice".into())
            .unwrap()
    );
    assert!(
        !disk
            .open()
            .remove(&realm(), &Kind::wampcra(), &"alice".into())
            .unwrap()
    );
    assert!(put(&disk.open(), "alice", &secret("one")) > first);
}

#[test]
fn what_is_removed_is_gone_from_the_files() {
    let disk = Disk::new();
    let store = disk.open();
    let needle = "down-the-rabbit-hole";
    let written = || {
        fs::read_dir(disk.directory())
            .unwrap()
            .map(Result::unwrap)
            .any(|file| {
                let octets = fs::read(file.path()).unwrap();
                octets
                    .windows(needle.len())
                    .any(|window| window == needle.as_bytes())
            })
    };
    put(&store, "alice", &secret(needle));
    assert!(written());
    store
        .remove(&realm(), &Kind::wampcra(), &"alice".into())
        .unwrap();
    assert!(!written());
}
