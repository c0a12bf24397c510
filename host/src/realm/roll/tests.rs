use std::{collections::HashMap, sync::Barrier, thread, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::{
    credential::{
        Authid, Enrolment, Existing, Kind, PasswordQueue, Sqlite, Store, Validity, Vault, enrol,
    },
    key_set::KeySets,
    login::{self, Policy, Role},
    realm::RevisionName,
    wamp::{Dict, reason},
};

/// A realm with Alice and Bob in it, each with a secret for `wampcra`.
struct House {
    realm: Arc<Realm>,
    store: Arc<dyn Store>,
    vault: Vault,
    sessions: u64,
    _directory: TempDir,
}

impl House {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = Sqlite::open(directory.path().join("credentials.db")).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let vault = Vault::open(Arc::clone(&store), PasswordQueue::new(1, 1)).unwrap();
        let generation = generation(&vault, 1, &[("user", &[])]);
        let house = Self {
            realm: Arc::new(Realm::new("realm1".into(), generation.into())),
            store,
            vault,
            sessions: 0,
            _directory: directory,
        };
        house.enrol("alice");
        house.enrol("bob");
        house
    }

    fn enrol(&self, authid: &str) {
        let (authid, role) = (authid.into(), "user".into());
        self.store
            .add(&"realm1".into(), &authid, &role, &key(), Existing::Replace)
            .unwrap();
    }

    fn remove(&self, authid: &str) {
        let removed = self
            .store
            .remove(&"realm1".into(), &wampcra(), &authid.into());
        assert!(removed.unwrap());
    }

    fn say(&self, authid: &str, validity: Validity) {
        let (realm, authid) = ("realm1".into(), authid.into());
        let said = self
            .store
            .set_validity(&realm, &wampcra(), &authid, validity);
        assert!(said.unwrap());
    }

    /// What the methods of a login would have been shown.
    fn evidence(&self, authid: &str) -> CredentialVersion {
        let keyring = self.realm.generation().keyring.clone();
        let credential = keyring.find(&wampcra(), &Authid::from(authid)).unwrap();
        credential.present().unwrap()
    }

    /// A login that has come as far as it can.
    fn session(&mut self, authid: &str, rests_on: &[CredentialVersion]) -> LiveSession {
        self.sessions += 1;
        let accepted = Accepted {
            realm: "realm1".into(),
            session: Id::new(self.sessions).unwrap(),
            authid: login::Authid::parse(authid).unwrap(),
            authrole: "user".into(),
            authmethod: StepName::new("wampcra"),
            authprovider: None,
            authextra: Dict::new(),
            expires_at: None,
            longest_session: Some(Duration::from_secs(3600)),
            roles: Dict::new(),
            wants_cookie: false,
        };
        let seen = Seen {
            credentials: rests_on.to_vec(),
            ..Seen::default()
        };
        let passed = vec![Passed {
            step: StepName::new("wampcra"),
            revision: Digest::of(b"wampcra"),
        }];
        LiveSession::new(&accepted, passed, seen, &self.realm.generation(), "tcp:x")
    }

    fn admitted(&mut self, authid: &str) -> Seat {
        let rests_on = [self.evidence(authid)];
        let session = self.session(authid, &rests_on);
        self.realm.admit(session).unwrap()
    }

    fn on_the_roll(&self) -> usize {
        self.realm.sessions(&Selection::everyone()).len()
    }
}

fn wampcra() -> Kind {
    Kind::wampcra()
}

fn key() -> Enrolment {
    enrol::wampcra("a key that is no password", &enrol::Derivation::Plain).unwrap()
}

fn generation(vault: &Vault, number: u64, roles: &[(&str, &[&str])]) -> Generation {
    let roles = roles.iter().map(|(name, requires)| Role {
        name: (*name).into(),
        requires: requires.iter().map(|step| StepName::new(step)).collect(),
    });
    let policy = Policy {
        roles: roles.collect(),
        ..Policy::default()
    };
    Generation {
        aside: HashMap::new(),
        number,
        policy: Arc::new(policy),
        methods: HashMap::new(),
        key_sets: KeySets::default(),
        permissions: Arc::default(),
        cookie: None,
        keyring: vault.keyring("realm1".into(), "user".into()),
        authenticates: Vec::new(),
    }
}

fn why(seat: &Seat) -> Option<(&str, &str)> {
    let farewell = seat.session.farewell()?;
    Some((farewell.reason(), farewell.by()))
}

#[test]
fn a_credential_that_ends_between_the_verdict_and_welcome_lets_nobody_in() {
    let mut house = House::new();
    for (authid, how) in [("alice", Ended::Changed), ("bob", Ended::Removed)] {
        let rests_on = [house.evidence(authid)];
        let session = house.session(authid, &rests_on);
        match how {
            Ended::Changed => house.enrol(authid),
            _ => house.remove(authid),
        }
        match house.realm.admit(session) {
            Err(NotAdmitted::Credential { how: found, .. }) => assert_eq!(found, how),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(house.on_the_roll(), 0);
}

/// Whatever comes first: who is in by a credential that is gone is about to go.
#[test]
fn nobody_slips_through_between_two_looks() {
    let mut house = House::new();
    let mut let_in = 0;
    for _ in 0..100 {
        let rests_on = [house.evidence("alice")];
        let session = house.session("alice", &rests_on);
        let (realm, start) = (Arc::clone(&house.realm), Barrier::new(2));
        let admitted = thread::scope(|scope| {
            let joining = scope.spawn(|| {
                start.wait();
                realm.admit(session)
            });
            start.wait();
            house.remove("alice");
            house.realm.end_unfounded().unwrap();
            joining.join().unwrap()
        });
        if let Ok(seat) = &admitted {
            let_in += 1;
            assert!(seat.session.farewell().is_some());
        }
        house.enrol("alice");
    }
    assert_eq!(house.on_the_roll(), 0, "of {let_in}");
}

#[test]
fn sessions_end_with_a_credential_that_they_rest_on_and_others_go_on() {
    let mut house = House::new();
    let alice = [house.admitted("alice"), house.admitted("alice")];
    let bob = house.admitted("bob");
    let both = {
        let rests_on = [house.evidence("bob"), house.evidence("alice")];
        let session = house.session("bob", &rests_on);
        house.realm.admit(session).unwrap()
    };
    let nothing = {
        let session = house.session("carol", &[]);
        house.realm.admit(session).unwrap()
    };
    let before = house.store.last_change().unwrap();
    house.remove("alice");
    assert!(house.store.last_change().unwrap() > before);
    house.realm.end_unfounded().unwrap();
    for seat in alice.iter().chain([&both]) {
        let (reason, by) = why(seat).unwrap();
        assert_eq!(reason, reason::CLOSE_REVOKED);
        assert_eq!(by, "the wampcra credential of alice was removed");
    }
    assert_eq!((why(&bob), why(&nothing)), (None, None));

    let disabled = Validity {
        disabled: true,
        expires: None,
    };
    house.say("bob", disabled);
    house.realm.end_unfounded().unwrap();
    let (_, by) = why(&bob).unwrap();
    assert_eq!(by, "the wampcra credential of bob was disabled");
    drop((alice, bob, both));
    assert_eq!(house.on_the_roll(), 1);
}

#[test]
fn a_session_ends_no_later_than_a_credential_that_it_rests_on() {
    let mut house = House::new();
    let end = SystemTime::now() + Duration::from_secs(60);
    house.say(
        "alice",
        Validity {
            disabled: false,
            expires: Some(end),
        },
    );
    let alice = house.admitted("alice").session.expires().unwrap();
    // The store has milliseconds.
    assert!(alice <= end && alice + Duration::from_millis(1) > end);
    assert!(house.admitted("bob").session.expires().unwrap() > end);
}

#[test]
fn a_role_that_the_realm_does_not_give_any_more_ends_with_its_generation() {
    let mut house = House::new();
    let seat = house.admitted("alice");
    let put = |number, roles| {
        let generation = generation(&house.vault, number, roles);
        assert!(house.realm.put_in_place(generation.into(), 0));
    };
    put(2, &[("guest", &[]), ("user", &["wampcra"])]);
    assert_eq!(why(&seat), None);
    put(3, &[("user", &["wampcra", "totp"])]);
    let (reason, by) = why(&seat).unwrap();
    assert_eq!((reason, by), (reason::CLOSE_REVOKED, "the realm's file"));
    // Nor does a login lead to it that began before.
    let rests_on = [house.evidence("bob")];
    let late = house.session("bob", &rests_on);
    let refused = house.realm.admit(late).unwrap_err();
    assert!(matches!(refused, NotAdmitted::Role(_)), "{refused}");
}

#[test]
fn a_selection_means_sessions_for_which_all_holds() {
    let mut house = House::new();
    let alice = [house.admitted("alice"), house.admitted("alice")];
    let _bob = house.admitted("bob");
    let count = |selection: Selection| house.realm.sessions(&selection).len();
    let all = Selection::everyone;
    assert_eq!(count(all()), 3);
    let authid = |authid: &str| Selection {
        authid: Some(authid.into()),
        ..all()
    };
    assert_eq!(count(authid("alice")), 2);
    assert_eq!(count(authid("Alice")), 0);
    let one = Selection {
        session: Some(alice[0].session.id),
        ..authid("alice")
    };
    assert_eq!(count(one.clone()), 1);
    let other = Selection {
        authid: Some("bob".into()),
        ..one
    };
    assert_eq!(count(other), 0);
    let role = |role: &str| Selection {
        authrole: Some(role.into()),
        ..all()
    };
    assert_eq!((count(role("user")), count(role("admin"))), (3, 0));
    let step = |step| Selection {
        step: Some(StepName::new(step)),
        ..all()
    };
    assert_eq!((count(step("wampcra")), count(step("totp"))), (3, 0));
    let of = |octets| Selection::of_revision(Digest::of(octets));
    assert_eq!((count(of(b"wampcra")), count(of(b"totp"))), (3, 0));
    let short = RevisionName::parse(&Digest::of(b"wampcra").short()).unwrap();
    let short = Selection {
        revision: Some(short),
        ..all()
    };
    assert_eq!(count(short), 3);
    for bad in ["", "0123456789a", "0123456789AB", "0123456789ag"] {
        assert!(RevisionName::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn whoever_is_ended_is_ended_once() {
    let mut house = House::new();
    let seat = house.admitted("alice");
    let end = |by: &str| {
        let farewell = Farewell::new(reason::CLOSE_KILLED, "go", by);
        house
            .realm
            .end_sessions(&Selection::everyone(), &farewell)
            .len()
    };
    assert_eq!((end("first"), end("second")), (1, 0));
    assert_eq!(why(&seat), Some((reason::CLOSE_KILLED, "first")));
}

#[test]
fn a_revision_that_is_barred_lets_nobody_in_who_is_on_the_way() {
    let mut house = House::new();
    let early = house.admitted("alice");
    let late = house.session("bob", &[]);
    let digest = Digest::of(b"wampcra");
    house.realm.bar(digest);
    let selection = Selection::of_revision(digest);
    let farewell = Farewell::new(reason::CLOSE_REVOKED, "go", "a withdrawn revision");
    assert_eq!(house.realm.end_sessions(&selection, &farewell).len(), 1);
    assert_eq!(
        why(&early),
        Some((reason::CLOSE_REVOKED, "a withdrawn revision"))
    );
    let refused = house.realm.admit(late).unwrap_err();
    assert!(matches!(refused, NotAdmitted::Barred(_)), "{refused}");
    house.realm.bar(Digest::of(b"another"));
    house.realm.roll.welcome([digest].into_iter());
    house.admitted("bob");
}
