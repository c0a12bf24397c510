mod cookies;
mod enrolled;
mod once;
mod questions;
mod realms;
mod scram;
mod withheld;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::credential::enrol::{self, Derivation, Enrolment};
use crate::credential::{
    EnrolledKey, EnrolmentCode, Existing, Hash, Material, NotEnrolled, Parameters, PublicKey,
    QueueBounds, Sqlite, VerifyError,
};

/// A realm with a store of its own, as a router serves it.
struct Router {
    directory: TempDir,
    store: Arc<Sqlite>,
    keyring: Keyring,
}

impl Router {
    fn start() -> Self {
        Self::start_in(TempDir::new().unwrap())
    }

    fn start_in(directory: TempDir) -> Self {
        let store = Arc::new(Sqlite::open(directory.path().join("credentials.db")).unwrap());
        let vault = Vault::open(Arc::clone(&store) as _, PasswordQueue::default()).unwrap();
        let keyring = vault.keyring("realm1".into(), "guest".into());
        Self {
            directory,
            store,
            keyring,
        }
    }

    fn restart(self) -> Self {
        let Self {
            directory,
            store,
            keyring,
        } = self;
        drop((store, keyring));
        Self::start_in(directory)
    }

    /// What `countersign credential add` does, in another process.
    fn add(&self, authid: &str, enrolment: &Enrolment) -> u64 {
        let command = Sqlite::open(self.directory.path().join("credentials.db")).unwrap();
        let (authid, role) = (authid.into(), "user".into());
        command
            .add(
                &"realm1".into(),
                &authid,
                &role,
                enrolment,
                Existing::Replace,
            )
            .unwrap()
    }

    fn remove(&self, kind: &Kind, authid: &str) {
        let command = Sqlite::open(self.directory.path().join("credentials.db")).unwrap();
        assert!(
            command
                .remove(&"realm1".into(), kind, &authid.into())
                .unwrap()
        );
    }

    fn meddle(&self, sql: &str) {
        let path = self.directory.path().join("credentials.db");
        rusqlite::Connection::open(path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    fn find(&self, kind: &Kind, authid: &str) -> Credential {
        self.keyring.find(kind, &authid.into()).unwrap()
    }
}

fn salted(secret: &str, salt: &str) -> Enrolment {
    let derivation = Derivation::Salted {
        salt: salt.into(),
        iterations: 500,
        keylen: 16,
    };
    enrol::wampcra(secret, &derivation).unwrap()
}

/// A password that is quick to check.
fn quick_ticket() -> Enrolment {
    let hash =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    Enrolment {
        kind: Kind::ticket(),
        parameters: Parameters::none(),
        material: Material::Password(hash.parse().unwrap()),
        recovery: Vec::new(),
    }
}

async fn opens(credential: &Credential, password: &str) -> bool {
    credential
        .verify_password(password.to_owned().into())
        .await
        .unwrap()
}

/// The names of the parameters, and the values of all but the salt.
fn shape(credential: &Credential) -> String {
    let mut parameters: serde_json::Value = serde_json::from_str(credential.parameters()).unwrap();
    if let Some(salt) = parameters.get_mut("salt") {
        *salt = salt.as_str().unwrap().len().into();
    }
    format!("{} {parameters}", credential.authrole())
}

#[tokio::test]
async fn alice_is_who_she_is() {
    let router = Router::start();
    let version = router.add("alice", &enrol::ticket("wonderland").unwrap());
    let alice = router.find(&Kind::ticket(), "alice");
    assert_eq!(alice.authid().as_str(), "alice");
    assert_eq!(alice.authrole().as_str(), "user");
    assert_eq!(alice.parameters(), "{}");
    assert_eq!(alice.version(), Some(version));
    assert!(opens(&alice, "wonderland").await);
    assert!(!opens(&alice, "Wonderland").await);
}

#[tokio::test]
async fn nobody_looks_like_somebody_and_no_answer_fits() {
    let router = Router::start();
    router.add("alice", &quick_ticket());
    router.add("alice", &salted("wonderland", "salt123"));
    let keys = ["ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08"];
    router.add("alice", &enrol::cryptosign(&keys).unwrap());

    for kind in [Kind::ticket(), Kind::wampcra(), Kind::cryptosign()] {
        let (alice, nobody) = (router.find(&kind, "alice"), router.find(&kind, "nobody"));
        assert_eq!(nobody.version(), None);
        assert_eq!(nobody.authid().as_str(), "nobody");
        assert_eq!(shape(&nobody), shape(&alice));
        assert_eq!(nobody.public_keys().len(), alice.public_keys().len());
        assert_eq!(
            std::mem::discriminant(&nobody.used().material),
            std::mem::discriminant(&alice.used().material)
        );
        assert!(
            nobody
                .public_keys()
                .iter()
                .all(|key| !alice.public_keys().contains(key))
        );
        let tag = alice.hmac(Hash::Sha256, b"challenge");
        assert!(!nobody.verify_hmac(Hash::Sha256, b"challenge", &tag));
    }
    let nobody = router.find(&Kind::ticket(), "nobody");
    assert_eq!(
        format!("{:?}", nobody.used().material),
        "Password(PasswordHash(argon2id m=256 t=2 p=1))"
    );
    assert!(!opens(&nobody, "password").await);
    assert!(!opens(&nobody, "").await);
}

#[test]
fn in_an_empty_realm_nobody_looks_like_the_first_one_to_come() {
    let router = Router::start();
    let first = [
        enrol::ticket("wonderland").unwrap(),
        enrol::wampcra("wonderland", &Derivation::fresh().unwrap()).unwrap(),
        enrol::cryptosign(&["ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08"])
            .unwrap(),
    ];
    for enrolment in first {
        let before = router.find(&enrolment.kind, "nobody");
        assert_eq!(before.authrole().as_str(), "guest");
        router.add("alice", &enrolment);
        let after = router.find(&enrolment.kind, "nobody");
        assert_eq!(shape(&after), shape(&before).replace("guest", "user"));
        assert_eq!(after.parameters(), before.parameters());
        assert_eq!(after.public_keys(), before.public_keys());
        assert_eq!(
            after.hmac(Hash::Sha256, b"m"),
            before.hmac(Hash::Sha256, b"m")
        );
    }
}

#[test]
fn nobody_stays_the_same_across_restarts() {
    let router = Router::start();
    router.add("alice", &salted("wonderland", "salt123"));
    let look = |router: &Router| {
        let nobody = router.find(&Kind::wampcra(), "nobody");
        (
            nobody.parameters().to_owned(),
            nobody.hmac(Hash::Sha512, b"challenge"),
        )
    };
    let before = look(&router);
    let router = router.restart();
    assert_eq!(look(&router), before);
    assert_ne!(look(&Router::start()), before);
}

#[test]
fn realms_have_decoys_of_their_own() {
    let router = Router::start();
    let vault = Vault::open(Arc::clone(&router.store) as _, PasswordQueue::default()).unwrap();
    let elsewhere = vault.keyring("realm2".into(), "guest".into());
    let elsewhere = elsewhere.find(&Kind::wampcra(), &"nobody".into()).unwrap();
    assert_ne!(
        elsewhere.parameters(),
        router.find(&Kind::wampcra(), "nobody").parameters()
    );
}

#[test]
fn the_next_login_sees_what_another_process_has_changed() {
    let router = Router::start();
    let kind = Kind::wampcra();
    assert_eq!(router.find(&kind, "alice").version(), None);
    let first = router.add("alice", &salted("wonderland", "salt123"));
    assert_eq!(router.find(&kind, "alice").version(), Some(first));
    let second = router.add("alice", &salted("looking-glass", "salt123"));
    assert_eq!(router.find(&kind, "alice").version(), Some(second));
    router.remove(&kind, "alice");
    assert_eq!(router.find(&kind, "alice").version(), None);
}

#[test]
fn what_was_asked_before_is_answered_without_a_query() {
    let router = Router::start();
    router.add("alice", &salted("wonderland", "salt123"));
    for authid in ["alice", "nobody"] {
        let first = router.find(&Kind::wampcra(), authid);
        let second = router.find(&Kind::wampcra(), authid);
        assert!(Arc::ptr_eq(&first.answer, &second.answer), "{authid}");
    }
}

#[test]
fn a_key_without_an_owner_gets_a_decoy_that_does_not_have_it() {
    let router = Router::start();
    let text = "ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08";
    let key: PublicKey = text.parse().unwrap();
    let owner = || {
        router
            .keyring
            .find_by_key(&Kind::cryptosign(), key.octets())
            .unwrap()
    };
    assert_eq!(owner().authid().as_str(), text);
    assert_ne!(owner().public_keys(), [key]);

    router.add("alice", &enrol::cryptosign(&[text]).unwrap());
    assert_eq!(owner().authid().as_str(), "alice");
    assert_eq!(owner().public_keys(), [key]);

    router.add("bob", &enrol::cryptosign(&[text]).unwrap());
    assert_eq!(owner().authid().as_str(), text);
    assert_eq!(owner().version(), None);
}

#[test]
fn octets_that_are_no_key_get_a_decoy_too() {
    let router = Router::start();
    for (len, authid_len) in [(0, 0), (31, 62), (33, 66), (100_000, 256)] {
        let key = vec![0xab; len];
        let nobody = router
            .keyring
            .find_by_key(&Kind::cryptosign(), &key)
            .unwrap();
        assert_eq!(nobody.authid().as_str(), "ab".repeat(authid_len / 2));
        assert_eq!(nobody.public_keys().len(), 1);
    }
}

#[tokio::test]
async fn a_hostile_hash_is_as_good_as_none() {
    let router = Router::start();
    router.add("alice", &quick_ticket());
    router.add("mallory", &quick_ticket());
    router.meddle(
        "UPDATE credential
         SET material = CAST(replace(CAST(material AS TEXT), 'm=256', 'm=4194304') AS BLOB)
         WHERE authid = 'mallory'",
    );
    let mallory = router.find(&Kind::ticket(), "mallory");
    assert_eq!(mallory.version(), None);
    assert!(!opens(&mallory, "password").await);
    assert!(opens(&router.find(&Kind::ticket(), "alice"), "password").await);
}

#[tokio::test]
async fn operations_that_a_credential_is_not_made_for_fail() {
    let router = Router::start();
    router.add("alice", &salted("wonderland", "salt123"));
    router.add("alice", &quick_ticket());
    let (key, password) = (
        router.find(&Kind::wampcra(), "alice"),
        router.find(&Kind::ticket(), "alice"),
    );
    assert!(!opens(&key, "wonderland").await);
    assert!(key.public_keys().is_empty() && password.public_keys().is_empty());
    let tag = password.hmac(Hash::Sha1, b"challenge");
    assert_eq!(tag.len(), 20);
    assert!(!password.verify_hmac(Hash::Sha1, b"challenge", &tag));
}

#[tokio::test]
async fn too_many_passwords_at_once_are_refused_alike_for_all() {
    let router = Router::start();
    router.add("alice", &quick_ticket());
    let queue = PasswordQueue::new(QueueBounds {
        running: 1,
        waiting: 0,
        ..QueueBounds::default()
    });
    let vault = Vault::open(Arc::clone(&router.store) as _, queue.clone()).unwrap();
    let keyring = vault.keyring("realm1".into(), "guest".into());
    let (release, released) = std::sync::mpsc::channel::<()>();
    // Polled first, it has the only place until it is released.
    let realm = Realm::from("realm1");
    let busy = queue.run(&realm, 0, move || released.recv().is_ok());
    let refused = async {
        for authid in ["alice", "nobody"] {
            let credential = keyring.find(&Kind::ticket(), &authid.into()).unwrap();
            let checked = credential.verify_password("password".to_owned().into());
            assert_eq!(checked.await, Err(VerifyError::Overloaded));
        }
        release.send(()).unwrap();
    };
    let (freed, ()) = tokio::join!(biased; busy, refused);
    assert_eq!(freed, Ok(true));
    assert!(opens(&router.find(&Kind::ticket(), "alice"), "password").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logins_and_changes_at_the_same_time_never_mix_two_credentials() {
    let router = Arc::new(Router::start());
    // The salt and the secret are the same text, so an answer that mixes two would show.
    router.add("alice", &salted("0", "0"));
    let logins: Vec<_> = (0..4)
        .map(|_| {
            let router = Arc::clone(&router);
            tokio::spawn(async move {
                for _ in 0..500 {
                    let alice = router.find(&Kind::wampcra(), "alice");
                    let told: serde_json::Value = serde_json::from_str(alice.parameters()).unwrap();
                    let salt = told["salt"].as_str().unwrap();
                    let Material::Key(key) = salted(salt, salt).material else {
                        panic!()
                    };
                    let tag = key.hmac(Hash::Sha256, b"challenge");
                    assert!(alice.verify_hmac(Hash::Sha256, b"challenge", &tag));
                }
            })
        })
        .collect();
    for n in 1..50 {
        let version = router.add("alice", &salted(&n.to_string(), &n.to_string()));
        assert_eq!(
            router.find(&Kind::wampcra(), "alice").version(),
            Some(version)
        );
    }
    for login in logins {
        login.await.unwrap();
    }
}

#[test]
fn nothing_secret_is_printed() {
    let router = Router::start();
    router.add(
        "alice",
        &enrol::wampcra("wonderland", &Derivation::Plain).unwrap(),
    );
    let alice = router.find(&Kind::wampcra(), "alice");
    let printed = format!(
        "{alice:?} {:?} {:?} {:?}",
        alice.used(),
        router.keyring,
        router.store
    );
    assert!(
        printed.contains("alice") && !printed.contains("wonderland"),
        "{printed}"
    );
    let octets = format!("{:?}", b"wonderland");
    assert!(
        !printed.contains(octets.trim_matches(['[', ']'])),
        "{printed}"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Remove(u8),
    Find(u8),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => (0_u8..4).prop_map(Step::Add),
        1 => (0_u8..4).prop_map(Step::Remove),
        4 => (0_u8..6).prop_map(Step::Find),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever has happened before: who was added last is found as added, and everyone else is
    /// the same nobody as ever.
    #[test]
    fn the_vault_answers_from_what_is_stored(steps in steps()) {
        let mut router = Router::start();
        let kind = Kind::wampcra();
        // So that decoys always have the same neighbour.
        router.add("first", &salted("wonderland", "salt123"));
        let nobody = |router: &Router, n| {
            let decoys = Decoys::new(&router.store.decoy_key().unwrap(), &"realm1".into());
            let first = router.store.oldest(&"realm1".into(), &kind).unwrap().unwrap();
            decoys.make(&kind, &Authid::from(format!("user{n}")), &[], &Template::like(first))
        };
        let mut versions = [None; 6];
        for step in steps {
            match step {
                Step::Add(n) => {
                    let enrolment = salted("wonderland", &format!("salt{n}"));
                    versions[usize::from(n)] = Some(router.add(&format!("user{n}"), &enrolment));
                }
                Step::Remove(n) => {
                    if versions[usize::from(n)].take().is_some() {
                        router.remove(&kind, &format!("user{n}"));
                    }
                }
                Step::Find(n) => {
                    let found = router.find(&kind, &format!("user{n}"));
                    prop_assert_eq!(found.version(), versions[usize::from(n)]);
                    if found.version().is_none() {
                        let nobody = nobody(&router, n);
                        prop_assert_eq!(found.parameters(), nobody.parameters.as_str());
                    }
                }
                Step::Restart => router = router.restart(),
            }
        }
    }
}
