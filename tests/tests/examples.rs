//! The programs in `examples/` do what they say.

use std::{path::Path, process::Command};

use countersign_tests::{Deployment, Router};

async fn lines(router: &Router, mut command: Command, method: &str) -> Vec<String> {
    let secret = if method == "cryptosign" {
        let key = std::fs::read_to_string(example("demo/alice.key")).unwrap();
        key.trim_end().to_owned()
    } else {
        "wonderland".to_owned()
    };
    command.args([
        "--url",
        router.url(),
        "--method",
        method,
        "--secret",
        &secret,
    ]);
    let output = tokio::process::Command::from(command)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn example(name: &str) -> std::path::PathBuf {
    Path::new(&xtask::root()).join("examples").join(name)
}

fn assert_is_a_tour(lines: &[String], method: &str) {
    let first = lines.first().unwrap();
    let role = if method == "anonymous" {
        "guest"
    } else {
        "user"
    };
    assert!(
        first.ends_with(&format!(", role {role}, by {method}")),
        "{first}"
    );
    for expected in [
        "event: hello",
        "registered com.example.add",
        "called it: 2 + 3 = 5",
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected} is not in {lines:#?}"
        );
    }
}

#[tokio::test]
async fn login_in_python_logs_in_by_every_method() {
    let router = Deployment::demo().start().await;
    let python = xtask::python_clients().unwrap();
    for method in ["wampcra", "ticket", "cryptosign", "anonymous"] {
        let command = python.command(&example("login.py"));
        assert_is_a_tour(&lines(&router, command, method).await, method);
    }
}

#[tokio::test]
async fn login_in_javascript_logs_in_by_every_method() {
    let router = Deployment::demo().start().await;
    let node = xtask::node_clients().unwrap();
    for method in ["wampcra", "ticket", "cryptosign", "anonymous"] {
        let command = node.command(&example("login.mjs")).unwrap();
        assert_is_a_tour(&lines(&router, command, method).await, method);
    }
}
