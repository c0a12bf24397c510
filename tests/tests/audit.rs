//! T22: nobody is in of whom there is no record, whatever becomes of the file, the disk or the router.

use std::fs;

use countersign::wamp::reason;
use countersign_tests::{Client, Deployment, Router, answer, hello};
use serde_json::Value;

/// The demo with a record of each login, where the rest of the table says.
fn recorded(audit: &str) -> Deployment {
    let deployment = Deployment::demo();
    let metrics = "[metrics]\naddress = \"127.0.0.1:0\"\n";
    deployment.operator(&format!("{metrics}[audit]\n{audit}"));
    deployment
}

fn records(deployment: &Deployment, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(deployment.path(file)).unwrap();
    let records = text.lines().map(serde_json::from_str);
    records.collect::<Result<_, _>>().unwrap()
}

/// Logs in as Alice, and returns the session.
async fn alice(router: &Router) -> u64 {
    let greeting = hello("realm1", &["ticket"], Some("alice"));
    let (mut client, _) = Client::challenged(router, greeting).await;
    client.send(&answer("wonderland")).await;
    client.welcome().await
}

#[tokio::test]
async fn who_is_in_is_on_record_also_when_the_router_is_killed() {
    let router = recorded("file = \"audit.jsonl\"\n").start().await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(alice(&router).await);
    }
    let deployment = router.kill().await;

    let records = records(&deployment, "audit.jsonl");
    let sessions = records.iter().map(|it| it["session"].clone());
    assert_eq!(sessions.collect::<Vec<_>>(), ids);
    let [record, ..] = &records[..] else {
        panic!("no record")
    };
    let told = ["outcome", "realm", "authid", "authrole", "authmethod"].map(|name| &record[name]);
    assert_eq!(told, ["accepted", "realm1", "alice", "user", "ticket"]);
    let steps = record["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "a challenge and an answer: {record}");
    let revision = record["steps"][0]["revision"].as_str().unwrap();
    assert_eq!(revision.len(), 64, "{record}");
}

#[tokio::test]
async fn whom_a_wrong_answer_was_about_is_told_if_anybody_has_that_name() {
    let router = recorded("file = \"audit.jsonl\"\n").start().await;
    for authid in ["alice", "swordfish"] {
        let greeting = hello("realm1", &["ticket"], Some(authid));
        let (client, _) = Client::challenged(&router, greeting).await;
        client.refused(&answer("swordfish")).await;
    }
    let text = fs::read_to_string(router.deployment.path("audit.jsonl")).unwrap();
    let [known, unknown] = &records(&router.deployment, "audit.jsonl")[..] else {
        panic!("not two records: {text}");
    };
    assert_eq!(
        (&known["outcome"], &known["authid"]),
        (&"denied".into(), &"alice".into())
    );
    assert_eq!(
        (&unknown["outcome"], &unknown["authid"]),
        (&"denied".into(), &Value::Null)
    );
    // Somebody's password, typed where the name belongs.
    assert!(!text.contains("swordfish"), "{text}");
}

#[tokio::test]
async fn without_room_for_its_record_a_login_is_refused_and_told_to_come_again() {
    let router = recorded("file = \"/dev/full\"\n").start().await;
    for _ in 0..2 {
        let client = Client::greet(&router, hello("realm1", &["anonymous"], None)).await;
        assert_eq!(client.refusal().await.reason, reason::UNAVAILABLE);
    }
    let refused = router.log.message("login refused").await;
    assert!(
        refused.text("authid").starts_with("anonymous-"),
        "{refused}"
    );
    let why = router.whys(2).await;
    assert!(why[0].contains("No space left on device"), "{why:?}");
    let lost = router.log.mention("logins cannot be put on record").await;
    assert_eq!(lost.text("file"), "/dev/full");
    let seen = router.metrics().await;
    let records = |outcome| seen.value("countersign_audit_records_total", &[("outcome", outcome)]);
    assert_eq!((records("written"), records("lost")), (0, 2));
}

#[tokio::test]
async fn an_operator_may_let_people_in_without_a_record() {
    let router = recorded("file = \"/dev/full\"\nunrecorded = \"allow\"\n")
        .start()
        .await;
    Client::join(&router, "realm1").await;
    let lost = router.log.mention("logins cannot be put on record").await;
    assert_eq!(lost.text("logins"), "let in all the same");
}

#[tokio::test]
async fn a_rotated_file_is_begun_anew() {
    let router = recorded("file = \"audit.jsonl\"\nsync = \"always\"\n")
        .start()
        .await;
    let first = alice(&router).await;
    let path = |name| router.deployment.path(name);
    fs::rename(path("audit.jsonl"), path("audit.jsonl.1")).unwrap();
    let second = alice(&router).await;
    let session = |file| records(&router.deployment, file)[0]["session"].clone();
    assert_eq!(
        [session("audit.jsonl.1"), session("audit.jsonl")],
        [first, second]
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_told_before_anybody_can_log_in() {
    let deployment = recorded("file = \"none/audit.jsonl\"\n");
    let (good, said) = deployment.check().await;
    assert!(!good && said.contains("none/audit.jsonl"), "{said}");
    let told = deployment.start_in_vain().await;
    assert!(told.contains("[audit] file"), "{told}");
    assert!(told.contains("none/audit.jsonl"), "{told}");
}
