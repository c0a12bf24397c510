use std::thread;
use std::time::Duration;

use super::*;
use crate::credential::enrol;
use crate::credential::sqlite::tests::{Disk, realm};
use crate::credential::{EnrolmentCode, Existing, Note, Store as _, Validity};

fn key(id: &[u8], counter: u64) -> EnrolledKey {
    EnrolledKey::new(id, b"public key", counter, r#"{"transports":["usb"]}"#).unwrap()
}

fn hour(hours: i32) -> SystemTime {
    let long = Duration::from_hours(u64::from(hours.unsigned_abs()));
    if hours < 0 {
        SystemTime::now() - long
    } else {
        SystemTime::now() + long
    }
}

/// Lets somebody enrol a key, until some hours from now.
fn invite(store: &Sqlite, authid: &str, hours: i32) -> CodeHash {
    let (kind, authid) = (Kind::webauthn(), Authid::from(authid));
    let code = EnrolmentCode::generate().unwrap();
    let code = code.hash(&realm(), &kind, &authid);
    let invitation = Invitation {
        authrole: "user".into(),
        code,
        expires: hour(hours),
    };
    store.invite(&realm(), &kind, &authid, &invitation).unwrap();
    code
}

fn enrol(
    store: &Sqlite,
    authid: &str,
    code: &CodeHash,
    key: &EnrolledKey,
) -> Result<(), NotEnrolled> {
    let (kind, authid) = (Kind::webauthn(), Authid::from(authid));
    store
        .enrol(&realm(), &kind, &authid, code, key, SystemTime::now())
        .unwrap()
}

fn find(store: &Sqlite, authid: &str) -> Option<Record> {
    store
        .find(&realm(), &Kind::webauthn(), &authid.into())
        .unwrap()
}

fn find_by_id(store: &Sqlite, id: &[u8]) -> Option<Record> {
    store.find_by_key(&realm(), &Kind::webauthn(), id).unwrap()
}

fn keys(record: &Record) -> &[EnrolledKey] {
    match &record.material {
        Material::EnrolledKeys(keys) => keys,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_come_back_as_they_were() {
    let disk = Disk::new();
    let store = disk.open();
    let both = [key(b"one", 0), key(b"two", 7)];
    for one in &both {
        let code = invite(&store, "alice", 1);
        assert_eq!(enrol(&store, "alice", &code, one), Ok(()));
    }
    let alice = find(&disk.open(), "alice").unwrap();
    assert_eq!(keys(&alice), both);
    assert_eq!(alice.authrole.as_str(), "user");
    assert_eq!(alice.parameters, EnrolledKey::parameters(&both));

    let by_id = find_by_id(&store, b"two").unwrap();
    assert_eq!((by_id.authid.as_str(), keys(&by_id)), ("alice", &both[1..]));
    assert_eq!(by_id.version, alice.version);
    assert!(find_by_id(&store, b"three").is_none());
    let elsewhere = store.find_by_key(&"realm2".into(), &Kind::webauthn(), b"two");
    assert!(elsewhere.unwrap().is_none());
}

#[test]
fn an_invitation_is_no_credential() {
    let disk = Disk::new();
    let store = disk.open();
    invite(&store, "alice", 1);
    assert!(find(&store, "alice").is_none());
    assert!(store.oldest(&realm(), &Kind::webauthn()).unwrap().is_none());
}

#[test]
fn a_code_is_used_up_by_the_key_that_it_allows() {
    let disk = Disk::new();
    let store = disk.open();
    let code = invite(&store, "alice", 1);
    let bobs = invite(&store, "bob", 1);
    assert_eq!(
        enrol(&store, "bob", &code, &key(b"one", 0)),
        Err(NotEnrolled::NotOpen)
    );
    assert_eq!(enrol(&store, "alice", &code, &key(b"one", 0)), Ok(()));
    for id in [b"one", b"two"] {
        assert_eq!(
            enrol(&store, "alice", &code, &key(id, 0)),
            Err(NotEnrolled::NotOpen)
        );
    }
    // What fails for another reason leaves the code open.
    assert_eq!(
        enrol(&store, "bob", &bobs, &key(b"one", 0)),
        Err(NotEnrolled::Taken)
    );
    assert_eq!(enrol(&store, "bob", &bobs, &key(b"two", 0)), Ok(()));
}

#[test]
fn a_code_ends_by_time_by_another_and_by_removal() {
    let disk = Disk::new();
    let store = disk.open();
    let refused = |code| enrol(&store, "alice", &code, &key(b"one", 0)).unwrap_err();
    assert_eq!(refused(invite(&store, "alice", -1)), NotEnrolled::NotOpen);

    let first = invite(&store, "alice", 1);
    let second = invite(&store, "alice", 1);
    assert_eq!(refused(first), NotEnrolled::NotOpen);
    let (kind, alice) = (Kind::webauthn(), Authid::from("alice"));
    let is_open = || {
        store
            .is_open(&realm(), &kind, &alice, &second, SystemTime::now())
            .unwrap()
    };
    assert!(is_open());
    assert!(store.remove(&realm(), &kind, &alice).unwrap());
    assert!(!is_open());
    assert_eq!(refused(second), NotEnrolled::NotOpen);
    assert!(!store.remove(&realm(), &kind, &alice).unwrap());
}

#[test]
fn of_many_that_ask_with_one_code_one_has_its_key_kept() {
    let disk = Disk::new();
    let code = invite(&disk.open(), "alice", 1);
    let kept = thread::scope(|scope| {
        let attempts: Vec<_> = (0..8)
            .map(|id| {
                let disk = &disk;
                scope.spawn(move || enrol(&disk.open(), "alice", &code, &key(&[id], 0)).is_ok())
            })
            .collect();
        let outcomes = attempts.into_iter().map(|attempt| attempt.join().unwrap());
        outcomes.filter(|kept| *kept).count()
    });
    assert_eq!(kept, 1);
    assert_eq!(keys(&find(&disk.open(), "alice").unwrap()).len(), 1);
}

#[test]
fn nobody_has_more_than_so_many_keys() {
    let disk = Disk::new();
    let store = disk.open();
    for id in 0..=EnrolledKey::MOST {
        let code = invite(&store, "alice", 1);
        let id = u8::try_from(id).unwrap();
        let outcome = enrol(&store, "alice", &code, &key(&[id], 0));
        let fits = usize::from(id) < EnrolledKey::MOST;
        assert_eq!(outcome, if fits { Ok(()) } else { Err(NotEnrolled::Full) });
    }
}

#[test]
fn each_key_has_a_counter_that_rises() {
    let disk = Disk::new();
    let store = disk.open();
    for (id, counter) in [(b"one", 0), (b"two", 7)] {
        let code = invite(&store, "alice", 1);
        enrol(&store, "alice", &code, &key(id, counter)).unwrap();
    }
    let advance = |id: &[u8], counter| {
        let record = find_by_id(&store, id).unwrap();
        store.advance(&realm(), &record, counter).unwrap()
    };
    for (id, counter, higher) in [
        (b"one", 0, false),
        (b"one", 1, true),
        (b"two", 7, false),
        (b"two", 8, true),
        (b"one", 1, false),
        (b"one", u64::MAX, false),
        (b"one", 100, true),
        (b"two", 9, true),
    ] {
        assert_eq!(advance(id, counter), higher, "{id:?} {counter}");
    }
    let counters = find(&disk.open(), "alice").unwrap();
    let counters: Vec<u64> = keys(&counters).iter().map(EnrolledKey::counter).collect();
    assert_eq!(counters, [100, 9]);
    // Which of the two would it be?
    let both = find(&store, "alice").unwrap();
    assert!(!store.advance(&realm(), &both, 1000).unwrap());
}

#[test]
fn a_counter_of_a_former_version_does_not_rise() {
    let disk = Disk::new();
    let store = disk.open();
    let code = invite(&store, "alice", 1);
    enrol(&store, "alice", &code, &key(b"one", 0)).unwrap();
    let record = find_by_id(&store, b"one").unwrap();
    store
        .remove(&realm(), &record.kind, &record.authid)
        .unwrap();
    assert!(!store.advance(&realm(), &record, 1).unwrap());
    let code = invite(&store, "alice", 1);
    enrol(&store, "alice", &code, &key(b"one", 0)).unwrap();
    assert!(!store.advance(&realm(), &record, 1).unwrap());
}

#[test]
fn a_replaced_credential_takes_its_keys_along() {
    let disk = Disk::new();
    let store = disk.open();
    let code = invite(&store, "alice", 1);
    enrol(&store, "alice", &code, &key(b"one", 0)).unwrap();
    let other = enrol::Enrolment {
        material: Material::EnrolledKeys(vec![key(b"two", 3)]),
        kind: Kind::webauthn(),
        ..enrol::wampcra("secret", &enrol::Derivation::Plain).unwrap()
    };
    let add = |existing| store.add(&realm(), &"alice".into(), &"user".into(), &other, existing);
    add(Existing::Refuse).unwrap_err();
    add(Existing::Replace).unwrap();
    assert_eq!(keys(&find(&store, "alice").unwrap()), [key(b"two", 3)]);
    assert!(find_by_id(&store, b"one").is_none());
}

#[test]
fn another_key_leaves_a_credential_as_valid_as_it_was() {
    let disk = Disk::new();
    let store = disk.open();
    let code = invite(&store, "alice", 1);
    enrol(&store, "alice", &code, &key(b"one", 0)).unwrap();
    let say = |disabled, expires| {
        let validity = Validity { disabled, expires };
        let said = store.set_validity(&realm(), &Kind::webauthn(), &"alice".into(), validity);
        assert!(said.unwrap());
    };
    let code = invite(&store, "alice", 1);
    for (disabled, expires) in [(true, None), (false, Some(hour(-1)))] {
        say(disabled, expires);
        let refused = enrol(&store, "alice", &code, &key(b"two", 0));
        assert_eq!(refused, Err(NotEnrolled::NotOpen));
    }
    say(false, Some(hour(1)));
    let before = find(&store, "alice").unwrap().validity;
    assert_eq!(enrol(&store, "alice", &code, &key(b"two", 0)), Ok(()));
    assert_eq!(find(&store, "alice").unwrap().validity, before);
    assert!(before.expires.is_some());
}

#[test]
fn a_list_tells_of_keys_and_of_codes() {
    let disk = Disk::new();
    let store = disk.open();
    let code = invite(&store, "alice", 1);
    enrol(&store, "alice", &code, &key(b"one", 0)).unwrap();
    invite(&store, "alice", 1);
    let list = store.list(&realm()).unwrap();
    let [credential, invitation] = &list[..] else {
        panic!("{list:?}")
    };
    assert_eq!(credential.note, Some(Note::Keys(1)));
    assert!(matches!(invitation.note, Some(Note::OpenUntil(time)) if time > SystemTime::now()));
    assert_eq!(invitation.kind, Kind::webauthn());
}

#[test]
fn a_damaged_key_is_told() {
    let disk = Disk::new();
    let store = disk.open();
    let code = invite(&store, "alice", 1);
    enrol(&store, "alice", &code, &key(b"one", 0)).unwrap();
    let path = disk.path();
    let meddler = rusqlite::Connection::open(path).unwrap();
    meddler
        .execute("UPDATE enrolled_key SET about = 'x'", [])
        .unwrap();
    let error = store
        .find(&realm(), &Kind::webauthn(), &"alice".into())
        .unwrap_err();
    assert!(
        error.to_string().contains("is not a JSON object"),
        "{error}"
    );
}

#[test]
fn who_has_an_open_code_is_as_good_as_enrolled() {
    let disk = Disk::new();
    let store = disk.open();
    let has = |authid: &str| {
        let authid = Authid::from(authid);
        store.has(&realm(), &Kind::webauthn(), &authid).unwrap()
    };
    assert!(!has("alice"));
    let code = invite(&store, "alice", 1);
    assert!(has("alice") && !has("bob"));
    assert!(!store.has(&realm(), &Kind::totp(), &"alice".into()).unwrap());
    invite(&store, "bob", -1);
    assert!(!has("bob"));
    enrol(&store, "alice", &code, &key(b"id", 0)).unwrap();
    assert!(has("alice"));
}
