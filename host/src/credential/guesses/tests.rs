use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use proptest::{collection, prelude::*, sample};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::credential::{Sqlite, enrol, enrol::Derivation, store::Existing};

const BOUNDS: Bounds = Bounds {
    most: 5,
    lock: Duration::from_mins(1),
    longest: Duration::from_hours(1),
    total: 100,
};

/// A store, and a process that works with it.
struct House {
    directory: TempDir,
    store: Arc<dyn Store>,
    book: Arc<Book>,
}

impl House {
    fn new() -> Self {
        Self::at(TempDir::new().unwrap())
    }

    fn at(directory: TempDir) -> Self {
        let store = Sqlite::open(directory.path().join("credentials.db")).unwrap();
        Self {
            directory,
            store: Arc::new(store),
            book: Arc::default(),
        }
    }

    fn restart(self) -> Self {
        let Self {
            directory,
            store,
            book,
        } = self;
        drop((store, book));
        Self::at(directory)
    }

    async fn begin(&self, authid: &str) -> Guess {
        self.begin_at(authid, SystemTime::now).await
    }

    async fn begin_at(&self, authid: &str, now: fn() -> SystemTime) -> Guess {
        self.begin_from("192.0.2.1", authid, now).await
    }

    async fn begin_from(&self, source: &str, authid: &str, now: fn() -> SystemTime) -> Guess {
        let (guesser, source) = (guesser(authid), GuessSource::new(source));
        let guess = self.book.begin(&self.store, guesser, &source, &BOUNDS, now);
        guess.await.unwrap()
    }

    async fn wrong(&self, authid: &str, times: u32) {
        self.wrong_from("192.0.2.1", authid, times).await;
    }

    async fn wrong_from(&self, source: &str, authid: &str, times: u32) {
        for _ in 0..times {
            let guess = self.begin_from(source, authid, SystemTime::now).await;
            guess.wrong().await.unwrap();
        }
    }

    async fn right_from(&self, source: &str, authid: &str) {
        let guess = self.begin_from(source, authid, SystemTime::now).await;
        assert_eq!(guess.lock(), None);
        guess.right().await.unwrap();
    }

    async fn is_locked_for(&self, source: &str, authid: &str) -> bool {
        let guess = self.begin_from(source, authid, SystemTime::now).await;
        guess.lock().is_some()
    }

    async fn is_locked(&self, authid: &str) -> bool {
        self.begin(authid).await.lock().is_some()
    }

    fn tally(&self, authid: &str) -> Tally {
        self.store.tally(&guesser(authid)).unwrap()
    }

    fn enrol(&self, authid: &str) {
        let enrolment = enrol::wampcra("secret", &Derivation::Plain).unwrap();
        let (realm, authid, role) = ("realm1".into(), authid.into(), "user".into());
        let store = &self.store;
        store
            .add(&realm, &authid, &role, &enrolment, Existing::Replace)
            .unwrap();
    }

    fn meddle(&self, sql: &str) {
        let path = self.directory.path().join("credentials.db");
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

fn guesser(authid: &str) -> Guesser {
    Guesser {
        realm: "realm1".into(),
        kind: Kind::wampcra(),
        authid: authid.into(),
        known: None,
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn each_further_wrong_answer_makes_the_lock_twice_as_long() {
    let now = at(1_000_000);
    let locks: Vec<_> = (1..=13)
        .map(|wrong| match BOUNDS.lock_after(wrong, now) {
            None => 0,
            Some(Lock::Until(end)) => end.duration_since(now).unwrap().as_secs() / 60,
            Some(Lock::UntilLifted) => panic!(),
        })
        .collect();
    assert_eq!(locks, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert!(matches!(BOUNDS.lock_after(99, now), Some(Lock::Until(_))));
    for wrong in [100, 101, u32::MAX] {
        assert_eq!(BOUNDS.lock_after(wrong, now), Some(Lock::UntilLifted));
    }
}

/// T12 and R23: of any number of wrong answers at the same time, so many are looked at as may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t12_r23_64_parallel_wrong_answers_stay_within_the_bound() {
    let house = Arc::new(House::new());
    let looked_at = Arc::new(AtomicU32::new(0));
    let mut guessing = JoinSet::new();
    for _ in 0..64 {
        let (house, looked_at) = (Arc::clone(&house), Arc::clone(&looked_at));
        guessing.spawn(async move {
            let guess = house.begin("alice").await;
            if guess.lock().is_none() {
                looked_at.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            guess.wrong().await.unwrap();
        });
    }
    guessing.join_all().await;
    assert_eq!(looked_at.load(Ordering::Relaxed), BOUNDS.most);
    let tally = house.tally("alice");
    assert_eq!((tally.wrong, tally.refused), (5, 59));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_answers_at_the_same_time_wait_for_each_other_and_none_is_refused() {
    let house = Arc::new(House::new());
    house.wrong("alice", 4).await;
    let mut guessing = JoinSet::new();
    for _ in 0..64 {
        let house = Arc::clone(&house);
        guessing.spawn(async move {
            let guess = house.begin("alice").await;
            assert_eq!(guess.lock(), None);
            guess.right().await.unwrap();
        });
    }
    guessing.join_all().await;
    assert_eq!(house.tally("alice"), Tally::default());
    assert!(house.book.0.lock().is_empty());
}

#[tokio::test]
async fn what_is_no_answer_counts_nothing_and_makes_room() {
    let house = House::new();
    for _ in 0..2 {
        let mut asked = Vec::new();
        for _ in 0..5 {
            asked.push(house.begin("alice").await);
        }
    }
    assert_eq!(house.tally("alice"), Tally::default());
    assert!(!house.is_locked("alice").await);
}

#[tokio::test]
async fn a_lock_is_ones_own_and_outlives_a_restart() {
    let house = House::new();
    house.wrong("alice", 5).await;
    assert!(house.is_locked("alice").await && !house.is_locked("bob").await);
    let house = house.restart();
    assert!(house.is_locked("alice").await && !house.is_locked("bob").await);
    // Right or wrong, nobody looks.
    house.begin("alice").await.right().await.unwrap();
    let tally = house.tally("alice");
    assert_eq!((tally.wrong, tally.refused), (5, 1));
    assert!(house.store.forget_wrong(&guesser("alice")).unwrap());
    assert!(!house.is_locked("alice").await);
    assert!(!house.store.forget_wrong(&guesser("alice")).unwrap());
}

#[tokio::test]
async fn a_new_credential_has_no_wrong_answers_to_it() {
    let house = House::new();
    house.enrol("alice");
    house.wrong("alice", 5).await;
    house.enrol("alice");
    assert!(!house.is_locked("alice").await);
}

#[tokio::test]
async fn a_store_that_takes_nothing_in_is_no_way_around_the_bound() {
    let house = House::new();
    house.wrong("alice", 1).await;
    house.meddle(
        "CREATE TRIGGER full BEFORE INSERT ON wrong_answer BEGIN SELECT RAISE(FAIL, 'full'); END",
    );
    let mut looked_at = 1;
    while !house.is_locked("alice").await {
        looked_at += 1;
        house.begin("alice").await.wrong().await.unwrap_err();
    }
    assert_eq!(looked_at, BOUNDS.most);
}

#[tokio::test]
async fn strangers_are_forgotten_before_anybody_else_is() {
    let house = House::new();
    house.enrol("alice");
    house.wrong("alice", 1).await;
    for stranger in 0..60 {
        house.wrong(&format!("stranger-{stranger}"), 2).await;
    }
    let kept = house.store.tallies(&"realm1".into()).unwrap();
    assert!(kept.len() < 30, "{}", kept.len());
    assert_eq!(house.tally("alice").wrong, 1);
    assert_eq!(house.tally("stranger-59").wrong, 2, "the last one is there");
}

#[tokio::test]
async fn what_is_forgotten_of_one_source_is_not_forgotten_of_another() {
    let house = House::new();
    house.right_from("home", "carol").await;
    house.wrong_from("home", "carol", 3).await;
    house.wrong_from("elsewhere", "carol", 1).await;
    for stranger in 0..60 {
        house.wrong(&format!("stranger-{stranger}"), 2).await;
    }
    let at_home = Guesser {
        known: Some(GuessSource::new("home")),
        ..guesser("carol")
    };
    assert_eq!(
        house.tally("carol").wrong,
        0,
        "who guesses least goes first"
    );
    assert_eq!(house.store.tally(&at_home).unwrap().wrong, 3);
}

/// T13: whoever guesses with somebody's name locks them out of everywhere but where they are known.
#[tokio::test]
async fn t13_strangers_lock_out_strangers() {
    let house = House::new();
    house.right_from("home", "alice").await;
    house.wrong_from("elsewhere", "alice", 5).await;
    assert!(house.is_locked_for("elsewhere", "alice").await);
    assert!(house.is_locked_for("a third place", "alice").await);
    // Wrong answers from where she is known count too, by themselves.
    house.wrong_from("home", "alice", 4).await;
    house.right_from("home", "alice").await;
    assert!(house.is_locked_for("elsewhere", "alice").await);
    house.wrong_from("home", "alice", 5).await;
    assert!(house.is_locked_for("home", "alice").await);
    // One lock is lifted with the other.
    assert!(house.store.forget_wrong(&guesser("alice")).unwrap());
    assert!(!house.is_locked_for("home", "alice").await);
    assert!(!house.is_locked_for("elsewhere", "alice").await);
}

#[tokio::test]
async fn a_source_is_known_by_who_it_was_to_which_credential_and_for_a_month() {
    let house = House::new();
    let (guesser, home) = (guesser("alice"), GuessSource::new("home"));
    let last_right = |guesser: &Guesser| house.store.last_right(guesser, &home).unwrap();
    let day = |days: u64| at(days * 86_400);
    house.store.note_right(&guesser, &home, day(1)).unwrap();
    assert_eq!(last_right(&guesser), Some(day(1)));
    let other = |authid: &str, kind: &str| Guesser {
        kind: kind.into(),
        ..self::guesser(authid)
    };
    assert_eq!(last_right(&other("bob", "wampcra")), None);
    assert_eq!(last_right(&other("alice", "totp")), None);

    let is_known = async |now| {
        let guess = house.begin_from("home", "alice", now).await;
        guess.guesser.known.is_some()
    };
    assert!(is_known(|| at(30 * 86_400)).await);
    assert!(!is_known(|| at(32 * 86_400)).await);
    // The clock was set back.
    assert!(!is_known(|| at(0)).await);

    house.enrol("alice");
    assert_eq!(
        last_right(&guesser),
        None,
        "who has the new one is not known"
    );
}

#[tokio::test]
async fn of_many_sources_the_latest_are_known() {
    let house = House::new();
    let guesser = guesser("alice");
    let source = |number: u64| GuessSource::new(format!("192.0.2.{number}"));
    for number in 0..20 {
        let now = at(1_000_000 + number);
        house
            .store
            .note_right(&guesser, &source(number), now)
            .unwrap();
    }
    let known = (0..20).filter(|number| {
        let last_right = house.store.last_right(&guesser, &source(*number));
        last_right.unwrap().is_some()
    });
    assert_eq!(known.collect::<Vec<_>>(), (4..20).collect::<Vec<_>>());
}

static NOW: AtomicU64 = AtomicU64::new(1_000_000);

fn now() -> SystemTime {
    at(NOW.load(Ordering::Relaxed))
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Wrong,
    Right,
    Leave,
    /// Seconds.
    Wait(u64),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => Just(Move::Wrong),
        1 => Just(Move::Right),
        1 => Just(Move::Leave),
        3 => sample::select(vec![1, 59, 60, 61, 200, 4000]).prop_map(Move::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Against a count of one's own: an answer is looked at if and only if no lock is on.
    #[test]
    fn what_is_looked_at_is_within_the_bounds(moves in collection::vec(any_move(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let house = House::new();
            let (mut wrong, mut free_at) = (0_u32, 0_u64);
            for it in moves {
                let seconds = NOW.load(Ordering::Relaxed);
                let may = free_at <= seconds;
                if let Move::Wait(more) = it {
                    NOW.fetch_add(more, Ordering::Relaxed);
                    continue;
                }
                let guess = house.begin_at("alice", now).await;
                assert_eq!(guess.lock().is_none(), may);
                match it {
                    Move::Wrong => {
                        guess.wrong().await.unwrap();
                        if may {
                            wrong += 1;
                            if let Some(further) = wrong.checked_sub(BOUNDS.most) {
                                free_at = seconds + (60 << further.min(10)).min(3600);
                            }
                        }
                    }
                    Move::Right => {
                        guess.right().await.unwrap();
                        if may {
                            (wrong, free_at) = (0, 0);
                        }
                    }
                    Move::Leave | Move::Wait(_) => drop(guess),
                }
            }
        });
    }
}
