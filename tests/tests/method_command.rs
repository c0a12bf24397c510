//! `countersign method test`, `conform` and `inspect`: what they say, and how they end.

use std::{fs, os::unix::fs::PermissionsExt};

use countersign_tests::{Component, Deployment};

/// Ticket with its own table.
fn ticket() -> Deployment {
    let deployment = Deployment::bare();
    deployment.component("ticket", &Component::method("ticket"));
    let table = xtask::root().join("plugins/ticket/ticket.table.toml");
    let table = fs::read_to_string(table).expect("a file of ours");
    deployment.table("ticket", &table);
    deployment
}

#[tokio::test]
async fn a_table_that_fits_is_passed() {
    let (good, said) = ticket().method("test ticket.wasm").await;
    assert!(good, "{said}");
    assert!(said.contains("pass   1  the right ticket"), "{said}");
    assert!(said.contains("5 of 5 attempts passed"), "{said}");
    // What a call has cost.
    let call = said.lines().find(|line| line.contains("resume  accept"));
    let call = call.unwrap_or_else(|| panic!("{said}"));
    assert!(
        call.contains(" fuel ") && call.contains("password"),
        "{call}"
    );
}

#[tokio::test]
async fn what_differs_is_told() {
    let deployment = ticket();
    deployment.table(
        "other",
        "[[credential]]\nkind = \"ticket\"\nauthid = \"alice\"\nrole = \"user\"\nsecret = \"x\"\n\
         [[attempt]]\nname = \"she is an admin\"\nauthid = \"alice\"\nverdict = \"accept\"\n\
         identity = { role = \"admin\" }\n[[attempt.round]]\nchallenge = { prompt = \"?\" }\n\
         answer = \"x\"\n",
    );
    let (good, said) = deployment.method("test ticket.wasm other.table.toml").await;
    assert!(!good, "{said}");
    for expected in [
        "FAIL   1  she is an admin",
        "round 1: challenge.prompt: expected \"?\", got nothing",
        "identity.role: expected \"admin\", got Some(\"user\")",
        "0 of 1 attempts passed",
    ] {
        assert!(said.contains(expected), "{said}\ndoes not say {expected}");
    }
}

#[tokio::test]
async fn a_table_that_is_wrong_is_one_message() {
    let deployment = ticket();
    deployment.table("ticket", "[[atempt]]\nname = \"a\"\n");
    for command in ["test", "conform"] {
        let (status, said) = deployment
            .method_status(&format!("{command} ticket.wasm"))
            .await;
        assert_eq!((status, said.lines().count()), (1, 1), "{said}");
        let expected = "ticket.table.toml:1:3: unknown key \"atempt\" at the top of the file; did you mean \"attempt\"?";
        assert!(said.contains(expected), "{said}");
    }

    let (status, said) = deployment.method_status("test ticket.wasm none.toml").await;
    assert!(
        status == 1 && said.contains("none.toml: there is no such file"),
        "{said}"
    );
}

#[tokio::test]
async fn a_method_is_inspected_in_words() {
    let (good, said) = ticket().method("inspect ticket.wasm").await;
    assert!(good, "{said}");
    for expected in [
        "method      ticket 0.1.0",
        "contract    countersign:auth@0.1.0",
        "credentials ticket",
        "clients send it in clear",
        "credentials: use the realm's credentials, without seeing a secret; granted unless",
        "    countersign:auth/credentials@0.1.0",
        "compiling ",
        "for a fresh one",
        "KiB at the beginning",
    ] {
        assert!(said.contains(expected), "{said}\ndoes not say {expected}");
    }
}

/// What `inspect` says of compiling.
async fn compiling(deployment: &Deployment, words: &str) -> String {
    let (good, said) = deployment.method(words).await;
    assert!(good, "{said}");
    let line = said.lines().find(|line| line.starts_with("compiling"));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[tokio::test]
async fn what_was_compiled_once_is_kept() {
    let deployment = ticket();
    let first = compiling(&deployment, "inspect ticket.wasm").await;
    assert!(first.contains("MiB meanwhile"), "{first}");
    let again = compiling(&deployment, "inspect ticket.wasm").await;
    assert!(again.contains("it was compiled earlier"), "{again}");
    let anew = compiling(&deployment, "inspect ticket.wasm --anew").await;
    assert!(anew.contains("MiB meanwhile"), "{anew}");

    // A trial counts, so it needs code of its own.
    let kept = deployment.path("author/countersign/compiled");
    let files = || {
        let entries = fs::read_dir(&kept).expect("a directory");
        let paths = entries.map(|entry| entry.expect("a file").path());
        paths
            .filter(|path| path.extension().is_some_and(|it| it == "cwasm"))
            .count()
    };
    assert_eq!(files(), 1);
    for command in ["test", "conform"] {
        let (good, said) = deployment.method(&format!("{command} ticket.wasm")).await;
        assert!(good, "{said}");
        assert_eq!(files(), 2, "{command}");
    }
}

#[tokio::test]
async fn where_nothing_can_be_kept_it_is_compiled_each_time() {
    let deployment = ticket();
    let kept = deployment.path("author/countersign/compiled");
    fs::create_dir_all(&kept).expect("a directory");
    // Whoever could write there could have their own code run.
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o777)).expect("its owner");
    for _ in 0..2 {
        let said = compiling(&deployment, "inspect ticket.wasm").await;
        assert!(said.contains("MiB meanwhile"), "{said}");
    }
    assert_eq!(fs::read_dir(&kept).expect("a directory").count(), 0);
}

#[tokio::test]
async fn what_is_no_method_is_one_clear_message() {
    let deployment = Deployment::bare();
    deployment.table("any", "[[attempt]]\nname = \"any\"\nverdict = \"deny\"\n");
    let ticket = Component::method("ticket");
    for (name, component, expected) in [
        (
            "module",
            Component::new(*b"\0asm\x01\0\0\0"),
            "it is a core WebAssembly module, not a component",
        ),
        (
            "garbage",
            Component::new(*b"#!/bin/sh\n"),
            "it is not a WebAssembly component",
        ),
        (
            "nothing",
            Component::new(*b"\0asm\x0d\0\x01\0"),
            "it does not export countersign:auth/method@0.1.0",
        ),
        (
            "newer",
            ticket.with_all(
                b"countersign:auth/about@0.1.0",
                b"countersign:auth/about@0.9.0",
            ),
            "it was made for version 0.9.0 of the contract countersign:auth, and this router has 0.1.0: \
             `countersign method bindings` brings its project to that",
        ),
    ] {
        deployment.component(name, &component);
        for (command, table) in [
            ("inspect", ""),
            ("conform", ""),
            ("test", " any.table.toml"),
        ] {
            let words = format!("{command} {name}.wasm{table}");
            let (status, said) = deployment.method_status(&words).await;
            assert_eq!(status, 1, "{words}: {said}");
            assert!(said.contains(expected), "{said}\ndoes not say {expected}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    let (status, said) = deployment.method_status("inspect none.wasm").await;
    assert!(
        status == 1
            && said.contains("none.wasm: there is no such file; `countersign method build`"),
        "{said}"
    );
}

/// Its table's attempts run out of time; nobody waits for it as often as `conform` could ask.
#[tokio::test]
async fn a_method_that_never_answers_is_told_and_not_waited_for() {
    let deployment = Deployment::bare();
    deployment.component("careless", &Component::guest("careless"));
    deployment.table(
        "careless",
        "settings = { does = \"never-answer\" }\n[[attempt]]\nname = \"any\"\nverdict = \"deny\"\n",
    );
    let (status, said) = deployment.method_status("test careless.wasm").await;
    assert_eq!(status, 1, "{said}");
    let expected = "expected deny, got fault \"time\": it ran into its limit \"time\"";
    assert!(said.contains(expected), "{said}");

    let (status, said) = deployment.method_status("conform careless.wasm").await;
    assert_eq!(status, 1, "{said}");
    for expected in [
        "it never answers, whatever it is asked; so the rest was not looked at",
        "-    enumeration",
        "): it does not conform",
    ] {
        assert!(said.contains(expected), "{said}\ndoes not say {expected}");
    }
}

#[tokio::test]
async fn a_method_that_conforms_and_one_that_does_not() {
    let deployment = ticket();
    let (good, said) = deployment.method("conform ticket.wasm").await;
    assert!(good, "{said}");
    assert!(said.contains("pass enumeration"), "{said}");
    assert!(said.contains("): it conforms"), "{said}");

    deployment.component("fickle", &Component::guest("fickle"));
    let (good, said) = deployment.method("conform fickle.wasm").await;
    assert!(!good, "{said}");
    for expected in [
        "FAIL describe",
        "it describes itself the same each time",
        "why: a router asks at each load",
        "… and 16 more",
        "-    realm",
        "): it does not conform",
        "there is no table",
    ] {
        assert!(said.contains(expected), "{said}\ndoes not say {expected}");
    }
}
