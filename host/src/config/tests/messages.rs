//! What a person reads about each mistake, word for word.

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
fn cookies() {
    realm_says(
        "[cookie]\nlifetime = '2d'\nlongest = '1d'",
        &[
            r#"3:1: "longest" is less than "lifetime", which could never be reached; write longest = "2d" or more"#,
        ],
    );
    realm_says(
        "[cookie]\nlifetime = '401d'",
        &[r#"4:12: "lifetime" is "401d"; choose from "1m" to "400d""#],
    );
    realm_says(
        "[cookie]\nlifetme = '1d'",
        &[r#"4:1: unknown key "lifetme" in [cookie]; did you mean "lifetime"?"#],
    );
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
fn roles_and_logins() {
    realm_says(
        "roles = []",
        &[r#"1:9: "roles" is empty; list the roles that a session can have, such as "user""#],
    );
    realm_says(
        "roles = ['ä', 'ä']",
        &[r#"1:15: "ä" is in "roles" twice; remove one"#],
    );
    realm_says(
        "[[login]]\nsteps = []",
        &[r#"4:9: "steps" is empty, which would let everyone in; name at least one method"#],
    );
    realm_says(
        "[[login]]\nsteps = ['a', 'a']",
        &[r#"4:15: "a" is in "steps" twice; remove one"#],
    );
    realm_says(
        "[[login]]\nsteps = ['a']\n[[login]]\nsteps = ['a']",
        &["5:1: an earlier [[login]] has the same steps; remove one"],
    );
}

#[test]
fn steps() {
    let says = |steps: &str, expected: &str| {
        realm_says(&format!("[[login]]\nsteps = [{steps}]"), &[expected]);
    };
    says(
        "'a', { method = 'b', wen = 'enrolled' }",
        r#"4:31: unknown key "wen" in [[login.steps]]; did you mean "when"?"#,
    );
    says(
        "'a', { method = 'b', when = 'enroled' }",
        r#"4:38: "when" is "enroled"; did you mean "enrolled"?"#,
    );
    says(
        "'a', { method = 'b', when = true }",
        r#"4:38: "when" is true; known are "always", "enrolled""#,
    );
    says(
        "'a', { when = 'enrolled' }",
        r#"4:15: the key "method" is missing in [[login.steps]]; it must be a method's name of letters, digits, '-', '_' and '.', such as "wampcra""#,
    );
    says(
        "{ method = 'a', when = 'enrolled' }, 'b'",
        r#"4:33: "a" is the first step, which names the user, so it cannot be skipped; remove "when""#,
    );
    says(
        "{ method = 'a', may_change = ['role'] }, 'b'",
        r#"4:40: "a" is the first step, so there is nothing yet to change; remove "may_change""#,
    );
    says(
        "'a', { method = 'b', may_change = ['authid'] }",
        r#"4:45: an item of "may_change" is "authid"; known are "role""#,
    );
    says(
        "'a', { method = 'a', when = 'enrolled' }",
        r#"4:26: "a" is in "steps" twice; remove one"#,
    );
}

#[test]
fn assurance() {
    let says = |role: &str, expected: &str| {
        let logins = "[[login]]\nsteps = ['wampcra', 'totp']\n[[login]]\nsteps = ['cryptosign']";
        realm_says(&format!("roles = ['user', {role}]\n{logins}"), &[expected]);
    };
    says(
        "{ role = 'admin', requires = ['topt'] }",
        r#"1:48: no [[login]] has the step "topt"; did you mean "totp"?"#,
    );
    says(
        "{ role = 'admin', requires = ['totp', 'cryptosign'] }",
        r#"1:27: no [[login]] has all steps that "admin" requires, so nobody could have it; put them into one, or require fewer"#,
    );
    says(
        "{ role = 'admin', require = ['totp'] }",
        r#"1:36: unknown key "require" in [[roles]]; did you mean "requires"?"#,
    );
    says(
        "{ role = 'user', requires = ['totp'] }",
        r#"1:27: "user" is in "roles" twice; remove one"#,
    );
    realm_says(
        "roles = [{ role = 'admin', requires = ['totp'] }]",
        &[r#"1:40: no [[login]] has the step "totp"; add one"#],
    );
}

#[test]
fn guesses() {
    let says = |text: &str, expected: &str| {
        realm_says(
            &format!("[[login]]\nsteps = ['a']\n[method.a]\nguesses = {{ {text} }}"),
            &[expected],
        );
    };
    says(
        "most = 0",
        r#"6:20: "most" is the number 0; choose from 1 to 100"#,
    );
    says(
        "max = 1",
        r#"6:13: unknown key "max" in [method.a.guesses]; known are "most", "lock", "longest", "total", "first_step""#,
    );
    says(
        "lock = 30",
        r#"6:20: "lock" is the number 30; it needs a unit: did you mean "30s" or "30ms"?"#,
    );
    says(
        "first_step = 'count'",
        r#"6:26: "first_step" is "count"; did you mean "counted"?"#,
    );
}

#[test]
fn methods() {
    let says = |text: &str, expected: &str| {
        realm_says(
            &format!("[[login]]\nsteps = ['wampcra']\n{text}"),
            &[expected],
        );
    };
    says(
        "[method.wampcar]",
        r#"5:9: no [[login]] has the step "wampcar"; did you mean [method.wampcra]?"#,
    );
    says(
        "[method.totp]",
        r#"5:9: no [[login]] has the step "totp"; remove the table, or add the step"#,
    );
    says(
        "[method.'../x']",
        r#"5:9: a key in [method] is "../x"; it must be a method's name of letters, digits, '-', '_' and '.', such as "wampcra""#,
    );
    says(
        "[method.wampcra]\ncomponent = '../x.wasm'",
        r#"6:13: "component" is "../x.wasm"; it must be a file name in the methods directory that ends in .wasm, such as "wampcra.wasm""#,
    );
    says(
        "[method.wampcra]\nsettings.role = 'usr'",
        r#"6:17: "usr" is not one of "roles"; did you mean "user"?"#,
    );
    says(
        "[method.wampcra]\nsettings.since = 2020-01-01",
        "6:18: a method gets its settings as JSON, which has no dates; write a string",
    );
    says(
        "[method.wampcra]\nsettings.most = [inf]",
        "6:18: a method gets its settings as JSON, which has no infinity and no NaN; write a string",
    );
    says(
        "[method.wampcra]\nimports = ['log']",
        r#"6:12: an item of "imports" is "log"; known are "credentials", "counters", "recovery-codes", "scram-keys", "enrolments", "cookies", "transport", "logging", "wasi", "procedures", "http", "key-sets""#,
    );
}

#[test]
fn procedures() {
    let says = |text: &str, expected: &str| {
        realm_says(
            &format!("[[login]]\nsteps = ['ticket']\n[method.ticket]\n{text}"),
            &[expected],
        );
    };
    says(
        "procedures = { realm = 'admin', allow = ['com.a'], timout = '2s' }",
        r#"6:52: unknown key "timout" in [method.ticket.procedures]; did you mean "timeout"?"#,
    );
    says(
        "procedures = 'com.a'",
        r#"6:14: there is "com.a" where a table must be; write [method.ticket.procedures]"#,
    );
    says(
        "procedures = { realm = 'admin' }",
        r#"6:14: the key "allow" is missing in [method.ticket.procedures]; it must be a list, each item a procedure's URI outside "wamp.", such as "com.example.authenticate""#,
    );
    says(
        "procedures = { realm = 'admin', allow = [] }",
        r#"6:41: "allow" is empty; list the procedures that may be called"#,
    );
    says(
        "procedures = { realm = 'a/b', allow = ['com.a'] }",
        r#"6:24: "realm" is "a/b", of which there can be no file; name another"#,
    );
    says(
        "procedures = { realm = 'admin', allow = ['wamp.session.kill'] }",
        r#"6:42: an item of "allow" is "wamp.session.kill"; it must be a procedure's URI outside "wamp.", such as "com.example.authenticate""#,
    );
    says(
        "procedures = { realm = 'admin', allow = ['com.a'], timeout = '10s' }",
        r#"6:14: "timeout" ("10s") is not less than the limit "wall" ("10s") of the whole call; raise "wall" under "limits""#,
    );
    says(
        "settings.procedure = 'com.acme.auth'\nprocedures = { realm = 'admin', allow = ['com.acme.auht'] }",
        r#"6:22: the setting "procedure" is "com.acme.auth", which "allow" does not have; did you mean "com.acme.auht"?"#,
    );
    says(
        "imports = ['procedures']",
        r#"6:12: "procedures" are imported, and none is named; say which in its table: procedures = { realm = "…", allow = ["…"] }"#,
    );
    says(
        "imports = ['logging']\nprocedures = { realm = 'admin', allow = ['com.a'] }",
        r#"5:1: the method has the table "procedures", and "imports" leaves them out; add "procedures" to "imports", or remove one of the two"#,
    );
    says(
        "procedures = { realm = 'acme', allow = ['com.a'] }",
        "1:1: every [[login]] asks a procedure in this realm itself, so nobody who could answer can log in; add a [[login]] for the callee, or put the callee into another realm",
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

#[test]
fn origins() {
    let says = |text: &str, expected: &str| {
        let text = format!("[[login]]\nsteps = ['a']\n[method.a]\n{text}");
        realm_says(&text, &[expected]);
    };
    says(
        "imports = ['http']",
        r#"5:1: "imports" has "http", but there are no "origins"; list where the method's requests may go, such as origins = ["https://auth.example.com"]"#,
    );
    says(
        "origins = ['https://a.example']",
        r#"5:1: there are "origins", but "imports" does not have "http"; add it, such as imports = ["http", "logging", "transport", "wasi"]"#,
    );
    says(
        "imports = ['http']\norigins = ['https://a.example/x']",
        r#"7:12: an item of "origins" is "https://a.example/x"; an origin has no path: did you mean "https://a.example"?"#,
    );
    says(
        "imports = ['http']\norigins = ['https://*.example']",
        r#"7:12: an item of "origins" is "https://*.example"; it must be an origin, such as "https://auth.example.com" or "http://127.0.0.1:9000", without a path and without wildcards"#,
    );
    says(
        "imports = ['http']\norigins = ['https://a.example']\nsigning_key = '../other/key'",
        r#"8:15: "signing_key" is "../other/key"; it must be a file name of letters, digits, '-', '_' and '.' in the directory of the realm's secrets, such as "auth.key""#,
    );
    says(
        "imports = ['http']\norigins = ['https://a.example']\nsigning_key = 'a'\nbearer_token = 'b'",
        r#"5:1: there are "signing_key" and "bearer_token"; keep one, best "signing_key""#,
    );
    says(
        "signing_key = 'a'",
        r#"5:1: there is a secret for requests, but there are no "origins"; list them"#,
    );
}

#[test]
fn quantities() {
    let says = |text: &str, expected: &str| {
        realm_says(
            &format!("[[login]]\nsteps = ['a']\n[method.a.limits]\n{text}"),
            &[expected],
        );
    };
    says(
        "time = 20",
        r#"6:8: "time" is the number 20; it needs a unit: did you mean "20s" or "20ms"?"#,
    );
    says(
        "time = '20 msec'",
        r#"6:8: "time" is "20 msec"; it needs a unit: did you mean "20ms"?"#,
    );
    says(
        "time = '0ms'",
        r#"6:8: "time" is "0ms"; choose from "1ms" to "10s""#,
    );
    says(
        "time = '1h'",
        r#"6:8: "time" is "1h"; choose from "1ms" to "10s""#,
    );
    says(
        "memory = 16777216",
        r#"6:10: "memory" is the number 16777216; it needs a unit: did you mean "16MiB"?"#,
    );
    says(
        "memory = '16MB'",
        r#"6:10: "memory" is "16MB"; it needs a unit: did you mean "16MiB"?"#,
    );
    says(
        "memory = '0B'",
        r#"6:10: "memory" is "0B"; choose from "64KiB" to "512MiB""#,
    );
    says(
        "log = 'few'",
        r#"6:7: "log" is "few"; it must be a size, such as "512B", "16KiB" or "1GiB""#,
    );
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
