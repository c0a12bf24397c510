use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::Family;
use crate::{
    config::WebOrigin,
    credential::{CookieHash, CookieValue, FamilyId, Remembered},
};

/// How long a code is good. A page exchanges it at once.
const LIFETIME: Duration = Duration::from_mins(1);

/// Codes of a realm that wait at one time: 1 MiB or so.
const MOST: usize = 4096;

/// Codes that have been handed out, each good once.
#[derive(Debug, Default)]
pub(super) struct Codes(Mutex<HashMap<CookieHash, Waiting>>);

#[derive(Debug)]
struct Waiting {
    until: Instant,
    promise: Promise,
}

/// What a code is good for.
#[derive(Debug)]
pub(super) struct Promise {
    /// The site whose page was told the code.
    pub(super) origin: WebOrigin,
    pub(super) remembered: Remembered,
    pub(super) family: Arc<Family>,
    /// Whether the family had a cookie already.
    pub(super) continues: bool,
    /// The cookie that the browser had at the login.
    pub(super) replaces: Option<CookieHash>,
}

impl Codes {
    /// None: too many wait.
    pub(super) fn issue(&self, promise: Promise, now: Instant) -> Option<CookieValue> {
        let code = CookieValue::generate().ok()?;
        let until = now + LIFETIME;
        let mut codes = self.0.lock();
        if codes.len() >= MOST {
            codes.retain(|_, waiting| waiting.until > now);
        }
        if codes.len() >= MOST {
            return None;
        }
        codes.insert(code.hash(), Waiting { until, promise });
        Some(code)
    }

    /// What a code is good for; afterwards it is good for nothing.
    pub(super) fn take(&self, code: CookieHash, now: Instant) -> Option<Promise> {
        let waiting = self.0.lock().remove(&code)?;
        (waiting.until > now).then_some(waiting.promise)
    }

    /// Drops the codes of a family.
    pub(super) fn forget(&self, family: FamilyId) {
        let mut codes = self.0.lock();
        codes.retain(|_, waiting| waiting.promise.family.id != family);
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::SystemTime};

    use super::{super::Families, *};
    use crate::config::Operator;

    fn promise(families: &Families, family: FamilyId) -> Promise {
        let text =
            "[[listener]]\naddress = \"127.0.0.1:1\"\norigins = [\"https://app.example.com\"]\n";
        let mut operator = Operator::parse(text, Path::new("countersign.toml")).unwrap();
        let origins = operator.listeners.remove(0).origins.unwrap();
        Promise {
            origin: origins.into_iter().next().unwrap(),
            remembered: Remembered {
                authid: "alice".into(),
                authrole: "user".into(),
                family,
                ends: SystemTime::now(),
                rests_on: Vec::new(),
            },
            family: families.join(family),
            continues: false,
            replaces: None,
        }
    }

    #[test]
    fn a_code_is_good_once_and_for_a_minute() {
        let (codes, families, now) = (Codes::default(), Families::default(), Instant::now());
        let issue = || {
            let promise = promise(&families, FamilyId::generate().unwrap());
            codes.issue(promise, now).unwrap().hash()
        };
        let (one, two, three) = (issue(), issue(), issue());
        assert!(codes.take(one, now).is_some());
        assert!(codes.take(one, now).is_none());
        assert!(codes.take(two, now + LIFETIME).is_none());
        assert!(codes.take(two, now).is_none(), "it was tried too late");
        assert!(
            codes
                .take(
                    three,
                    now + LIFETIME.saturating_sub(Duration::from_millis(1))
                )
                .is_some()
        );
        assert!(
            codes
                .take(CookieValue::generate().unwrap().hash(), now)
                .is_none()
        );
    }

    #[test]
    fn a_family_that_ends_takes_its_codes_along() {
        let (codes, families, now) = (Codes::default(), Families::default(), Instant::now());
        let [ours, theirs] = [(); 2].map(|()| FamilyId::generate().unwrap());
        let [one, two] = [ours, theirs].map(|family| {
            let code = codes.issue(promise(&families, family), now);
            code.unwrap().hash()
        });
        codes.forget(ours);
        assert!(codes.take(one, now).is_none());
        assert!(codes.take(two, now).is_some());
    }

    #[test]
    fn codes_that_nobody_fetches_make_room() {
        let (codes, families, now) = (Codes::default(), Families::default(), Instant::now());
        let family = FamilyId::generate().unwrap();
        let issue = |now| codes.issue(promise(&families, family), now);
        for _ in 0..MOST {
            assert!(issue(now).is_some());
        }
        assert!(issue(now).is_none());
        assert!(issue(now + LIFETIME).is_some());
        assert_eq!(codes.0.lock().len(), 1);
    }
}
