//! Revisions of a method under a router that runs, by the operator's commands.

use std::fs;

use countersign::wamp::{Dict, Message};
use countersign_tests::{Client, Deployment, Revision, Router, hello, revision};

const REALM: &str = r#"
roles = ["guest"]
[[login]]
steps = ["revision"]
"#;

/// A router whose only step has had the revisions 1 to `last`.
async fn with_revisions(last: u32) -> Router {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    deployment.component("revision", &revision(1));
    let router = deployment.start().await;
    for number in 2..=last {
        router.deployment.component("revision", &revision(number));
        router.log.generation("realm1", number.into()).await;
    }
    router
}

/// Begins a login, and returns the revision that it has met.
async fn begin(router: &Router) -> (Client, String) {
    let mut client = Client::greet(router, hello("realm1", &["revision"], None)).await;
    let Message::Challenge { extra, .. } = client.receive().await else {
        panic!("no challenge")
    };
    let revision = extra.text("revision").unwrap().to_owned();
    (client, revision)
}

async fn finish(client: &mut Client) -> Message {
    let answer = Message::Authenticate {
        signature: String::new(),
        extra: Dict::new(),
    };
    client.send(&answer).await;
    client.receive().await
}

/// Logs in. Returns the revision that it has met.
async fn login(router: &Router) -> String {
    let (mut client, revision) = begin(router).await;
    let Message::Welcome { .. } = finish(&mut client).await else {
        panic!("no welcome from {revision}")
    };
    revision
}

/// What `countersign method list` has of the only step, by what becomes of it.
async fn listed(router: &Router, state: &str) -> Option<Revision> {
    let mut revisions = router.deployment.revisions("realm1").await;
    let at = revisions.iter().position(|it| it.text("state") == state)?;
    Some(revisions.swap_remove(at))
}

async fn done(router: &Router, words: &str) -> String {
    let (good, said) = router.deployment.method(words).await;
    assert!(good, "{said}");
    said
}

async fn refused(router: &Router, words: &str) -> String {
    let (good, said) = router.deployment.method(words).await;
    assert!(!good, "{said}");
    said
}

#[tokio::test]
async fn a_list_tells_how_each_revision_does() {
    let router = with_revisions(1).await;
    for _ in 0..3 {
        login(&router).await;
    }
    let live = listed(&router, "live").await.unwrap();
    assert_eq!(live.number("logins"), 3);
    assert_eq!(live.number("failures"), 0);
    assert!(live.number("mean_us") > 0 && live.number("p99_us") >= live.number("mean_us"));
    let table = done(&router, "list realm1").await;
    let digest = revision(1).digest();
    assert!(table.contains(&digest[..12]), "{table}");
    assert_eq!(live.text("digest"), digest);
}

#[tokio::test]
async fn a_roll_back_takes_effect_at_once_and_stays_until_the_file_changes() {
    let router = with_revisions(2).await;
    assert_eq!(login(&router).await, "revision-0002");
    let (mut under_way, begun_by) = begin(&router).await;
    assert_eq!(begun_by, "revision-0002");

    done(&router, "rollback realm1 revision").await;
    assert_eq!(login(&router).await, "revision-0001");
    assert!(matches!(
        finish(&mut under_way).await,
        Message::Welcome { .. }
    ));
    let rolled_back = listed(&router, "rolled back").await.unwrap();
    assert_eq!(rolled_back.text("digest"), revision(2).digest());
    let said = refused(&router, "rollback realm1 revision").await;
    assert!(said.contains("none to go back to"), "{said}");

    // Another look, for the realm's file has changed; the component's has not.
    let commented = format!("{REALM}# the same\n");
    router.deployment.realm("realm1", &commented);
    router.log.generation("realm1", 4).await;
    assert_eq!(login(&router).await, "revision-0001");

    router.deployment.component("revision", &revision(3));
    router.log.generation("realm1", 5).await;
    assert_eq!(login(&router).await, "revision-0003");
    assert!(listed(&router, "rolled back").await.is_none());
}

#[tokio::test]
async fn nobody_gets_in_by_a_revision_that_is_withdrawn_nor_ends_what_it_began() {
    let router = with_revisions(2).await;
    let (mut under_way, _) = begin(&router).await;
    done(&router, "withdraw realm1 revision").await;
    let answer = finish(&mut under_way).await;
    let Message::Abort { reason, .. } = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(reason, "wamp.error.unavailable");
    let client = Client::greet(&router, hello("realm1", &["revision"], None)).await;
    assert_eq!(client.refusal().await.reason, "wamp.error.unavailable");
    let refused = |event: &countersign_tests::Event| event.message() == "login refused";
    let record = router.log.find(refused).await;
    assert!(record.text("why").contains("was withdrawn"), "{record}");

    // The same octets in another file are the same revision.
    router
        .deployment
        .realm("realm1", &format!("{REALM}# the same\n"));
    router.log.generation("realm1", 3).await;
    let client = Client::greet(&router, hello("realm1", &["revision"], None)).await;
    assert_eq!(client.refusal().await.reason, "wamp.error.unavailable");

    router.deployment.component("revision", &revision(3));
    router.log.generation("realm1", 4).await;
    assert_eq!(login(&router).await, "revision-0003");
}

#[tokio::test]
async fn those_are_told_goodbye_whom_a_withdrawn_revision_has_let_in() {
    let router = with_revisions(1).await;
    let (mut first, _) = begin(&router).await;
    assert!(matches!(finish(&mut first).await, Message::Welcome { .. }));
    router.deployment.component("revision", &revision(2));
    router.log.generation("realm1", 2).await;
    let (mut second, _) = begin(&router).await;
    assert!(matches!(finish(&mut second).await, Message::Welcome { .. }));

    let said = done(&router, "withdraw realm1 revision --end-sessions").await;
    assert!(said.contains("1 sessions were ended"), "{said}");
    let Message::Goodbye { reason, .. } = second.receive().await else {
        panic!("not a GOODBYE")
    };
    assert_eq!(reason, "wamp.close.revoked");
    let digest = revision(1).digest();
    let words = format!("withdraw realm1 {} --end-sessions", &digest[..12]);
    done(&router, &words).await;
    assert!(matches!(first.receive().await, Message::Goodbye { .. }));
}

#[tokio::test]
async fn a_revision_is_withdrawn_by_its_digest_and_no_roll_back_leads_to_it() {
    let router = with_revisions(3).await;
    let second = revision(2).digest();
    let said = done(&router, &format!("withdraw realm1 {}", &second[..12])).await;
    assert!(said.contains(&second[..12]), "{said}");
    assert_eq!(login(&router).await, "revision-0003");
    done(&router, "rollback realm1 revision").await;
    assert_eq!(login(&router).await, "revision-0001");
    let said = refused(&router, "withdraw realm1 00000000").await;
    assert!(said.contains("00000000"), "{said}");
}

#[tokio::test]
async fn a_component_is_staged_and_takes_the_step_over_when_its_file_is_there() {
    let router = with_revisions(1).await;
    let file = router.deployment.beside("next.wasm", &revision(2));
    let words = format!("stage {} --realm realm1 --step revision", file.display());
    let said = done(&router, &words).await;
    let stages = [
        "read",
        "digest",
        "signature",
        "compile",
        "link",
        "describe",
        "check",
    ];
    let told: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(told[..stages.len()], stages, "{said}");
    assert!(said.contains("is staged"), "{said}");
    assert_eq!(login(&router).await, "revision-0001");
    let staged = listed(&router, "staged").await.unwrap();
    assert_eq!(staged.text("digest"), revision(2).digest());

    fs::rename(&file, router.deployment.path("methods/revision.wasm")).unwrap();
    let in_place = router
        .log
        .find(|event| {
            let digest = &revision(2).digest()[..12];
            event.text("methods") == format!("revision@{digest}")
        })
        .await;
    assert!(in_place.number("generation").is_some());
    assert_eq!(login(&router).await, "revision-0002");
    assert!(listed(&router, "staged").await.is_none());
}

#[tokio::test]
async fn a_canary_decides_about_its_share_and_no_login_meets_both() {
    let router = with_revisions(1).await;
    let said = refused(&router, "canary realm1 revision --share 10%").await;
    assert!(said.contains("nothing is staged"), "{said}");
    router
        .deployment
        .stage("realm1", "revision", &revision(2))
        .await;
    let met = async |router: &Router| {
        let mut met = Vec::new();
        for _ in 0..64 {
            met.push(login(router).await);
        }
        let second = met.iter().filter(|met| *met == "revision-0002");
        second.count()
    };
    done(&router, "canary realm1 revision --share 50%").await;
    // 0 and 64 of 64 come once in 2^63.
    let half = met(&router).await;
    assert!((1..64).contains(&half), "{half} of 64");
    let canary = listed(&router, "canary").await.unwrap();
    assert_eq!(canary.number("logins"), half as u64);
    assert_eq!(canary.number("share"), 500);
    done(&router, "canary realm1 revision --share 100%").await;
    assert_eq!(met(&router).await, 64);
    // A login that the canary has begun goes on with it.
    let (mut under_way, begun_by) = begin(&router).await;
    assert_eq!(begun_by, "revision-0002");
    done(&router, "unstage realm1 revision").await;
    assert!(matches!(
        finish(&mut under_way).await,
        Message::Welcome { .. }
    ));
    assert_eq!(met(&router).await, 0);
}

#[tokio::test]
async fn a_shadow_is_compared_and_decides_nothing() {
    let router = with_revisions(1).await;
    // Four logins by the live revision, which the shadow gave the same verdicts in, or others.
    let compared = async |as_what: &str| {
        done(&router, "shadow realm1 revision").await;
        for _ in 0..4 {
            assert_eq!(login(&router).await, "revision-0001");
        }
        let is_through = |it: &Revision| it.text("state") == "shadow" && it.number(as_what) == 4;
        router.deployment.revision_where("realm1", is_through).await
    };
    // The same, but for a remark.
    let same = revision(1).remarked("the same");
    router.deployment.stage("realm1", "revision", &same).await;
    let shadow = compared("agreed").await;
    assert_eq!(shadow.number("disagreed"), 0);
    assert_eq!(shadow.number("logins"), 0);

    // Another number is another challenge.
    router
        .deployment
        .stage("realm1", "revision", &revision(2))
        .await;
    let shadow = compared("disagreed").await;
    assert_eq!(shadow.number("agreed"), 0);
    router
        .log
        .message("a shadow disagrees with the live revision")
        .await;
}

#[tokio::test]
async fn a_new_revision_that_traps_is_rolled_back_by_itself() {
    let realm = format!("{REALM}[method.revision]\nrollback = {{ faults = 2, of = 5 }}\n");
    let deployment = Deployment::bare();
    deployment.realm("realm1", &realm);
    deployment.component("revision", &revision(1));
    let router = deployment.start().await;
    router.deployment.component("revision", &revision(9999));
    router.log.generation("realm1", 2).await;
    for _ in 0..2 {
        let client = Client::greet(&router, hello("realm1", &["revision"], None)).await;
        client.refusal().await;
    }
    let told = router.log.mention("the one before is asked again").await;
    assert_eq!(told.text("is"), &revision(1).digest()[..12]);
    assert_eq!(login(&router).await, "revision-0001");
    let rolled_back = listed(&router, "rolled back").await.unwrap();
    assert_eq!(rolled_back.number("faults"), 2);
}
