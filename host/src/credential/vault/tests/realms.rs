//! T19: what is done in one realm, and what is seen in another.

use std::collections::BTreeMap;

use super::*;
use crate::credential::{GuessSource, Key, Validity};

const REALMS: [&str; 3] = ["acme", "acme.", "other"];
const AUTHIDS: [&str; 2] = ["alice", "bob"];

#[derive(Clone, Debug)]
enum Deed {
    /// With a secret of its own number.
    Add,
    Remove,
    Disable(bool),
    /// A wrong answer that is counted, and locks.
    Guess,
}

fn deed() -> impl Strategy<Value = (usize, usize, Deed)> {
    let deed = prop_oneof![
        3 => Just(Deed::Add),
        1 => Just(Deed::Remove),
        1 => any::<bool>().prop_map(Deed::Disable),
        1 => Just(Deed::Guess),
    ];
    (0..REALMS.len(), 0..AUTHIDS.len(), deed)
}

/// What there should be.
#[derive(Clone, Default)]
struct Known {
    secret: Option<String>,
    is_disabled: bool,
    wrong: u32,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever operators and clients do in whichever realm: each realm's answers are those to what
    /// was done in it, and a secret of another opens nothing.
    #[test]
    fn t19_what_is_done_in_one_realm_is_seen_in_no_other(
        deeds in prop::collection::vec(deed(), 0..24),
    ) {
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tokio.block_on(async {
            let directory = TempDir::new().unwrap();
            let store = Arc::new(Sqlite::open(directory.path().join("credentials.db")).unwrap());
            let vault = Vault::open(Arc::clone(&store) as _, PasswordQueue::default()).unwrap();
            let rings = REALMS.map(|realm| vault.keyring(realm.into(), "guest".into()));
            let kind = Kind::wampcra();
            let bounds = Bounds {
                most: 100,
                lock: Duration::from_mins(1),
                longest: Duration::from_mins(1),
                total: 1000,
            };
            let mut known: BTreeMap<(usize, usize), Known> = BTreeMap::new();
            for (number, (realm, whose, deed)) in deeds.into_iter().enumerate() {
                let (name, authid) = (Realm::from(REALMS[realm]), Authid::from(AUTHIDS[whose]));
                let known = known.entry((realm, whose)).or_default();
                match deed {
                    Deed::Add => {
                        let secret = format!("secret {number}");
                        let enrolment = enrol::wampcra(&secret, &Derivation::Plain).unwrap();
                        let role = "user".into();
                        store.add(&name, &authid, &role, &enrolment, Existing::Replace).unwrap();
                        *known = Known { secret: Some(secret), ..Known::default() };
                    }
                    Deed::Remove => {
                        let removed = store.remove(&name, &kind, &authid).unwrap();
                        assert_eq!(removed, known.secret.is_some());
                        *known = Known::default();
                    }
                    Deed::Disable(disabled) => {
                        let validity = Validity { disabled, expires: None };
                        let found = store.set_validity(&name, &kind, &authid, validity).unwrap();
                        assert_eq!(found, known.secret.is_some());
                        known.is_disabled = disabled && found;
                    }
                    Deed::Guess => {
                        let source = GuessSource::new("192.0.2.1");
                        let guess = rings[realm].guess(&kind, &authid, &source, &bounds);
                        let guess = guess.await.unwrap();
                        assert_eq!(guess.wrong_before(), known.wrong);
                        guess.wrong().await.unwrap();
                        known.wrong += 1;
                    }
                }
            }
            let secrets: Vec<_> = known.values().filter_map(|known| known.secret.clone()).collect();
            for (realm, ring) in rings.iter().enumerate() {
                for (whose, authid) in AUTHIDS.into_iter().enumerate() {
                    let known = known.get(&(realm, whose)).cloned().unwrap_or_default();
                    let credential = ring.find(&kind, &authid.into()).unwrap();
                    for secret in &secrets {
                        let tag = Key::new(secret.as_bytes()).hmac(Hash::Sha256, b"message");
                        let fits = credential.verify_hmac(Hash::Sha256, b"message", &tag);
                        let should = known.secret.as_ref() == Some(secret) && !known.is_disabled;
                        assert_eq!(fits, should, "{secret} of {authid} in {}", REALMS[realm]);
                    }
                    assert_eq!(ring.has(&kind, &authid.into()).unwrap(), known.secret.is_some());
                }
            }
        });
    }
}
