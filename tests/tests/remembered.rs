//! What operators decide about revisions, over starts of the router.

use std::fs;

use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{Client, Component, Deployment, Router, hello, revision};

const REALM: &str = r#"
roles = ["guest"]
[[login]]
steps = ["revision"]
"#;

/// A router whose only step has had two revisions.
async fn with_two_revisions(deployment: Deployment) -> Router {
    deployment.realm("realm1", REALM);
    deployment.component("revision", &revision(1));
    let router = deployment.start().await;
    router.deployment.component("revision", &revision(2));
    router.log.generation("realm1", 2).await;
    router
}

/// Logs in. Returns the revision that lets it in, or why none does.
async fn login(router: &Router) -> String {
    let mut client = Client::greet(router, hello("realm1", &["revision"], None)).await;
    let revision = match client.receive().await {
        Message::Challenge { extra, .. } => extra.text("revision").unwrap().to_owned(),
        Message::Abort { reason, .. } => return reason,
        other => panic!("{other:?}"),
    };
    let answer = Message::Authenticate {
        signature: String::new(),
        extra: Dict::new(),
    };
    client.send(&answer).await;
    let answer = client.receive().await;
    assert!(matches!(answer, Message::Welcome { .. }), "{answer:?}");
    revision
}

async fn done(router: &Router, words: &str) -> String {
    let (good, said) = router.deployment.method(words).await;
    assert!(good, "{said}");
    said
}

/// Ends a router as a power cut does, and starts another in its place.
async fn again(router: Router) -> Router {
    router.kill().await.start().await
}

#[tokio::test]
async fn what_was_withdrawn_lets_nobody_in_after_a_new_start() {
    let router = with_two_revisions(Deployment::bare()).await;
    done(&router, "withdraw realm1 revision").await;
    let router = again(router).await;
    assert_eq!(login(&router).await, reason::UNAVAILABLE);
    let said = done(&router, "list realm1").await;
    assert!(said.contains("live, withdrawn"), "{said}");
    let (good, said) = router.deployment.check().await;
    assert!(good, "{said}");

    // Another component lets people in; the same octets, in its place again, do not.
    router.deployment.component("revision", &revision(3));
    router.log.generation("realm1", 2).await;
    assert_eq!(login(&router).await, "revision-0003");
    let router = again(router).await;
    router.deployment.component("revision", &revision(2));
    router.log.generation("realm1", 2).await;
    assert_eq!(login(&router).await, reason::UNAVAILABLE);

    // Until somebody takes it back.
    done(&router, "readmit realm1 revision").await;
    assert_eq!(login(&router).await, "revision-0002");
    let router = again(router).await;
    assert_eq!(login(&router).await, "revision-0002");
    let (good, said) = router.deployment.method("readmit realm1 revision").await;
    assert!(!good && said.contains("is withdrawn"), "{said}");
}

#[tokio::test]
async fn what_was_rolled_back_stays_so_until_another_component_comes() {
    let router = with_two_revisions(Deployment::bare()).await;
    done(&router, "rollback realm1 revision").await;
    let router = again(router).await;
    assert_eq!(login(&router).await, "revision-0001");
    let said = done(&router, "list realm1").await;
    assert!(said.contains("rolled back"), "{said}");

    router.deployment.component("revision", &revision(3));
    router.log.generation("realm1", 2).await;
    assert_eq!(login(&router).await, "revision-0003");
    // It is over, also for the file that it was about.
    let deployment = router.kill().await;
    deployment.component("revision", &revision(2));
    let router = deployment.start().await;
    assert_eq!(login(&router).await, "revision-0002");
}

#[tokio::test]
async fn a_withdrawn_revision_that_was_rolled_back_from_stays_out_too() {
    let router = with_two_revisions(Deployment::bare()).await;
    done(&router, "withdraw realm1 revision").await;
    done(&router, "rollback realm1 revision").await;
    let router = again(router).await;
    assert_eq!(login(&router).await, "revision-0001");
    let (good, said) = router.deployment.method("rollback realm1 revision").await;
    assert!(!good, "{said}");
}

#[tokio::test]
async fn nobody_gets_in_by_what_was_given_up_because_the_earlier_one_is_gone() {
    let router = with_two_revisions(Deployment::bare()).await;
    done(&router, "rollback realm1 revision").await;
    let deployment = router.kill().await;
    let kept = deployment.path(&format!("revisions/{}.wasm", revision(1).digest()));
    fs::remove_file(&kept).unwrap();
    let router = deployment.start().await;
    let told = router.log.mention("was rolled back from").await;
    assert!(told.message().contains("no such file"), "{told}");
    assert_eq!(login(&router).await, reason::NO_SUCH_REALM);
    router.deployment.component("revision", &revision(3));
    router.log.generation("realm1", 1).await;
    assert_eq!(login(&router).await, "revision-0003");

    // Nor by other octets that lie in its place.
    let router = with_two_revisions(Deployment::bare()).await;
    done(&router, "rollback realm1 revision").await;
    let deployment = router.kill().await;
    let kept = deployment.path(&format!("revisions/{}.wasm", revision(1).digest()));
    fs::write(&kept, revision(2).octets()).unwrap();
    let router = deployment.start().await;
    router.log.mention("was rolled back from").await;
    assert_eq!(login(&router).await, reason::NO_SUCH_REALM);
}

/// A signature is looked at as at any other load: a signer whom the operator trusts no more is none.
#[tokio::test]
async fn t25_what_a_step_is_rolled_back_to_needs_its_signature_after_a_new_start_too() {
    let deployment = Deployment::bare();
    let words = format!("keygen {}", deployment.path("ours.key").display());
    let (good, ours) = deployment.method(&words).await;
    assert!(good, "{ours}");
    let signers = format!("[methods]\nsigners = [\"{}\"]\n", ours.trim_end());
    deployment.operator(&signers);
    sign(&deployment, &revision(1)).await;
    deployment.realm("realm1", REALM);
    let router = deployment.start().await;
    sign(&router.deployment, &revision(2)).await;
    router.log.generation("realm1", 2).await;
    done(&router, "rollback realm1 revision").await;
    let router = again(router).await;
    assert_eq!(login(&router).await, "revision-0001");

    let deployment = router.kill().await;
    let signature = deployment.path(&format!("revisions/{}.wasm.sig", revision(1).digest()));
    fs::write(&signature, [0; 64]).unwrap();
    let router = deployment.start().await;
    let told = router.log.mention("was rolled back from").await;
    assert_eq!(told.text("stage"), "signature");
    assert_eq!(login(&router).await, reason::NO_SUCH_REALM);
}

/// Puts a component in place, after its signature.
async fn sign(deployment: &Deployment, component: &Component) {
    let beside = deployment.beside("revision.wasm", component);
    let key = deployment.path("ours.key");
    let words = format!("sign --key {} {}", key.display(), beside.display());
    let (good, said) = deployment.method(&words).await;
    assert!(good, "{said}");
    for name in ["revision.wasm.sig", "revision.wasm"] {
        let to = deployment.path(&format!("methods/{name}"));
        fs::rename(deployment.path(name), to).unwrap();
    }
}

#[tokio::test]
async fn a_router_that_cannot_know_what_was_withdrawn_does_not_start() {
    let router = with_two_revisions(Deployment::bare()).await;
    done(&router, "withdraw realm1 revision").await;
    let deployment = router.kill().await;
    deployment.file("revisions/state.json", "{");
    let complaint = deployment.start_in_vain().await;
    assert!(complaint.contains("revisions/state.json"), "{complaint}");
    assert!(
        complaint.contains("does not start without knowing"),
        "{complaint}"
    );
    let (good, said) = deployment.check().await;
    assert!(!good && said.contains("revisions/state.json"), "{said}");
}

#[tokio::test]
async fn a_command_that_could_not_write_says_so_and_holds_until_the_router_ends() {
    let router = with_two_revisions(Deployment::bare()).await;
    // A file stands where the directory should be.
    fs::remove_dir_all(router.deployment.path("revisions")).unwrap();
    router.deployment.file("revisions", "");
    let (good, said) = router.deployment.method("withdraw realm1 revision").await;
    assert!(!good && said.contains("cannot be written down"), "{said}");
    assert_eq!(login(&router).await, reason::UNAVAILABLE);
}
