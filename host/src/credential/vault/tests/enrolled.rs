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
        expires: SystemTime::now() + Duration::from_secs(60),
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
