//! Keys that are enrolled while a router runs.

use std::time::Duration;

use super::*;
use crate::credential::Invitation;

/// What `countersign credential add` does, in another process.
fn invite(router: &Router, authid: &str, code: &EnrolmentCode) {
    let (realm, kind, authid) = ("realm1".into(), Kind::webauthn(), authid.into());
    let invitation = Invitation {
        authrole: "user".into(),
        code: code.hash(&realm, &kind, &authid),
        expires: SystemTime::now() + Duration::from_mins(1),
    };
    let command = Sqlite::open(router.directory.path().join("credentials.db")).unwrap();
    command.invite(&realm, &kind, &authid, &invitation).unwrap();
}

#[tokio::test]
async fn a_code_turns_a_decoy_into_somebody() {
    let router = Router::start();
    let kind = Kind::webauthn();
    let nobody = router.find(&kind, "alice");
    let made_up = nobody.enrolled_keys()[0].clone();
    let code = EnrolmentCode::generate().unwrap();
    assert!(!nobody.is_open(&code.expose()).unwrap());

    let key = EnrolledKey::new(b"id", b"key", 0, "{}").unwrap();
    invite(&router, "alice", &code);
    assert!(nobody.is_open(&code.expose()).unwrap());
    for wrong in ["", "abcd-efgh-ijkl-mnop", "a code"] {
        assert!(!nobody.is_open(wrong).unwrap());
        let kept = nobody.enrol(wrong, key.clone()).await.unwrap();
        assert_eq!(kept, Err(NotEnrolled::NotOpen));
    }
    let bob = router.find(&kind, "bob");
    assert!(!bob.is_open(&code.expose()).unwrap());
    let kept = nobody.enrol(&code.expose(), key.clone()).await.unwrap();
    assert_eq!(kept, Ok(()));

    // What it was called by stays, though all else is new.
    let alice = router.find(&kind, "alice");
    assert_eq!(alice.enrolled_keys(), [key]);
    let handle = |credential: &Credential| credential.hmac(Hash::Sha256, b"handle");
    assert_eq!(handle(&alice), handle(&nobody));
    let by_id = router.keyring.find_by_key(&kind, b"id").unwrap();
    assert_eq!(
        (by_id.authid().as_str(), handle(&by_id)),
        ("alice", handle(&alice))
    );
    assert!(by_id.advance(1).await.unwrap() && !by_id.advance(1).await.unwrap());

    let decoy = router.keyring.find_by_key(&kind, made_up.id()).unwrap();
    assert_eq!(decoy.version(), None);
    assert_eq!(decoy.enrolled_keys()[0].id(), made_up.id());
    assert!(!decoy.advance(1).await.unwrap());
}

fn key(id: &[u8]) -> EnrolledKey {
    EnrolledKey::new(id, &[b"key of ", id].concat(), 0, "{}").unwrap()
}

/// T21: what is disabled, or locked, fits no answer, and no code lets anybody add to it.
#[tokio::test]
async fn t21_passkeys_that_are_withheld_look_as_ever_and_verify_nothing() {
    let router = Router::start();
    let kind = Kind::webauthn();
    let keys = [key(b"one"), key(b"two")];
    for key in keys.clone() {
        let code = EnrolmentCode::generate().unwrap();
        invite(&router, "alice", &code);
        let alice = router.find(&kind, "alice");
        let kept = alice.enrol(&code.expose(), key).await.unwrap();
        assert_eq!(kept, Ok(()));
    }
    let code = EnrolmentCode::generate().unwrap();
    invite(&router, "alice", &code);
    let usual = router.find(&kind, "alice");
    assert_eq!(usual.enrolled_keys(), keys);

    let say = |disabled| {
        let validity = Validity {
            disabled,
            expires: None,
        };
        let said = router
            .store
            .set_validity(&"realm1".into(), &kind, &"alice".into(), validity);
        assert!(said.unwrap());
    };
    for (keyring, disabled) in [
        (router.keyring.clone(), true),
        (router.keyring.locked(), false),
    ] {
        say(disabled);
        let alice = keyring.find(&kind, &"alice".into()).unwrap();
        assert_eq!(alice.parameters(), usual.parameters());
        let shown = alice.enrolled_keys().iter().zip(&keys);
        assert_eq!(alice.enrolled_keys().len(), 2);
        for (shown, real) in shown {
            assert_eq!(shown.id(), real.id());
            assert_ne!(shown.public_key(), real.public_key());
        }
        let by_id = keyring.find_by_key(&kind, b"one").unwrap();
        assert_eq!(by_id.authid().as_str(), hex::encode("one"));
        assert_eq!(by_id.enrolled_keys()[0].id(), b"one");
        assert_ne!(by_id.enrolled_keys()[0].public_key(), keys[0].public_key());
        assert!(!by_id.advance(1).await.unwrap());

        assert!(!alice.is_open(&code.expose()).unwrap());
        let kept = alice.enrol(&code.expose(), key(b"three")).await.unwrap();
        assert_eq!(kept, Err(NotEnrolled::NotOpen));
    }
    let alice = router.find(&kind, "alice");
    assert_eq!(alice.enrolled_keys(), keys);
    assert!(alice.is_open(&code.expose()).unwrap());
}

#[tokio::test]
async fn who_only_looks_on_enrols_nothing() {
    let router = Router::start();
    let code = EnrolmentCode::generate().unwrap();
    invite(&router, "alice", &code);
    let (keyring, tried) = router.keyring.unspending();
    let alice = keyring.find(&Kind::webauthn(), &"alice".into()).unwrap();
    assert!(alice.is_open(&code.expose()).unwrap());
    let kept = alice.enrol(&code.expose(), key(b"id")).await.unwrap();
    assert_eq!(kept, Err(NotEnrolled::NotOpen));
    assert!(tried.load(std::sync::atomic::Ordering::Relaxed));
    let alice = router.find(&Kind::webauthn(), "alice");
    let kept = alice.enrol(&code.expose(), key(b"id")).await.unwrap();
    assert_eq!(kept, Ok(()));
}
