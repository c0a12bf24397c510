//! What a person reads about each mistake, word for word.

mod logins;
mod methods;
mod operator;

use std::path::Path;

use super::{Ceilings, FILE, Realm, realm};

/// Checks the messages for a realm's file. Where `text` says nothing of roles, two lines before it
/// do.
fn realm_says(text: &str, expected: &[&str]) {
    let roles = if text.contains("roles") {
        ""
    } else {
        "roles = ['user']\n\n"
    };
    let error = realm(&format!("{roles}{text}"))
        .expect_err(text)
        .to_string();
    let expected: Vec<_> = expected
        .iter()
        .map(|line| format!("{FILE}:{line}"))
        .collect();
    assert_eq!(error, expected.join("\n"), "for:\n{text}");
}

#[test]
fn keys() {
    realm_says(
        "[[login]]\nstepps = ['a']",
        &[r#"4:1: unknown key "stepps" in [[login]]; did you mean "steps"?"#],
    );
    realm_says(
        "[[login]]\nsteps = ['a']\n[method.a.limits]\ncpu = '20ms'",
        &[
            r#"6:1: unknown key "cpu" in [method.a.limits]; known are "time", "wall", "memory", "input", "output", "log", "state", "handles", "host_calls", "passwords", "requests", "rounds""#,
        ],
    );
    realm_says(
        "permisions = []",
        &[r#"3:1: unknown key "permisions" at the top of the file; did you mean "permission"?"#],
    );
    realm_says(
        "[[login]]",
        &[
            r#"3:1: the key "steps" is missing in [[login]]; it must be a list, each item a method's name of letters, digits, '-', '_' and '.', such as "wampcra""#,
        ],
    );
    realm_says(
        "# nothing about r-o-l-e-s\n[[permission]]\nuri = 'a'\nallow = []",
        &[
            r#"4:1: the key "role" is missing in [[permission]]; it must be a role without white space, such as "user""#,
        ],
    );
}

#[test]
fn types() {
    realm_says(
        "roles = 'user'",
        &[
            r#"1:9: "roles" is "user"; it must be a list, each item a role without white space, such as "user""#,
        ],
    );
    realm_says(
        "roles = ['a', 5]",
        &[
            r#"1:15: an item of "roles" is the number 5; it must be a role without white space, such as "user""#,
        ],
    );
    realm_says(
        "[login]\nsteps = ['a']",
        &[r#"3:1: "login" is a table; write it as [[login]], with two brackets"#],
    );
    realm_says(
        "[[method.a]]",
        &[r"3:1: there is a list where a table must be; write [method.a]"],
    );
    realm_says(
        "login = ['a']",
        &[r#"3:10: there is "a" where a table must be; write [[login]]"#],
    );
    realm_says(
        "longest_session = 2020-01-01",
        &[
            r#"3:19: "longest_session" is a date; it must be a duration, such as "20ms", "5s", "2m", "12h" or "30d""#,
        ],
    );
}

#[test]
fn syntax() {
    realm_says(
        "roles = [user]",
        &["1:10: this is not TOML: string values must be quoted, expected literal string"],
    );
    realm_says(
        "roles = ['user'\n[[login]",
        &["2:1: this is not TOML: missing comma between array elements, expected `,`"],
    );
    realm_says(
        "roles = ['user']\n[[login]\nsteps = = 1",
        &[
            "2:9: this is not TOML: unclosed array table, expected `]`",
            "3:9: this is not TOML: extra `=`",
        ],
    );
    realm_says(
        "roles = ['user']\nroles = []",
        &["2:1: this is not TOML: duplicate key"],
    );
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_file() {
    let text = "roles = ['user', 'us er']\nlongest = '1h'\n[[login]]\nsteps = []\n[[permission]]";
    let error = realm(text).unwrap_err().to_string();
    let places: Vec<_> = error
        .lines()
        .map(|line| line.split(':').nth(1).unwrap())
        .collect();
    assert_eq!(places, ["1", "2", "4", "5", "5", "5"]);
}

#[test]
fn the_realms_name() {
    for (file, name) in [("realms/a b.toml", "a b"), ("realms/wamp.x.toml", "wamp.x")] {
        let error = Realm::parse("roles = ['user']", Path::new(file), &Ceilings::default())
            .unwrap_err()
            .to_string();
        let expected = format!(
            "{file}:1:1: the file's name makes the realm {name:?}; rename it: a realm must be a \
             WAMP URI outside \"wamp.\", such as \"realm1\" or \"com.example\""
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn permissions() {
    let says = |text: &str, expected: &str| {
        realm_says(&format!("[[permission]]\n{text}"), &[expected]);
    };
    says(
        "role = 'usr'\nuri = 'a'\nallow = []",
        r#"4:8: "usr" is not one of "roles"; did you mean "user"?"#,
    );
    says(
        "role = 'user'\nuri = 'com.a.'\nallow = []",
        r#"5:7: "uri" is "com.a."; that is no whole URI: did you mean match = "prefix"?"#,
    );
    says(
        "role = 'user'\nuri = 'com..a'\nallow = []",
        r#"5:7: "uri" is "com..a"; that is no whole URI: did you mean match = "wildcard"?"#,
    );
    says(
        "role = 'user'\nuri = 'com..'\nmatch = 'prefix'\nallow = []",
        r#"5:7: "uri" is "com.."; it must be the beginning of a URI, such as "com.example.""#,
    );
    says(
        "role = 'user'\nuri = 'a'\nmatch = 'prefx'\nallow = []",
        r#"6:9: "match" is "prefx"; did you mean "prefix"?"#,
    );
    says(
        "role = 'user'\nuri = 'a'\nallow = ['all']",
        r#"6:10: an item of "allow" is "all"; did you mean "call"?"#,
    );
    says(
        "role = 'user'\nuri = 'a'\nallow = []\n[[permission]]\nrole = 'user'\nuri = 'a'\nallow = []",
        "7:1: an earlier [[permission]] has the same role, uri and match; make them one",
    );
}

#[test]
fn authenticates() {
    let says = |text: &str, expected: &str| {
        realm_says(&format!("[[authenticates]]\n{text}"), &[expected]);
    };
    says(
        "realm = 'other'",
        r#"3:1: the key "procedures" is missing in [[authenticates]]; it must be a list, each item a procedure's URI outside "wamp.", such as "com.example.authenticate""#,
    );
    says(
        "realm = 'other'\nprocedures = []",
        r#"5:14: "procedures" is empty; list those that the realm may have called"#,
    );
    says(
        "realm = 'acme'\nprocedures = ['com.a']",
        r#"4:9: "acme" is this realm itself, which need not allow itself anything; remove the table"#,
    );
    says(
        "realm = 'other'\nprocedures = ['com.a']\n[[authenticates]]\nrealm = 'other'\nprocedures = ['com.b']",
        "6:1: an earlier [[authenticates]] has the same realm; make them one",
    );
}

#[test]
fn key_sets() {
    let says = |text: &str, expected: &str| realm_says(&format!("\n\n{text}"), &[expected]);
    says(
        "[key_set.id]",
        r#"5:1: there is neither "file" nor "url"; say where the keys are, such as url = "https://id.example.com/keys""#,
    );
    says(
        "[key_set.id]\nfile = 'id.jwks'\nurl = 'https://id.example.com/keys'",
        r#"6:8: there are "file" and "url"; keep one of them"#,
    );
    says(
        "[key_set.id]\nfile = '../credentials.db'",
        r#"6:8: "file" is "../credentials.db"; it must be a file name of letters, digits, '-', '_' and '.' in the directory of the realm's file, such as "id.jwks""#,
    );
    says(
        "[key_set.id]\nfile = 'id.jwks'\npause = '1m'",
        "7:9: a key set in a file has no times: it is read whenever the file has changed; remove the line",
    );
    says(
        "[key_set.id]\nurl = 'https://me@id.example.com/keys'",
        r#"6:7: "url" is "https://me@id.example.com/keys"; it must be a URL without a user's name, such as "https://id.example.com/keys""#,
    );
    says(
        "[key_set.id]\nurl = 'https://id.example.com/keys'\nkeep = '30m'",
        r#"7:8: "keep" is shorter than "refresh", so there would be no keys in between; make it longer"#,
    );
    says(
        "[key_set.'a b']\nfile = 'id.jwks'",
        r#"5:10: a key in [key_set] is "a b"; it must be a name of letters, digits, '-' and '_', such as "id""#,
    );
}
