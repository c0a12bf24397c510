//! The ways in which a component's file can change.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::symlink,
};

use countersign_tests::{Component, Deployment, Router, revision};

const REALM: &str = "roles = [\"guest\"]\n[[login]]\nsteps = [\"revision\"]\n";

fn bare() -> Deployment {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    deployment
}

/// What the log calls the revision of a generation.
async fn methods(router: &Router, generation: u64) -> String {
    let event = router.log.generation("realm1", generation).await;
    event.text("methods").to_owned()
}

fn name(component: &Component) -> String {
    let digest = countersign::method::Digest::of(component.octets());
    format!("revision@{}", digest.short())
}

#[tokio::test]
async fn a_link_that_points_elsewhere() {
    let deployment = bare();
    for number in [1, 2] {
        let file = deployment.path(&format!("revision-{number}"));
        fs::write(file, revision(number).octets()).unwrap();
    }
    let link = deployment.path("methods/revision.wasm");
    symlink(deployment.path("revision-1"), &link).unwrap();
    let router = deployment.start().await;
    assert_eq!(methods(&router, 1).await, name(&revision(1)));

    let beside = router.deployment.path("methods/.revision.wasm");
    symlink(router.deployment.path("revision-2"), &beside).unwrap();
    fs::rename(beside, link).unwrap();
    assert_eq!(methods(&router, 2).await, name(&revision(2)));
}

/// As Kubernetes mounts configuration: the link that changes is two steps away from the file.
#[tokio::test]
async fn a_directory_that_is_swapped_behind_a_link() {
    let deployment = bare();
    let path = |file: &str| deployment.path(&format!("methods/{file}"));
    for number in [1, 2] {
        let directory = path(&format!("..{number}"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("revision.wasm"), revision(number).octets()).unwrap();
    }
    symlink("..1", path("..data")).unwrap();
    symlink("..data/revision.wasm", path("revision.wasm")).unwrap();
    let (beside, data) = (path("..data_tmp"), path("..data"));
    let router = deployment.start().await;
    assert_eq!(methods(&router, 1).await, name(&revision(1)));

    symlink("..2", &beside).unwrap();
    fs::rename(beside, data).unwrap();
    assert_eq!(methods(&router, 2).await, name(&revision(2)));
}

#[tokio::test]
async fn a_file_that_is_written_in_pieces() {
    let deployment = bare();
    deployment.component("revision", &revision(1));
    let router = deployment.start().await;
    let second = revision(2);
    let (start, rest) = second.octets().split_at(1000);
    let mut file = File::create(router.deployment.path("methods/revision.wasm")).unwrap();
    file.write_all(start).unwrap();
    // Whoever writes that slowly has the first piece looked at, and refused.
    router
        .log
        .mention("not reloaded, the generation before goes on")
        .await;
    file.write_all(rest).unwrap();
    assert_eq!(methods(&router, 2).await, name(&second));
}

#[tokio::test]
async fn a_realm_whose_file_is_gone_is_closed_and_one_that_comes_is_opened() {
    let deployment = bare();
    deployment.component("revision", &revision(1));
    let router = deployment.start().await;
    router.deployment.realm("acme", REALM);
    router.log.generation("acme", 1).await;
    fs::remove_file(router.deployment.path("realms/realm1.toml")).unwrap();
    router.log.mention("the realm is closed").await;
}
