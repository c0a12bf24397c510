//! The operator's way to a router that runs.

use countersign_tests::Deployment;

#[tokio::test]
async fn a_router_that_runs_tells_its_revisions() {
    let router = Deployment::demo().start().await;
    let (good, said) = router.deployment.method("list").await;
    assert!(good, "{said}");
    for step in ["anonymous", "cryptosign", "ticket", "wampcra"] {
        let lines = said.lines().filter(|line| line.starts_with("realm1"));
        let mut lines = lines.filter(|line| line.split_whitespace().nth(1) == Some(step));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no {step} in {said}"));
        assert!(line.ends_with("live"), "{line}");
    }
    let (good, said) = router.deployment.method("list nowhere").await;
    assert!(!good);
    assert!(said.contains("there is no realm \"nowhere\""), "{said}");
}

#[tokio::test]
async fn where_no_router_runs_the_command_says_so_and_how_to_start_one() {
    let deployment = Deployment::demo();
    let (good, said) = deployment.method("list").await;
    assert!(!good);
    assert!(said.contains("no router serves this directory"), "{said}");
    assert!(said.contains("countersign serve --config"), "{said}");

    // A socket that a router has left behind is no router.
    let deployment = deployment.start().await.kill().await;
    assert!(deployment.path("countersign.sock").exists());
    let (good, said) = deployment.method("list").await;
    assert!(!good);
    assert!(said.contains("no router serves this directory"), "{said}");
    deployment.start().await;
}

#[tokio::test]
async fn a_second_router_of_the_same_directory_does_not_start() {
    let router = Deployment::demo().start().await;
    let complaint = router.deployment.start_in_vain().await;
    assert!(
        complaint.contains("another router running here?"),
        "{complaint}"
    );
    let (good, said) = router.deployment.method("list").await;
    assert!(good, "{said}");
}

#[tokio::test]
async fn a_socket_whose_path_is_too_long_is_told_with_its_line() {
    let deployment = Deployment::demo();
    let long = "x".repeat(120);
    deployment.operator(&format!("[admin]\nsocket = \"{long}.sock\"\n"));
    let complaint = deployment.start_in_vain().await;
    assert!(complaint.contains("countersign.toml:4:10:"), "{complaint}");
    assert!(
        complaint.contains("more than a Unix socket's"),
        "{complaint}"
    );
}
