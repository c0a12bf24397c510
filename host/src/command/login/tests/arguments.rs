//! What a command line asks for, and what is wrong with one.

use super::*;

fn hello(words: &[&str]) -> Result<Hello, UsageError> {
    plan(&args(words).unwrap(), Prompt::lines(&b""[..])).map(|(hello, _)| hello)
}

#[test]
fn without_arguments_the_login_is_anonymous() {
    let args = args(&[]).unwrap();
    assert_eq!(args.address.to_string(), "ws://127.0.0.1:8080/ws");
    let hello = hello(&[]).unwrap();
    assert_eq!((hello.realm.as_str(), hello.authid), ("realm1", None));
    assert_eq!(hello.authmethods, ["anonymous"]);
    assert!(hello.authextra.is_empty());
}

#[test]
fn who_has_a_name_or_a_key_can_prove_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alice.key");
    let seed = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510";
    std::fs::write(&file, seed).unwrap();
    let file = file.to_str().unwrap();

    let methods = |words: &[&str]| hello(words).unwrap().authmethods;
    let by_secret = ["wampcra", "ticket", "scram", "wamp-scram"];
    assert_eq!(methods(&["--authid", "alice"]), by_secret);
    assert_eq!(methods(&["--key", file]), ["cryptosign"]);
    assert_eq!(
        methods(&["--authid", "a", "--key", file]),
        [&["cryptosign"], &by_secret[..]].concat()
    );
    assert_eq!(
        methods(&["--authid", "a", "--method", "x", "--method", "y"]),
        ["x", "y"]
    );
    assert_eq!(
        hello(&["--key", file]).unwrap().authextra.text("pubkey"),
        Some("1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d")
    );

    assert!(matches!(
        hello(&["--method", "cryptosign"]),
        Err(UsageError::NoKey)
    ));
    let unused = hello(&["--key", file, "--method", "ticket"]);
    assert!(matches!(unused, Err(UsageError::UnusedKey)));
}

#[test]
fn authextra_is_json() {
    let extras = [
        "--extra",
        r#"pin="12=34""#,
        "--extra",
        r#"deep={"a":[1,true]}"#,
    ];
    let expected = r#"{"deep":{"a":[1,true]},"pin":"12=34"}"#;
    assert_eq!(hello(&extras).unwrap().authextra.to_json(), expected);
    assert!(args(&["--extra", "pin"]).unwrap_err().contains("KEY=JSON"));
    assert!(
        args(&["--extra", "pin=abc"])
            .unwrap_err()
            .contains("double quotes")
    );
    assert!(args(&["--extra", r#"pin=1,"other":2"#]).is_err());
}

#[test]
fn wrong_arguments_are_explained() {
    assert!(
        args(&["http://localhost/"])
            .unwrap_err()
            .contains("it must be like ws://127.0.0.1:8080/ws")
    );
    assert!(
        args(&["--authid", "a\u{1b}"])
            .unwrap_err()
            .contains("control characters")
    );
    assert!(
        args(&["--serializer", "ubjson"])
            .unwrap_err()
            .contains("msgpack")
    );
}
