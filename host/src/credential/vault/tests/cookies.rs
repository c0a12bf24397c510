//! Cookies: good until they expire, are replaced or ended, or a credential changes.

use super::withheld::{DISABLED, ends};
use super::*;
use crate::credential::{CookieHash, CookieLook, CookieValue, FamilyId, NewCookie, Remembered};

const MINUTE: Duration = Duration::from_mins(1);

/// A cookie of Alice's, good for an hour, in a family that goes on for two.
fn cookie(router: &Router, family: FamilyId, now: SystemTime) -> NewCookie {
    let credential = router.find(&Kind::wampcra(), "alice");
    NewCookie {
        hash: CookieValue::generate().unwrap().hash(),
        remembered: Remembered {
            authid: "alice".into(),
            authrole: "user".into(),
            family,
            ends: now + 120 * MINUTE,
            rests_on: credential.present().into_iter().collect(),
        },
        continues: false,
        expires: now + 60 * MINUTE,
        replaces: Vec::new(),
    }
}

/// To the millisecond, as a store keeps times.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000)
}

fn family() -> FamilyId {
    FamilyId::generate().unwrap()
}

impl Router {
    fn with_alice() -> Self {
        let router = Self::start();
        router.add("alice", &salted("secret", "salt"));
        router
    }

    async fn keep(&self, new: &NewCookie, now: SystemTime) -> bool {
        self.keyring.keep_cookie(new.clone(), now).await.unwrap()
    }

    async fn kept(&self, family: FamilyId) -> CookieHash {
        let new = cookie(self, family, now());
        assert!(self.keep(&new, now()).await);
        new.hash
    }

    fn look(&self, hash: CookieHash, now: SystemTime) -> CookieLook {
        self.keyring.cookie(&hash, now).unwrap()
    }

    fn is_good(&self, hash: CookieHash) -> bool {
        matches!(self.look(hash, now()), CookieLook::Good(_))
    }

    fn is_unknown(&self, hash: CookieHash) -> bool {
        matches!(self.look(hash, now()), CookieLook::Unknown)
    }
}

#[tokio::test]
async fn a_cookie_says_whose_it_is_until_it_expires() {
    let router = Router::with_alice();
    let new = cookie(&router, family(), now());
    assert!(router.keep(&new, now()).await);
    let router = router.restart();
    let CookieLook::Good(found) = router.look(new.hash, now() + 59 * MINUTE) else {
        panic!("it is good");
    };
    assert_eq!(found, new.remembered);
    assert!(matches!(
        router.look(new.hash, new.expires),
        CookieLook::Expired
    ));
    let other = CookieValue::generate().unwrap().hash();
    assert!(router.is_unknown(other));
}

#[tokio::test]
async fn t16_a_cookie_is_good_in_its_realm_only() {
    let router = Router::with_alice();
    let hash = router.kept(family()).await;
    let vault = Vault::open(Arc::clone(&router.store) as _, PasswordQueue::default()).unwrap();
    let other = vault.keyring("realm2".into(), "guest".into());
    assert!(matches!(
        other.cookie(&hash, now()).unwrap(),
        CookieLook::Unknown
    ));
    assert_ne!(other.cookie_name(), router.keyring.cookie_name());
    assert!(other.cookie_name().starts_with("__Host-"));
}

#[tokio::test]
async fn t16_a_replaced_cookie_is_dead_soon_after_and_gives_its_thief_away() {
    let router = Router::with_alice();
    let family = family();
    let old = router.kept(family).await;
    let mut new = cookie(&router, family, now());
    new.replaces = vec![old];
    new.continues = true;
    assert!(router.keep(&new, now()).await);
    for seconds in [0, GRACE.as_secs() - 1] {
        // The other tab.
        let look = router.look(old, now() + Duration::from_secs(seconds));
        assert!(matches!(look, CookieLook::Good(_)), "{look:?}");
    }
    let look = router.look(old, now() + GRACE);
    assert!(
        matches!(look, CookieLook::Replayed(found) if found == family),
        "{look:?}"
    );
    assert!(matches!(
        router.look(new.hash, now() + GRACE),
        CookieLook::Good(_)
    ));
    // Replacing it once more gives it no more time.
    let mut third = cookie(&router, family, now());
    third.replaces = vec![old, new.hash];
    assert!(router.keep(&third, now() + MINUTE).await);
    assert!(matches!(
        router.look(old, now() + GRACE),
        CookieLook::Replayed(_)
    ));
}

#[tokio::test]
async fn any_change_of_a_credential_ends_the_cookies_that_go_back_to_it() {
    let router = Router::with_alice();
    router.add("bob", &salted("secret", "salt"));
    let (first, other) = (router.kept(family()).await, router.kept(family()).await);
    router.add("bob", &salted("another", "salt"));
    assert!(
        router.is_good(first) && router.is_good(other),
        "they are not Bob's"
    );

    let late = cookie(&router, family(), now());
    router.add("alice", &salted("another", "salt"));
    assert!(router.is_unknown(first) && router.is_unknown(other));
    assert!(
        !router.keep(&late, now()).await,
        "it goes back to what was changed"
    );

    let hash = router.kept(family()).await;
    router.remove(&Kind::wampcra(), "alice");
    assert!(router.is_unknown(hash));
}

#[tokio::test]
async fn no_cookie_outlives_a_credential_that_it_goes_back_to() {
    let router = Router::with_alice();
    let wampcra = Kind::wampcra();
    let end = SystemTime::now() + Duration::from_hours(1);
    router.say(&wampcra, "alice", ends(end));
    let new = cookie(&router, family(), SystemTime::now());
    let credential = router.find(&wampcra, "alice");
    assert_eq!(new.remembered.rests_on[..], [credential.present().unwrap()]);
    let long = NewCookie {
        expires: end + 30 * MINUTE,
        ..new
    };
    assert!(router.keep(&long, SystemTime::now()).await);
    let CookieLook::Good(found) = router.look(long.hash, end - MINUTE) else {
        panic!("it is good");
    };
    // To the millisecond, as a store keeps times.
    assert!(found.ends <= end && found.ends > end - Duration::from_millis(2));
    let look = router.look(long.hash, end);
    assert!(matches!(look, CookieLook::Expired), "{look:?}");

    let late = NewCookie {
        hash: CookieValue::generate().unwrap().hash(),
        ..long
    };
    assert!(!router.keep(&late, end).await, "it has expired meanwhile");
}

#[tokio::test]
async fn a_credential_that_is_disabled_or_expired_has_no_cookies() {
    let router = Router::with_alice();
    let wampcra = Kind::wampcra();
    let past = ends(SystemTime::now() - MINUTE);
    for validity in [DISABLED, past] {
        router.say(&wampcra, "alice", Validity::default());
        let hash = router.kept(family()).await;
        let late = cookie(&router, family(), now());
        router.say(&wampcra, "alice", validity);
        assert!(router.is_unknown(hash));
        assert!(!router.keep(&late, now()).await, "it is another version");
        assert_eq!(router.find(&wampcra, "alice").present(), None);
        router.say(&wampcra, "alice", Validity::default());
        assert!(router.is_unknown(hash), "what has ended has ended");
    }
}

#[tokio::test]
async fn a_family_that_has_ended_does_not_go_on() {
    let router = Router::with_alice();
    let (ours, theirs) = (family(), family());
    let hashes = [router.kept(ours).await, router.kept(ours).await];
    let other = router.kept(theirs).await;
    assert_eq!(router.keyring.end_family(ours).await.unwrap(), 2);
    assert!(hashes.iter().all(|&hash| router.is_unknown(hash)));
    assert!(router.is_good(other));
    let mut next = cookie(&router, ours, now());
    next.continues = true;
    assert!(!router.keep(&next, now()).await);
}

#[tokio::test]
async fn somebodys_cookies_are_counted_and_ended_together() {
    let router = Router::with_alice();
    let now = SystemTime::now();
    let kept = [family(), family()].map(|family| cookie(&router, family, now));
    for new in &kept {
        assert!(router.keep(new, now).await);
    }
    let mut last = cookie(&router, kept[0].remembered.family, now);
    last.replaces = vec![kept[0].hash];
    assert!(router.keep(&last, now).await);
    let list = router.store.list(&"realm1".into()).unwrap();
    assert_eq!(list[0].cookies, 2, "one of three was replaced");
    let end = |authid: &str| router.store.end_cookies(&"realm1".into(), &authid.into());
    assert_eq!(end("bob").unwrap(), 0);
    assert_eq!(end("alice").unwrap(), 2);
    assert!(router.is_unknown(last.hash));
    assert_eq!(router.store.list(&"realm1".into()).unwrap()[0].cookies, 0);
}

#[tokio::test]
async fn what_is_kept_is_bounded() {
    let router = Router::with_alice();
    let oldest = router.kept(family()).await;
    let count = |sql: &str| -> u32 {
        let path = router.directory.path().join("credentials.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for minutes in 1..=300 {
        let new = cookie(&router, family(), now());
        assert!(
            router
                .keep(&new, now() + Duration::from_millis(minutes))
                .await
        );
    }
    assert_eq!(count("SELECT count(*) FROM cookie"), 256);
    assert!(router.is_unknown(oldest));
    // What has expired is tidied up when the next one comes.
    let later = now() + 100 * MINUTE;
    assert!(router.keep(&cookie(&router, family(), later), later).await);
    assert_eq!(count("SELECT count(*) FROM cookie"), 1);
    assert_eq!(count("SELECT count(*) FROM cookie_credential"), 1);
}
