//! A component is tried before it goes live: by the table beside it, and, where it is required, by what
//! every method must stand.

use std::fs;

use countersign_tests::{Client, Component, Deployment};

const REALM: &str = r#"
roles = ["guest"]
[[login]]
steps = ["anonymous"]
"#;

/// What the shipped component says, but for the role.
fn table(role: &str) -> String {
    format!(
        "[[attempt]]\nname = \"a stranger\"\nverdict = \"accept\"\nidentity = {{ role = \"{role}\" }}\n"
    )
}

#[tokio::test]
async fn a_component_that_does_not_say_what_its_table_expects_is_refused() {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    deployment.component("anonymous", &Component::method("anonymous"));
    deployment.table("anonymous", &table("guest"));
    let router = deployment.start().await;
    Client::join(&router, "realm1").await;

    router.deployment.table("anonymous", &table("admin"));
    let line = router
        .log
        .mention("not reloaded, the generation before goes on")
        .await;
    for expected in [
        "methods/anonymous.wasm",
        "it does not say what its table expects",
        "identity.role: expected \"admin\"",
    ] {
        assert!(line.message().contains(expected), "{line}");
    }
    assert_eq!(line.text("stage"), "probe");
    Client::join(&router, "realm1").await;

    router.deployment.table("anonymous", &table("guest"));
    router
        .deployment
        .component("anonymous", &Component::method("anonymous").remarked("new"));
    router.log.generation("realm1", 2).await;
}

/// The engine that counts has code of its own. Were that not made by the same process as the other, a
/// component that bombs the compiler would do so in the router's.
#[tokio::test]
async fn what_is_required_to_conform_is_compiled_within_the_same_bounds_and_once() {
    let deployment = Deployment::bare();
    deployment.operator("[methods]\nconform = \"required\"\n");
    deployment.realm("realm1", REALM);
    deployment.component("anonymous", &Component::method("anonymous"));
    let router = deployment.start().await;
    Client::join(&router, "realm1").await;
    let compiled = || {
        let files = fs::read_dir(router.deployment.path("cache")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let digest = Component::method("anonymous").digest();
        names.filter(|name| name.starts_with(&digest)).count()
    };
    assert_eq!(compiled(), 2, "one to serve with, and one for the trial");
}

#[tokio::test]
async fn a_table_can_be_named_for_what_is_staged() {
    let deployment = Deployment::bare();
    deployment.realm("realm1", REALM);
    deployment.component("anonymous", &Component::method("anonymous"));
    let router = deployment.start().await;
    let next = Component::method("anonymous").remarked("new");
    let file = router.deployment.beside("next.wasm", &next);
    let words = format!("stage {} --realm realm1 --step anonymous", file.display());
    for (role, passes) in [("admin", false), ("guest", true)] {
        router.deployment.file("elsewhere.toml", &table(role));
        let elsewhere = router.deployment.path("elsewhere.toml");
        let words = format!("{words} --table {}", elsewhere.display());
        let (good, said) = router.deployment.method(&words).await;
        assert_eq!(good, passes, "{said}");
    }
    let (good, said) = router
        .deployment
        .method(&format!("{words} --table none.toml"))
        .await;
    assert!(!good && said.contains("none.toml"), "{said}");
}

#[tokio::test]
async fn what_is_required_to_conform_and_does_not_is_refused() {
    let careless = |does: &str, more: &str| {
        format!(
            "roles = [\"user\"]\n[[login]]\nsteps = [\"careless\"]\n[method.careless]\n{more}\
             settings = {{ does = \"{does}\" }}\n"
        )
    };
    let deployment = Deployment::bare();
    deployment.component("careless", &Component::guest("careless"));
    deployment.table(
        "careless",
        "settings = { does = \"choose-the-challenge\" }\n\
         [[attempt]]\nname = \"a stranger\"\nauthid = \"alice\"\nverdict = \"fault\"\n",
    );
    deployment.realm("realm1", &careless("behave", "conform = \"required\"\n"));
    let (good, said) = deployment.check().await;
    assert!(!good, "{said}");
    let expected =
        "it does not conform, which is required: a challenge is made of the host's nonce";
    assert!(said.contains(expected), "{said}");

    // Nobody requires it,
    deployment.realm("realm1", &careless("behave", ""));
    let (good, said) = deployment.check().await;
    assert!(good, "{said}");

    // or the operator does.
    deployment.operator("[methods]\nconform = \"required\"\n");
    let (good, said) = deployment.check().await;
    assert!(!good && said.contains(expected), "{said}");
}
