//! What is good once: a step of a counter, and a recovery code.

use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::Router;
use crate::credential::{
    Credential, Enrolment, Hash, Kind, RecoveryCode,
    enrol::{self, Seed, Totp},
};

fn enrolment(codes: &[RecoveryCode]) -> Enrolment {
    let seed = Seed::fresh(Hash::Sha1).unwrap();
    enrol::totp(&seed, &Totp::default(), codes).unwrap()
}

fn codes() -> [RecoveryCode; 3] {
    [(); 3].map(|()| RecoveryCode::generate().unwrap())
}

impl Router {
    fn totp(&self, authid: &str) -> Credential {
        self.find(&Kind::totp(), authid)
    }
}

async fn redeems(credential: &Credential, code: &RecoveryCode) -> bool {
    credential.redeem(&code.expose()).await.unwrap()
}

/// How many of 64 that ask at the same time are told true.
async fn lucky<F: Future<Output = bool> + Send + 'static>(ask: impl Fn() -> F) -> usize {
    let mut asking: JoinSet<bool> = (0..64).map(|_| ask()).collect();
    let mut lucky = 0;
    while let Some(told) = asking.join_next().await {
        lucky += usize::from(told.unwrap());
    }
    lucky
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_advance_to_one_number_one_does() {
    let router = Router::start();
    router.add("alice", &enrolment(&[]));
    for counter in [1, 2, 5] {
        let alice = router.totp("alice");
        let advance = || {
            let alice = alice.clone();
            async move { alice.advance(counter).await.unwrap() }
        };
        assert_eq!(lucky(advance).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_redeem_one_code_one_does() {
    let router = Router::start();
    let codes = codes();
    router.add("alice", &enrolment(&codes));
    let alice = router.totp("alice");
    let redeem = || {
        let (alice, code) = (alice.clone(), codes[0].clone());
        async move { redeems(&alice, &code).await }
    };
    assert_eq!(lucky(redeem).await, 1);
    assert!(
        redeems(&alice, &codes[1]).await,
        "the others are as they were"
    );
}

#[tokio::test]
async fn what_was_used_stays_used_after_a_restart() {
    let router = Router::start();
    let codes = codes();
    router.add("alice", &enrolment(&codes));
    assert!(router.totp("alice").advance(7).await.unwrap());
    assert!(redeems(&router.totp("alice"), &codes[0]).await);
    let router = router.restart();
    assert!(!router.totp("alice").advance(7).await.unwrap());
    assert!(!redeems(&router.totp("alice"), &codes[0]).await);
    assert!(redeems(&router.totp("alice"), &codes[1]).await);
}

#[tokio::test]
async fn codes_go_with_their_credential() {
    let router = Router::start();
    let (first, second) = (codes(), codes());
    router.add("alice", &enrolment(&first));
    let former = router.totp("alice");
    router.add("alice", &enrolment(&second));
    assert!(!redeems(&former, &second[0]).await, "of another version");
    assert!(!redeems(&router.totp("alice"), &first[0]).await);
    assert!(redeems(&router.totp("alice"), &second[0]).await);
    let present = router.totp("alice");
    router.remove(&Kind::totp(), "alice");
    for alice in [present, router.totp("alice")] {
        assert!(!redeems(&alice, &second[1]).await);
        assert!(!alice.advance(1).await.unwrap());
    }
}

#[tokio::test]
async fn a_code_is_good_for_one_authid() {
    let router = Router::start();
    let (alices, bobs) = (codes(), codes());
    router.add("alice", &enrolment(&alices));
    router.add("bob", &enrolment(&bobs));
    assert!(!redeems(&router.totp("bob"), &alices[0]).await);
    assert!(redeems(&router.totp("alice"), &alices[0]).await);
}

#[tokio::test]
async fn nothing_advances_or_redeems_a_decoy() {
    let router = Router::start();
    let codes = codes();
    router.add("alice", &enrolment(&codes));
    for _ in 0..2 {
        let nobody = router.totp("nobody");
        assert_eq!(nobody.parameters(), router.totp("alice").parameters());
        assert!(!nobody.advance(1).await.unwrap());
        assert!(!redeems(&nobody, &codes[0]).await);
    }
}

#[tokio::test]
async fn a_credential_without_a_key_has_no_codes() {
    let router = Router::start();
    router.add("alice", &super::quick_ticket());
    let alice = router.find(&Kind::ticket(), "alice");
    assert!(!redeems(&alice, &codes()[0]).await);
}

#[tokio::test]
async fn who_only_looks_on_uses_nothing_up_and_it_shows_that_they_would_have() {
    let router = Router::start();
    let codes = codes();
    router.add("alice", &enrolment(&codes));
    let (keyring, tried) = router.keyring.unspending();
    let kind = Kind::totp();
    let alice = keyring.find(&kind, &"alice".into()).unwrap();
    assert_eq!(alice.parameters(), router.totp("alice").parameters());
    assert_eq!(alice.version(), router.totp("alice").version());
    assert!(!tried.load(Ordering::Relaxed));
    assert!(alice.advance(7).await.unwrap() && alice.advance(7).await.unwrap());
    assert!(!redeems(&alice, &codes[0]).await);
    assert!(tried.load(Ordering::Relaxed));
    let nobody = keyring.find(&kind, &"nobody".into()).unwrap();
    assert!(!nobody.advance(7).await.unwrap());
    assert_eq!(nobody.parameters(), router.totp("nobody").parameters());

    let alice = router.totp("alice");
    assert!(alice.advance(7).await.unwrap());
    assert!(redeems(&alice, &codes[0]).await);
}
