//! Changing files under a router that runs.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use countersign::wamp::{Dict, Message, Serializer};
use countersign_tests::{Client, Component, Deployment, Event, Router, hello, revision};

const LOGINS: usize = 5_000;
const RELOADS: u64 = 1_000;

/// As many are made; then they come again.
const REVISIONS: u64 = 25;

/// How much more memory the router may have after all reloads than after the first hundred, in
/// percent: code that is let go of comes back by and by. On a quiet machine it is 1; where logins are
/// kept from running, more generations live at one time, and 21 was seen. 40 would be 24 KiB for each
/// reload: less than a generation takes with its code.
const GROWTH: u64 = 40;

const REALM: &str = r#"
roles = ["guest"]
[[login]]
steps = ["revision"]
"#;

/// What the revision of a generation calls itself.
fn name(generation: u64) -> String {
    format!("revision-{:04}", (generation - 1) % REVISIONS + 1)
}

/// A login in two rounds. Returns the session, and the revision that it met both times.
async fn login(router: &Router) -> (u64, String) {
    let mut client = Client::greet(router, hello("realm1", &["revision"], None)).await;
    let Message::Challenge { extra, .. } = client.receive().await else {
        panic!("no challenge")
    };
    let begun_by = extra.text("revision").unwrap().to_owned();
    client
        .send(&Message::Authenticate {
            signature: String::new(),
            extra: Dict::new(),
        })
        .await;
    let Message::Welcome { session, details } = client.receive().await else {
        panic!("no welcome")
    };
    let authextra = details
        .value("authextra")
        .and_then(|value| value.as_dict())
        .unwrap();
    let ended_by = authextra.text("revision").unwrap();
    assert_eq!(begun_by, ended_by, "a login of two revisions");
    (session.as_u64(), begun_by)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t20_no_login_is_lost_or_mixed_while_a_method_is_replaced() {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    let first = revision(1);
    deployment.component("revision", &first);
    let router = Arc::new(deployment.start().await);

    let reloaded = Arc::new(AtomicBool::new(false));
    let begun = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (router, reloaded, begun) = (router.clone(), reloaded.clone(), begun.clone());
            tokio::spawn(async move {
                let mut logins = Vec::new();
                // There are logins for as long as there are reloads.
                while begun.fetch_add(1, Ordering::Relaxed) < LOGINS
                    || !reloaded.load(Ordering::Relaxed)
                {
                    logins.push(login(&router).await);
                }
                logins
            })
        })
        .collect();
    let mut memory = Vec::new();
    for number in 2..=RELOADS + 1 {
        let name = name(number);
        let next = first.with(b"revision-0001", name.as_bytes());
        router.deployment.component("revision", &next);
        router.log.generation("realm1", number).await;
        if number.is_multiple_of(100) {
            memory.push(router.memory());
        }
    }
    reloaded.store(true, Ordering::Relaxed);

    let mut logins = BTreeMap::new();
    for client in clients {
        logins.extend(client.await.expect("no login is lost"));
    }
    assert!(logins.len() >= LOGINS);
    // Each generation has one revision, which its number tells.
    let is_login = |event: &Event| event.message() == "logged in";
    for record in router.log.take(logins.len(), is_login).await {
        let revision = &logins[&record.number("session").unwrap()];
        let generation = record.number("generation").unwrap();
        assert_eq!(*revision, name(generation));
    }
    let [after_100, .., in_the_end] = memory[..] else {
        panic!("{memory:?}")
    };
    let most = after_100 / 100 * (100 + GROWTH);
    assert!(in_the_end < most, "it grows: {memory:?}");
    assert!(
        router
            .log
            .so_far()
            .iter()
            .all(|event| event.message() != "login refused")
    );
}

#[tokio::test]
async fn a_login_ends_on_the_generation_that_it_began_with() {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    deployment.component("revision", &revision(1));
    let router = deployment.start().await;
    let mut client = Client::greet(&router, hello("realm1", &["revision"], None)).await;
    assert!(matches!(client.receive().await, Message::Challenge { .. }));

    router.deployment.component("revision", &revision(2));
    router.log.generation("realm1", 2).await;

    client
        .send(&Message::Authenticate {
            signature: String::new(),
            extra: Dict::new(),
        })
        .await;
    assert!(matches!(client.receive().await, Message::Welcome { .. }));
    let record = router.log.message("logged in").await;
    assert_eq!(record.number("generation"), Some(1));
    assert_eq!(login(&router).await.1, "revision-0002");
}

#[tokio::test]
async fn new_settings_of_a_method_hold_for_the_next_login() {
    let realm = |role: &str| {
        format!(
            "roles = [\"guest\", \"visitor\"]\n\
             [[login]]\nsteps = [\"anonymous\"]\n\
             [method.anonymous]\nsettings = {{ role = \"{role}\" }}\n"
        )
    };
    let deployment = Deployment::bare();
    deployment.realm("realm1", &realm("guest"));
    deployment.component("anonymous", &Component::method("anonymous"));
    let router = deployment.start().await;
    for (generation, role) in [(1, "guest"), (2, "visitor"), (3, "guest")] {
        if generation > 1 {
            router.deployment.realm("realm1", &realm(role));
        }
        router.log.generation("realm1", generation).await;
        let hello = hello("realm1", &["anonymous"], None);
        let mut client = Client::connect(&router, Serializer::MsgPack).await;
        client.send(&hello).await;
        let Message::Welcome { details, .. } = client.receive().await else {
            panic!("no welcome")
        };
        assert_eq!(details.text("authrole"), Some(role));
    }
}

#[tokio::test]
async fn a_realm_with_one_character_wrong_keeps_its_generation_and_the_log_points_at_it() {
    let deployment = Deployment::bare();
    let good = "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n";
    deployment.realm("realm1", good);
    deployment.component("anonymous", &Component::method("anonymous"));
    let router = deployment.start().await;

    let mistakes = [
        (
            "steps",
            "stops",
            "realm1.toml:3:1: unknown key \"stops\" in [[login]]; did you mean \"steps\"?",
        ),
        ("[\"anonymous\"]", "[\"anonymos\"]", "methods/anonymos.wasm"),
        ("[[login]]", "[[login]", "realm1.toml:2:"),
        ("[\"guest\"]", "\"guest\"]", "realm1.toml:1:"),
    ];
    for (right, wrong, complaint) in mistakes {
        router
            .deployment
            .realm("realm1", &good.replace(right, wrong));
        let line = router.log.mention(complaint).await;
        assert!(line.message().starts_with("not reloaded"), "{line}");
        assert_eq!(line.number("generation"), Some(1));
        Client::join(&router, "realm1").await;
    }
    router
        .deployment
        .realm("realm1", &format!("{good}# right again\n"));
    router.log.generation("realm1", 2).await;
}

#[tokio::test]
async fn a_realm_that_does_not_load_stays_out_and_the_others_run() {
    let deployment = Deployment::demo();
    deployment.realm("broken", "roles = []\n");
    let router = deployment.start().await;
    let line = router.log.mention("the realm stays out").await;
    assert!(line.text("file").ends_with("realms/broken.toml"), "{line}");
    Client::join(&router, "realm1").await;
}

#[tokio::test]
async fn a_router_whose_own_file_is_wrong_does_not_start_and_points_at_it() {
    let deployment = Deployment::demo();
    deployment.operator("[realm]\ndirectory = \"realms\"\n");
    let complaint = deployment.start_in_vain().await;
    let expected = "countersign.toml:3:2: unknown key \"realm\" at the top of the file; \
                    did you mean \"realms\"?";
    assert!(complaint.contains(expected), "{complaint}");
}
