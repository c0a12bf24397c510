//! Methods of one's own: for each language a project is made, built, and logged in by.

use std::{fs, path::Path};

use countersign_tests::{Component, Desk, OwnLogin, log_in};
use serde_json::{Value, json};

fn login<'a>(method: &'a str, answer: &str) -> OwnLogin<'a> {
    OwnLogin {
        method,
        authid: "alice",
        answer: answer.into(),
        authextra: Value::Null,
    }
}

/// The way of an author, from nothing to a login.
async fn from_nothing_to_a_login(language: &str) {
    let desk = Desk::new();
    let component = desk.project(language, "knock").await;
    from_a_component_to_a_login(&desk, &component).await;
}

async fn from_a_component_to_a_login(desk: &Desk, component: &Component) {
    let name = "knock";
    desk.assert_passes(name).await;
    let said = desk.assert_conforms(name).await;
    assert!(!said.contains("warn "), "an author's beginning: {said}");
    assert!(!said.contains("Compiling"), "once is enough: {said}");
    let router = desk.serve(name, component).await;
    let logins = [login(name, "swordfish"), login(name, "haddock")];
    let outcomes = log_in(router.url(), &logins).await;
    assert_eq!(outcomes[0]["authid"], "alice", "{outcomes:?}");
    assert_eq!(outcomes[0]["authrole"], "guest", "{outcomes:?}");
    assert_eq!(outcomes[0]["authmethod"], name, "{outcomes:?}");
    assert_eq!(
        outcomes[0]["asked"],
        json!({ "question": "What is the word?" }),
        "{outcomes:?}"
    );
    let denied = &outcomes[1];
    assert_eq!(
        denied["left"], "wamp.error.authentication_denied",
        "{denied}"
    );
    assert_eq!(denied["authid"], Value::Null, "{denied}");
    let record = router.log.message("login refused").await;
    assert!(
        record.to_string().contains("that is not the word"),
        "{record}"
    );
}

#[tokio::test]
async fn rust_from_nothing_to_a_login() {
    from_nothing_to_a_login("rust").await;
}

#[tokio::test]
async fn javascript_from_nothing_to_a_login() {
    from_nothing_to_a_login("javascript").await;
}

#[tokio::test]
async fn typescript_from_nothing_to_a_login() {
    from_nothing_to_a_login("typescript").await;
}

#[tokio::test]
async fn python_from_nothing_to_a_login() {
    let desk = Desk::new();
    let (made, said) = desk.method("new --language python knock").await;
    assert!(made, "{said}");
    // What the author has installed for the project comes along.
    let package = "TEXT = 'What is the word?'\n";
    desk.python_package("knock", "installed", package).await;
    desk.edit(
        "knock/method.py",
        "import json\n",
        "import installed\nimport json\n",
    );
    desk.edit("knock/method.py", "\"What is the word?\"", "installed.TEXT");
    let component = desk.build("knock").await;
    from_a_component_to_a_login(&desk, &component).await;
}

#[tokio::test]
async fn go_from_nothing_to_a_login() {
    from_nothing_to_a_login("go").await;
}

#[tokio::test]
async fn c_from_nothing_to_a_login() {
    from_nothing_to_a_login("c").await;
}

/// What the template's checks say of settings, which differs by language, and that they say it.
#[tokio::test]
async fn settings_that_a_method_refuses_are_told_to_who_wrote_them() {
    let desk = Desk::new();
    let component = desk.project("c", "knock").await;
    desk.edit("knock/realm.toml", "\"swordfish\"", "7");
    let router = desk.serve("knock", &component).await;
    router
        .log
        .find(|event| event.to_string().contains("`word`: a text is needed"))
        .await;
}

/// Nothing is left half-written, and there is one line that says what is wrong.
async fn assert_refused(desk: &Desk, words: &str, complaint: &str) {
    let before = files(&desk.path(""));
    let (status, said) = desk.status(words).await;
    assert_eq!(status, 1, "{words}: {said}");
    assert!(said.contains(complaint), "{words}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{words}: {said}");
    assert_eq!(files(&desk.path("")), before, "{words}");
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_cannot_be_done_is_told_in_one_line_and_leaves_nothing() {
    let desk = Desk::new();
    let (made, said) = desk.method("new --language c knock").await;
    assert!(made, "{said}");
    for (words, complaint) in [
        ("new --language c knock", "knock exists already"),
        ("new --language python Knock", "\"Knock\" is no name"),
        ("new --language go ../knock", "\"../knock\" is no name"),
        ("new --language rust match", "\"match\" is no name"),
        ("build", "is no method's project"),
        ("build nowhere", "nowhere: there is no such directory"),
        ("bindings .", "is no method's project"),
        ("dev .", "is no method's project"),
        ("inspect knock", "knock: this is a directory"),
    ] {
        assert_refused(&desk, words, complaint).await;
    }
    fs::write(desk.path("knock/method.py"), "").unwrap();
    assert_refused(&desk, "build knock", "a project of several languages").await;
}

#[tokio::test]
async fn a_mistake_in_the_table_is_told_before_anything_is_built() {
    let desk = Desk::new();
    let (made, said) = desk.method("new --language c knock").await;
    assert!(made, "{said}");
    desk.edit(
        "knock/knock.table.toml",
        "verdict = \"accept\"",
        "verdikt = \"accept\"",
    );
    assert_refused(&desk, "build knock", "did you mean \"verdict\"?").await;
    assert!(!desk.path("knock/knock.wasm").exists());
}

#[tokio::test]
async fn a_build_that_makes_no_method_is_told_and_leaves_the_component_of_before() {
    let desk = Desk::new();
    let component = desk.project("rust", "knock").await;
    desk.edit("knock/src/lib.rs", "countersign_guest::export!(Word);", "");
    let (built, said) = desk.method("build knock").await;
    assert!(!built, "{said}");
    let complaint = said.trim_end().lines().next_back().unwrap_or_default();
    assert!(
        complaint.contains("it does not export countersign:auth/method@0.1.0"),
        "{said}"
    );
    assert!(complaint.contains("countersign_guest::export!"), "{said}");
    let left = fs::read(desk.path("knock/knock.wasm")).unwrap();
    assert_eq!(left, component.octets());

    // What the compiler finds itself is told in its words.
    desk.project("c", "knock-c").await;
    desk.edit("knock-c/method.c", "method_resume(", "method_resum(");
    let before = fs::read(desk.path("knock-c/knock-c.wasm")).unwrap();
    let (built, said) = desk.method("build knock-c").await;
    assert!(!built && said.contains("method_resume"), "{said}");
    assert_eq!(fs::read(desk.path("knock-c/knock-c.wasm")).unwrap(), before);
}

#[tokio::test]
async fn a_project_of_another_contract_is_told_and_can_be_brought_to_this_one() {
    let desk = Desk::new();
    let component = desk.project("c", "knock").await;
    for file in files(&desk.path("knock/wit")) {
        let file = format!("knock/wit/{file}");
        if fs::read_to_string(desk.path(&file)).is_ok_and(|text| text.contains("auth@0.1.0")) {
            desk.edit(&file, "auth@0.1.0", "auth@0.0.9");
        }
    }
    let (built, said) = desk.method("build knock").await;
    assert!(!built, "{said}");
    assert!(said.contains("countersign:auth@0.0.9"), "{said}");
    assert!(said.contains("countersign method bindings"), "{said}");

    let (renewed, said) = desk.method("bindings knock").await;
    assert!(renewed, "{said}");
    assert_eq!(desk.build("knock").await, component);
}

#[tokio::test]
async fn a_missing_toolchain_is_told_with_how_to_install_it() {
    let desk = Desk::new();
    let nothing = desk.path("nothing");
    fs::create_dir(&nothing).unwrap();
    for (language, complaint) in [
        ("rust", "https://rustup.rs"),
        ("javascript", "apt-get install nodejs npm"),
        ("typescript", "apt-get install nodejs npm"),
        ("python", "apt-get install python3 python3-venv"),
        ("go", "https://go.dev/dl"),
        ("c", "apt-get install clang lld wasi-libc"),
    ] {
        let name = format!("in-{language}");
        let new = format!("new --language {language} {name}");
        let (made, said) = desk.method_in(&new, Some(&nothing)).await;
        assert!(made && said.contains(complaint), "{language}: {said}");
        let (built, said) = desk
            .method_in(&format!("build {name}"), Some(&nothing))
            .await;
        assert!(!built && said.contains(complaint), "{language}: {said}");
        assert!(!desk.path(&format!("{name}/{name}.wasm")).exists());
    }
}

#[tokio::test]
async fn what_does_not_compile_leaves_the_component_of_before() {
    let desk = Desk::new();
    let component = desk.project("c", "knock").await;
    desk.edit("knock/method.c", "bool", "bool bool");
    let (built, said) = desk.method("build knock").await;
    assert!(!built, "{said}");
    assert!(said.contains("method.c:"), "the compiler's words: {said}");
    let left = fs::read(desk.path("knock/knock.wasm")).unwrap();
    assert_eq!(left, component.octets());
}

#[tokio::test]
async fn what_is_edited_is_live_in_the_next_login_and_what_is_broken_is_not() {
    let desk = Desk::new();
    let (made, said) = desk.method("new --language c knock").await;
    assert!(made, "{said}");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let dev = desk.start(&format!("dev knock --address 127.0.0.1:{port}"));
    let url = format!("ws://127.0.0.1:{port}/ws");
    dev.log.mention("the realm is in place").await;
    let outcome = log_in(&url, &[login("knock", "swordfish")]).await.remove(0);
    assert_eq!(outcome["authid"], "alice", "{outcome}");

    // What does not compile.
    desk.edit(
        "knock/method.c",
        "    TEXT(ret->name",
        "    broken;\n    TEXT(ret->name",
    );
    dev.log.mention("It was not built").await;
    let outcome = log_in(&url, &[login("knock", "swordfish")]).await.remove(0);
    assert_eq!(outcome["authid"], "alice", "{outcome}");

    // What compiles, and is not what the table says.
    desk.edit("knock/method.c", "    broken;\n", "");
    desk.edit(
        "knock/realm.toml",
        "roles = [\"guest\"]",
        "roles = [\"guest\", \"visitor\"]",
    );
    dev.log
        .take(2, |event| event.message().contains("the realm is in place"))
        .await;
    desk.edit("knock/method.c", "authid, \"guest\"", "authid, \"visitor\"");
    dev.log.mention("not reloaded").await;
    let outcome = log_in(&url, &[login("knock", "swordfish")]).await.remove(0);
    assert_eq!(outcome["authrole"], "guest", "{outcome}");

    desk.edit(
        "knock/knock.table.toml",
        "role = \"guest\"",
        "role = \"visitor\"",
    );
    dev.log
        .take(3, |event| event.message().contains("the realm is in place"))
        .await;
    let outcome = log_in(&url, &[login("knock", "swordfish")]).await.remove(0);
    assert_eq!(outcome["authrole"], "visitor", "{outcome}");
}

#[tokio::test]
async fn the_tutorial_does_what_it_says() {
    Desk::new().follow("docs/write-a-method.md").await;
}
