//! `countersign check`: a look at everything, without serving.

use countersign_tests::{Component, Deployment};

#[tokio::test]
async fn what_is_good_is_described() {
    let demo = Deployment::demo();
    let (good, said) = demo.check().await;
    assert!(good, "{said}");
    for method in ["anonymous", "cryptosign", "ticket", "wampcra"] {
        assert!(said.contains(&format!("  {method}: {method} ")), "{said}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let deployment = Deployment::demo();
    deployment.component("ticket", &Component::new("not a component"));
    deployment.realm(
        "acme",
        "roles = [\"user\"]\n[[logn]]\nsteps = [\"ticket\"]\n",
    );
    let (good, said) = deployment.check().await;
    assert!(!good);
    assert!(
        said.contains("ticket.wasm: the method ticket of realm1 cannot be used"),
        "{said}"
    );
    assert!(
        said.contains("acme.toml:2:3: unknown key \"logn\""),
        "{said}"
    );
    assert!(said.contains("did you mean \"login\"?"), "{said}");
}

#[tokio::test]
async fn a_look_leaves_no_traces() {
    let bare = Deployment::bare();
    assert!(bare.check().await.0);
    assert!(!bare.path("credentials.db").exists());
}
