use proptest::prelude::*;

use super::*;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One that has just opened.
fn open(now: Instant) -> Breaker {
    let mut breaker = Breaker::default();
    for failure in 1..=MOST_FAILURES {
        let leave = breaker.admit(now).unwrap();
        let change = breaker.settle(leave, Health::Ill, now);
        let opened = Change::Opened { pause: FIRST_PAUSE };
        assert_eq!(change, (failure == MOST_FAILURES).then_some(opened));
    }
    breaker
}

#[test]
fn failures_in_a_row_open_it_for_a_while() {
    let now = Instant::now();
    let mut breaker = open(now);
    assert_eq!(breaker.admit(now), Err(FIRST_PAUSE));
    assert_eq!(
        breaker.admit(now + FIRST_PAUSE.saturating_sub(ms(1))),
        Err(ms(1))
    );
    assert_eq!(breaker.admit(now + FIRST_PAUSE), Ok(Leave::Probe));
}

#[test]
fn an_answer_between_failures_keeps_it_closed() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    for _ in 0..10 {
        for health in [
            Health::Ill,
            Health::Ill,
            Health::Ill,
            Health::Ill,
            Health::Well,
        ] {
            let leave = breaker.admit(now).unwrap();
            assert_eq!(breaker.settle(leave, health, now), None);
        }
    }
}

#[test]
fn one_probe_at_a_time_decides() {
    let now = Instant::now();
    let mut breaker = open(now);
    let later = now + FIRST_PAUSE;
    let probe = breaker.admit(later).unwrap();
    assert_eq!(breaker.admit(later), Err(ms(0)));
    assert_eq!(
        breaker.settle(probe, Health::Well, later),
        Some(Change::Closed)
    );
    assert_eq!(breaker.admit(later), Ok(Leave::Usual));
    assert!(breaker.has_nothing_to_tell());
}

#[test]
fn each_probe_that_fails_doubles_the_pause_up_to_a_minute() {
    let mut now = Instant::now();
    let mut breaker = open(now);
    let mut pause = FIRST_PAUSE;
    for seconds in [2, 4, 8, 16, 32, 60, 60] {
        now += pause;
        let probe = breaker.admit(now).unwrap();
        assert_eq!(probe, Leave::Probe);
        pause = Duration::from_secs(seconds);
        let opened = Change::Opened { pause };
        assert_eq!(breaker.settle(probe, Health::Ill, now), Some(opened));
        assert_eq!(breaker.admit(now), Err(pause));
    }
}

#[test]
fn a_probe_that_is_given_up_makes_way_for_another() {
    let now = Instant::now();
    let mut breaker = open(now);
    let later = now + FIRST_PAUSE;
    let probe = breaker.admit(later).unwrap();
    assert_eq!(breaker.settle(probe, Health::Unknown, later), None);
    assert_eq!(breaker.admit(later), Ok(Leave::Probe));
}

#[test]
fn requests_from_before_can_close_it_but_not_keep_it_open() {
    let now = Instant::now();
    let mut breaker = open(now);
    assert_eq!(breaker.settle(Leave::Usual, Health::Ill, now), None);
    assert_eq!(
        breaker.admit(now),
        Err(FIRST_PAUSE),
        "no longer than before"
    );
    let later = now + FIRST_PAUSE;
    _ = breaker.admit(later).unwrap();
    assert_eq!(breaker.settle(Leave::Usual, Health::Ill, later), None);
    assert_eq!(breaker.admit(later), Err(ms(0)), "the probe decides");
    let closed = Some(Change::Closed);
    assert_eq!(breaker.settle(Leave::Usual, Health::Well, later), closed);
}

/// Who makes it fail now and then does not get away with a success in between.
#[test]
fn where_one_success_is_not_enough_failures_add_up_and_pauses_grow() {
    let (mut breaker, mut now) = (Breaker::forgiving(Forgives::OneFor(10)), Instant::now());
    let mut pauses = Vec::new();
    for _ in 0..12 {
        for health in [Health::Well, Health::Ill] {
            let leave = breaker.admit(now).unwrap();
            if let Some(Change::Opened { pause }) = breaker.settle(leave, health, now) {
                pauses.push(pause.as_secs());
                now += pause;
            }
        }
    }
    assert_eq!(
        pauses,
        [1, 2, 4, 8, 16, 32, 60, 60],
        "after the fifth, at each"
    );
    for _ in 0..10 * MOST_FAILURES {
        let leave = breaker.admit(now).unwrap();
        breaker.settle(leave, Health::Well, now);
    }
    assert!(breaker.has_nothing_to_tell());
    for _ in 0..MOST_FAILURES - 1 {
        let leave = breaker.admit(now).unwrap();
        assert_eq!(breaker.settle(leave, Health::Ill, now), None);
    }
    let leave = breaker.admit(now).unwrap();
    let opened = Change::Opened { pause: FIRST_PAUSE };
    assert_eq!(breaker.settle(leave, Health::Ill, now), Some(opened));
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Ask,
    Answer(Health),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => Just(Deed::Ask),
        3 => Just(Deed::Answer(Health::Ill)),
        1 => Just(Deed::Answer(Health::Well)),
        1 => Just(Deed::Answer(Health::Unknown)),
        2 => (0..90_000_u64).prop_map(Deed::Wait),
    ]
}

proptest! {
    /// Whatever happens in whatever order: nobody is kept out for longer than a minute, and while
    /// all wait for a probe there is one.
    #[test]
    fn it_keeps_nobody_out_for_ever(
        deeds in prop::collection::vec(deed(), 0..200),
        forgives in prop::sample::select(vec![Forgives::All, Forgives::OneFor(3)]),
    ) {
        let mut now = Instant::now();
        let mut breaker = Breaker::forgiving(forgives);
        let mut under_way: Vec<Leave> = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Ask => match breaker.admit(now) {
                    Ok(leave) => under_way.push(leave),
                    Err(left) => prop_assert!(left <= LONGEST_PAUSE),
                },
                Deed::Answer(health) => {
                    if let Some(leave) = under_way.pop() {
                        breaker.settle(leave, health, now);
                    }
                }
                Deed::Wait(wait) => now += ms(wait),
            }
            if matches!(breaker.state, State::HalfOpen) {
                let probes = under_way.iter().filter(|leave| **leave == Leave::Probe);
                prop_assert!(probes.count() >= 1, "somebody will tell what became of it");
            }
        }
        // All that is under way comes to an end; then a minute later somebody gets through.
        for leave in under_way {
            breaker.settle(leave, Health::Ill, now);
        }
        prop_assert!(breaker.admit(now + LONGEST_PAUSE).is_ok());
    }
}
