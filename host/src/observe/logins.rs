use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;

use super::{Latency, Spread};
use crate::login::{Outcome, Refusal, StepName};

/// What came of logins. A login costs it one look into a small table.
#[derive(Debug, Default)]
pub struct LoginTally {
    counts: Mutex<HashMap<Key, u64>>,
    took: Latency,
}

/// Steps are the operator's words, and outcomes ours: so there are few of these, whatever clients do.
type Key = (Option<StepName>, &'static str);

/// So many logins came to this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoginCount {
    /// The first step of the alternative that the login went through; none where it came to none.
    pub authmethod: Option<StepName>,
    pub outcome: &'static str,
    pub count: u64,
}

impl LoginTally {
    pub fn note(&self, authmethod: Option<&StepName>, outcome: &Outcome, took: Duration) {
        self.count(authmethod, outcome.label(), took);
    }

    /// A connection that there was no room for.
    pub fn turned_away(&self, took: Duration) {
        self.count(None, Refusal::Unavailable.label(), took);
    }

    fn count(&self, authmethod: Option<&StepName>, outcome: &'static str, took: Duration) {
        let key = (authmethod.cloned(), outcome);
        *self.counts.lock().entry(key).or_default() += 1;
        self.took.note(took);
    }

    /// In an order that stays.
    pub fn counts(&self) -> Vec<LoginCount> {
        let counts = self.counts.lock();
        let mut counts: Vec<_> = counts
            .iter()
            .map(|((authmethod, outcome), count)| LoginCount {
                authmethod: authmethod.clone(),
                outcome,
                count: *count,
            })
            .collect();
        counts.sort();
        counts
    }

    /// From the connection to the end of the login.
    pub fn took(&self) -> Spread {
        self.took.spread()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::Denial;

    #[test]
    fn logins_are_counted_by_what_came_of_them() {
        let tally = LoginTally::default();
        let ticket = StepName::new("ticket");
        let denied = Outcome::Denied(Denial {
            refusal: Refusal::Denied,
            why: "whatever a client says".into(),
        });
        let took = Duration::from_millis(3);
        tally.note(Some(&ticket), &denied, took);
        tally.note(Some(&ticket), &denied, took);
        tally.note(None, &Outcome::Left, took);
        tally.turned_away(took);
        let counts = tally.counts();
        let counts: Vec<_> = counts
            .iter()
            .map(|it| {
                (
                    it.authmethod.as_ref().map(StepName::as_str),
                    it.outcome,
                    it.count,
                )
            })
            .collect();
        let expected = [
            (None, "left", 1),
            (None, "unavailable", 1),
            (Some("ticket"), "denied", 2),
        ];
        assert_eq!(counts, expected);
        assert_eq!(tally.took().count(), 4);
    }
}
