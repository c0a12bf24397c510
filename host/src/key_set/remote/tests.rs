use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::*;
use crate::{config::KeySetUrl, key_set::Fetching};

const LONG: Duration = Duration::from_hours(1);

/// An issuer that says one thing after the other, each when it may.
struct Issuer {
    says: Mutex<VecDeque<Result<&'static str, &'static str>>>,
    asked: watch::Sender<usize>,
    may_answer: Semaphore,
}

impl Issuer {
    fn new(says: impl IntoIterator<Item = Result<&'static str, &'static str>>) -> Arc<Self> {
        Arc::new(Self {
            says: Mutex::new(says.into_iter().collect()),
            asked: watch::Sender::new(0),
            may_answer: Semaphore::new(1000),
        })
    }

    /// One that keeps everybody waiting.
    fn that_waits(says: impl IntoIterator<Item = Result<&'static str, &'static str>>) -> Arc<Self> {
        let issuer = Self::new(says);
        issuer.may_answer.forget_permits(1000);
        issuer
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    async fn was_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        asked.wait_for(|asked| *asked >= times).await.unwrap();
    }
}

impl Fetch for Issuer {
    fn fetch<'a>(&'a self, realm: &'a Arc<str>, url: &'a str) -> Fetching<'a> {
        assert_eq!((&**realm, url), ("acme", "https://id.example.com/keys"));
        Box::pin(async {
            self.asked.send_modify(|asked| *asked += 1);
            self.may_answer.acquire().await.unwrap().forget();
            let next = self.says.lock().pop_front().expect("not asked so often");
            next.map(|text| Bytes::from_static(text.as_bytes()))
                .map_err(str::to_owned)
        })
    }

    fn check(&self, url: &str) -> Result<(), String> {
        match url {
            "https://forbidden.example/" => Err("not allowed".into()),
            _ => Ok(()),
        }
    }
}

fn place(refresh: Duration, keep: Duration, pause: Duration) -> RemoteKeySet {
    RemoteKeySet {
        url: KeySetUrl::new("https://id.example.com/keys").unwrap(),
        refresh,
        keep,
        pause,
    }
}

fn remote(issuer: &Arc<Issuer>, place: &RemoteKeySet) -> Arc<Remote> {
    let issuer: Arc<dyn Fetch> = Arc::<Issuer>::clone(issuer);
    Remotes::new(issuer).open(&"acme".into(), place).unwrap()
}

const A: &str = r#"{"keys":[{"kid":"a"}]}"#;
const A_AND_B: &str = r#"{"keys":[{"kid":"a"},{"kid":"b"}]}"#;

#[tokio::test]
async fn a_set_is_fetched_once_and_used_by_all() {
    let issuer = Issuer::new([Ok(A)]);
    let remote = remote(&issuer, &place(LONG, LONG, LONG));
    for kid in [Some("a"), None, Some("a")] {
        assert_eq!(remote.get(kid).await.unwrap().text(kid), A);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn those_who_come_together_wait_for_one_attempt() {
    let issuer = Issuer::that_waits([Ok(A)]);
    let remote = remote(&issuer, &place(LONG, LONG, LONG));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let remote = Arc::clone(&remote);
        waiting.spawn(async move { remote.get(Some("a")).await });
    }
    issuer.was_asked(1).await;
    issuer.may_answer.add_permits(1);
    while let Some(got) = waiting.join_next().await {
        assert!(got.unwrap().is_ok());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_no_attempt_with_it() {
    let issuer = Issuer::that_waits([Ok(A)]);
    let remote = remote(&issuer, &place(LONG, LONG, LONG));
    let hasty = tokio::spawn({
        let remote = Arc::clone(&remote);
        async move { remote.get(Some("a")).await }
    });
    issuer.was_asked(1).await;
    hasty.abort();
    assert!(hasty.await.unwrap_err().is_cancelled());
    issuer.may_answer.add_permits(1);
    assert!(remote.get(Some("a")).await.is_ok());
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_unknown_kid_is_looked_for_once_in_a_pause() {
    let issuer = Issuer::new([Ok(A)]);
    let patient = remote(&issuer, &place(LONG, LONG, LONG));
    for kid in ["a", "b", "c"] {
        assert_eq!(patient.get(Some(kid)).await.unwrap().text(None), A);
    }
    assert_eq!(issuer.asked(), 1);

    let issuer = Issuer::new([Ok(A), Ok(A_AND_B), Ok(A_AND_B)]);
    let eager = remote(&issuer, &place(LONG, LONG, Duration::ZERO));
    assert!(!eager.get(Some("a")).await.unwrap().has("b"));
    assert!(eager.get(Some("b")).await.unwrap().has("b"));
    assert!(eager.get(Some("b")).await.unwrap().has("b"));
    assert_eq!(issuer.asked(), 2);
    assert!(!eager.get(Some("c")).await.unwrap().has("c"));
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn an_issuer_that_fails_is_asked_once_in_a_pause() {
    let issuer = Issuer::new([Err("no answer")]);
    let remote = remote(&issuer, &place(LONG, LONG, LONG));
    for _ in 0..3 {
        let why = remote.get(Some("a")).await.unwrap_err();
        assert_eq!(why, "https://id.example.com/keys: no answer");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn the_last_good_set_goes_on_while_the_issuer_talks_nonsense() {
    let nonsense = [Ok("<html>"), Err("no answer"), Ok("{}"), Ok(A_AND_B)];
    let issuer = Issuer::new([Ok(A)].into_iter().chain(nonsense));
    let remote = remote(&issuer, &place(LONG, LONG, Duration::ZERO));
    for _ in 0..4 {
        // Nobody has `b`, so each asks the issuer first.
        assert_eq!(remote.get(Some("b")).await.unwrap().text(None), A);
    }
    assert!(remote.get(Some("b")).await.unwrap().has("b"));
    assert_eq!(issuer.asked(), 5);
}

#[tokio::test]
async fn a_set_that_is_too_old_does_not_go_on() {
    let issuer = Issuer::new([Ok(A), Err("no answer")]);
    let remote = remote(
        &issuer,
        &place(Duration::ZERO, Duration::ZERO, Duration::ZERO),
    );
    for end in [
        "nothing was fetched yet; what was fetched 0 s ago is too old to go on with",
        "no answer; what was fetched 0 s ago is too old to go on with",
    ] {
        let why = remote.get(Some("a")).await.unwrap_err();
        assert!(why.ends_with(end), "{why}");
    }
}

#[tokio::test]
async fn a_set_is_refreshed_while_the_old_one_serves() {
    let issuer = Issuer::that_waits([Ok(A), Ok(A_AND_B)]);
    let remote = remote(&issuer, &place(Duration::ZERO, LONG, LONG));
    issuer.may_answer.add_permits(1);
    assert_eq!(remote.get(Some("a")).await.unwrap().text(None), A);
    // The pause holds here too.
    assert_eq!(remote.get(Some("a")).await.unwrap().text(None), A);
    assert_eq!(issuer.asked(), 1);

    let issuer = Issuer::that_waits([Ok(A), Ok(A_AND_B)]);
    let remote = self::remote(&issuer, &place(Duration::ZERO, LONG, Duration::ZERO));
    issuer.may_answer.add_permits(1);
    let mut attempts = remote.attempts.subscribe();
    assert_eq!(remote.get(Some("a")).await.unwrap().text(None), A);
    // It does not wait for an issuer that does not answer.
    assert_eq!(remote.get(Some("a")).await.unwrap().text(None), A);
    issuer.was_asked(2).await;
    issuer.may_answer.add_permits(1);
    attempts.wait_for(|ended| *ended == 2).await.unwrap();
    assert!(remote.good().unwrap().0.has("b"));
}

#[tokio::test]
async fn a_realm_keeps_its_set_across_generations_and_shares_it_with_nobody() {
    let issuer: Arc<dyn Fetch> = Issuer::new([]);
    let remotes = Remotes::new(issuer);
    let there = place(LONG, LONG, LONG);
    let open = |realm: &str, place| remotes.open(&realm.into(), place).unwrap();
    let first = open("acme", &there);
    assert!(Arc::ptr_eq(&first, &open("acme", &there)));
    assert!(!Arc::ptr_eq(&first, &open("umbrella", &there)));
    let elsewhere = RemoteKeySet {
        url: KeySetUrl::new("https://id.example.org/keys").unwrap(),
        ..there.clone()
    };
    assert!(!Arc::ptr_eq(&first, &open("acme", &elsewhere)));
    drop(first);
    let other = open("acme", &elsewhere);
    assert_eq!(remotes.known.lock().len(), 1);
    drop(other);

    let forbidden = RemoteKeySet {
        url: KeySetUrl::new("https://forbidden.example").unwrap(),
        ..there
    };
    let refused = remotes.open(&"acme".into(), &forbidden);
    assert_eq!(refused.unwrap_err(), "not allowed");
}
