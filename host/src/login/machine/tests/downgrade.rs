//! T07: what a client leaves out of its announcement, or puts in, gets it no easier way in.

use super::*;

/// The names that there are. The realm has four methods; clients may announce one that it lacks.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "no such method"];

/// What an alternative may be, by the places of its steps' names: two of them may begin alike, one may
/// go on where another ends, or they have nothing in common.
const WAYS: [&[usize]; 8] = [
    &[0],
    &[1],
    &[2],
    &[0, 1],
    &[1, 0],
    &[2, 3],
    &[0, 3],
    &[0, 1, 2],
];

/// What must happen, told of numbers and bits only: the first alternative in the realm's order whose
/// first step's bit is set in the announcement, and all its steps.
fn oracle(alternatives: &[&'static [usize]], announced: u32) -> Option<&'static [usize]> {
    let mut open = alternatives.iter().copied();
    open.find(|steps| announced & (1 << steps[0]) != 0)
}

/// The methods that a client goes through that has this announcement and passes whatever it is
/// asked. None: there is no way for it.
fn went_through(policy: &Arc<Policy>, announced: &[&str]) -> Option<Vec<String>> {
    let mut login = login();
    let mut effect = asked(&mut login, announced, Arc::clone(policy));
    let mut steps = Vec::new();
    loop {
        effect = match effect {
            Effect::Call(call) => {
                steps.push(call.step.as_str().to_owned());
                login.decide(Ok(accept("alice", "user")), NOW)
            }
            Effect::End(Outcome::Accepted(accepted)) => {
                assert_eq!(accepted.authmethod.as_str(), steps[0]);
                return Some(steps);
            }
            Effect::End(Outcome::Denied(denial)) => {
                assert_eq!(denial.refusal, Refusal::NoMatchingMethod);
                assert!(steps.is_empty());
                return None;
            }
            other => panic!("{other:?}"),
        };
    }
}

/// All policies of none to three of these alternatives.
fn policies() -> Vec<Vec<&'static [usize]>> {
    let mut all = vec![Vec::new()];
    let mut longest = all.clone();
    for _ in 0..3 {
        longest = longest
            .iter()
            .flat_map(|policy| {
                WAYS.iter().map(|way| {
                    let mut longer = policy.clone();
                    longer.push(*way);
                    longer
                })
            })
            .collect();
        all.extend(longest.clone());
    }
    all
}

/// Every set of announced methods, forwards and backwards, against every policy of one to three
/// alternatives.
#[test]
fn t07_every_announcement_against_every_policy() {
    let (mut ways_in, mut refusals) = (0, 0);
    for alternatives in policies().iter().filter(|policy| !policy.is_empty()) {
        let named: Vec<Vec<&str>> = alternatives
            .iter()
            .map(|steps| steps.iter().map(|&step| NAMES[step]).collect())
            .collect();
        let slices: Vec<&[&str]> = named.iter().map(Vec::as_slice).collect();
        let policy = policy(&slices);
        for subset in 0..1_u32 << NAMES.len() {
            let expected = oracle(alternatives, subset);
            let mut announced: Vec<&str> = NAMES
                .into_iter()
                .enumerate()
                .filter_map(|(bit, name)| (subset & (1 << bit) != 0).then_some(name))
                .collect();
            for _ in 0..2 {
                let found = went_through(&policy, &announced);
                let names = expected.map(|steps| steps.iter().map(|&step| NAMES[step]));
                let names: Option<Vec<&str>> = names.map(Iterator::collect);
                let found: Option<Vec<&str>> = found
                    .as_ref()
                    .map(|steps| steps.iter().map(String::as_str).collect());
                assert_eq!(found, names, "{named:?}, announced: {announced:?}");
                match found {
                    Some(_) => ways_in += 1,
                    None => refusals += 1,
                }
                announced.reverse();
            }
        }
    }
    // 8 + 64 + 512 policies, 32 sets, two orders.
    assert_eq!(ways_in + refusals, 584 * 32 * 2);
    assert!(
        ways_in > 20_000 && refusals > 5_000,
        "{ways_in}, {refusals}"
    );
}
