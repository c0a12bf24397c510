//! Credentials that are there and that no answer fits.

use std::time::{Duration, SystemTime};

use super::Router;
use crate::credential::{
    Credential, Hash, Kind, RecoveryCode, Store as _, Validity, Withheld,
    enrol::{self, Seed, Totp},
};

pub(super) const DISABLED: Validity = Validity {
    disabled: true,
    expires: None,
};

pub(super) fn ends(time: SystemTime) -> Validity {
    Validity {
        disabled: false,
        expires: Some(time),
    }
}

impl Router {
    pub(super) fn say(&self, kind: &Kind, authid: &str, validity: Validity) {
        let store = &self.store;
        let said = store.set_validity(&"realm1".into(), kind, &authid.into(), validity);
        assert!(said.unwrap());
    }
}

fn tag(credential: &Credential) -> Vec<u8> {
    credential.hmac(Hash::Sha256, b"message")
}

#[tokio::test]
async fn it_looks_as_ever_and_nothing_fits() {
    let router = Router::start();
    let code = RecoveryCode::generate().unwrap();
    let seed = Seed::fresh(Hash::Sha1).unwrap();
    let totp = enrol::totp(&seed, &Totp::default(), std::slice::from_ref(&code)).unwrap();
    router.add("alice", &totp);
    router.add("alice", &super::salted("secret", "0123456789abcdef"));
    let (totp, wampcra) = (Kind::totp(), Kind::wampcra());
    let good = router.find(&wampcra, "alice");

    let past = SystemTime::now() - Duration::from_secs(1);
    for (validity, withheld) in [
        (DISABLED, Withheld::Disabled),
        (ends(past), Withheld::Expired),
    ] {
        router.say(&wampcra, "alice", validity);
        router.say(&totp, "alice", validity);
        for _ in 0..2 {
            let it = router.find(&wampcra, "alice");
            assert_eq!(it.withheld(), Some(withheld));
            assert_eq!(it.parameters(), good.parameters());
            assert_eq!(it.authrole(), good.authrole());
            assert_ne!(tag(&it), tag(&good));
            assert!(!it.verify_hmac(Hash::Sha256, b"message", &tag(&good)));
            let it = router.find(&totp, "alice");
            assert!(!it.advance(1).await.unwrap());
            assert!(!it.redeem(&code.expose()).await.unwrap());
            assert_eq!(it.version(), None);
        }
        assert!(router.keyring.has(&totp, &"alice".into()).unwrap());
    }

    for validity in [
        Validity::default(),
        ends(SystemTime::now() + Duration::from_hours(1)),
    ] {
        router.say(&wampcra, "alice", validity);
        router.say(&totp, "alice", validity);
        let it = router.find(&wampcra, "alice");
        assert_eq!((it.withheld(), tag(&it)), (None, tag(&good)));
    }
    let it = router.find(&totp, "alice");
    assert!(it.advance(1).await.unwrap());
    assert!(it.redeem(&code.expose()).await.unwrap());
    assert!(!router.keyring.has(&totp, &"bob".into()).unwrap());
}

/// T21: what is disabled between a challenge and its answer fits no answer.
#[tokio::test]
async fn t21_r24_what_was_found_before_it_was_disabled_uses_nothing_up() {
    let router = Router::start();
    let seed = Seed::fresh(Hash::Sha1).unwrap();
    let totp = enrol::totp(&seed, &Totp::default(), &[]).unwrap();
    router.add("alice", &totp);
    let before = router.find(&Kind::totp(), "alice");
    router.say(&Kind::totp(), "alice", DISABLED);
    assert!(!before.advance(1).await.unwrap());
    router.say(&Kind::totp(), "alice", Validity::default());
    assert!(!before.advance(1).await.unwrap(), "it is another version");
    let after = router.find(&Kind::totp(), "alice");
    assert!(after.advance(1).await.unwrap());
    router.say(&Kind::totp(), "alice", DISABLED);
    router.say(&Kind::totp(), "alice", Validity::default());
    let after = router.find(&Kind::totp(), "alice");
    assert!(!after.advance(1).await.unwrap(), "what was used stays used");
}

#[test]
fn a_disabled_key_leads_to_nobody() {
    let router = Router::start();
    let key = "ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08";
    router.add("alice", &enrol::cryptosign(&[key]).unwrap());
    let octets = hex::decode(key).unwrap();
    let by_key = || {
        let found = router.keyring.find_by_key(&Kind::cryptosign(), &octets);
        found.unwrap()
    };
    assert_eq!(by_key().authid().as_str(), "alice");
    router.say(&Kind::cryptosign(), "alice", DISABLED);
    assert_eq!(by_key().authid().as_str(), key);
    let it = router.find(&Kind::cryptosign(), "alice");
    assert_eq!(it.authid().as_str(), "alice");
    for it in [it, by_key()] {
        assert!(it.public_keys().iter().all(|it| it.octets()[..] != octets));
        assert_eq!(it.public_keys().len(), 1);
    }
}

#[test]
fn during_a_lock_nobody_has_a_credential_that_fits() {
    let router = Router::start();
    router.add("alice", &super::salted("secret", "0123456789abcdef"));
    let locked = router.keyring.locked();
    for authid in ["alice", "nobody"] {
        let usual = router.find(&Kind::wampcra(), authid);
        let it = locked.find(&Kind::wampcra(), &authid.into()).unwrap();
        assert_eq!(it.withheld(), Some(Withheld::Locked));
        assert_eq!(it.parameters(), usual.parameters());
        assert_eq!(tag(&it) == tag(&usual), authid == "nobody");
    }
}
