//! What a person reads about each mistake, word for word.

use std::path::Path;

use super::{FILE, Realm, operator, realm};

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

/// Checks the message for an operator's file, whose first line is a listener.
fn operator_says(text: &str, expected: &str) {
    let listener = "listener = [{ address = '127.0.0.1:8080' }]";
    let error = operator(&format!("{listener}\n{text}"))
        .expect_err(text)
        .to_string();
    assert_eq!(
        error,
        format!("etc/countersign.toml:{expected}"),
        "for:\n{text}"
    );
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
            r#"6:1: unknown key "cpu" in [method.a.limits]; known are "time", "wall", "memory", "output", "log""#,
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
        r#"6:12: an item of "imports" is "log"; known are "credentials", "counters", "recovery-codes", "cookies", "transport", "logging", "wasi""#,
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
        let error = Realm::parse("roles = ['user']", Path::new(file))
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
fn operators() {
    operator_says(
        "[sesion]",
        r#"2:2: unknown key "sesion" at the top of the file; did you mean "session"?"#,
    );
    operator_says(
        "realms.directory = ''",
        r#"2:20: "directory" is ""; it must be a path, such as "realms" or "/var/lib/countersign/realms""#,
    );
    operator_says(
        "login.message_size = 16384",
        r#"2:22: "message_size" is the number 16384; it needs a unit: did you mean "16KiB"?"#,
    );
    operator_says(
        "login.nesting = 1000",
        r#"2:17: "nesting" is the number 1000; choose from 6 to 64"#,
    );
    operator_says(
        "login.rounds = -1",
        r#"2:16: "rounds" is the number -1; it must be a whole number, not negative and below 2^32"#,
    );
    operator_says(
        "login.total = '2h'",
        r#"2:15: "total" is "2h"; choose from "10ms" to "1h""#,
    );
    operator_says(
        "passwords.parallel = 0",
        r#"2:22: "parallel" is the number 0; choose from 1 to 1024"#,
    );
    operator_says(
        "[session]\nmessage_size = '32MiB'",
        r#"2:1: "queue" (16MiB) is less than "message_size" (32MiB), so a large message would end its receiver's session; write queue = "32MiB" or more"#,
    );
}

#[test]
fn listeners() {
    for (text, expected) in [
        (
            "",
            r#"1:1: there is no [[listener]], so nobody can connect; add one, with address = "127.0.0.1:8080""#,
        ),
        (
            "[listener]",
            r#"1:1: "listener" is a table; write it as [[listener]], with two brackets"#,
        ),
        (
            "[[listener]]\naddress = 'localhost:80'",
            r#"2:11: "address" is "localhost:80"; a name will not do: did you mean "127.0.0.1:80"?"#,
        ),
        (
            "[[listener]]\naddress = ':80'",
            r#"2:11: "address" is ":80"; it must be an IP address and a port, such as "127.0.0.1:8080", or a path, such as "unix:wamp.sock""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\npath = 'ws'",
            r#"3:8: "path" is "ws"; it must be a URL's path, such as "/ws""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[[listener]]\naddress = '0.0.0.0:80'",
            "4:11: another [[listener]] has 0.0.0.0:80 already; choose another",
        ),
        (
            "[[listener]]\naddress = 'unix:'",
            r#"2:11: "address" is "unix:"; it must be an IP address and a port, such as "127.0.0.1:8080", or a path, such as "unix:wamp.sock""#,
        ),
        (
            "[[listener]]\naddress = 'unix:x'\nmode = '999'",
            r#"3:8: "mode" is "999"; it must be permissions in octal as a text, such as "660""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\nmode = '660'",
            r#"2:11: "mode" is for a Unix socket, and the address is none; remove it"#,
        ),
        (
            "[[listener]]\naddress = 'unix:x'\n[listener.proxy]\nfrom = ['10.0.0.1']\nheader = 'forwarded'",
            "2:11: [listener.proxy] goes by addresses, and a Unix socket's clients have none; remove it",
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\nprotocols = ['websockets']",
            r#"3:14: an item of "protocols" is "websockets"; did you mean "websocket"?"#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\norigins = ['https://App.example.com/']",
            r#"3:12: an item of "origins" is "https://App.example.com/"; it must be a site as browsers name it, such as "https://app.example.com", without a path"#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[listener.tls]\ncertificate = 'c'",
            r#"3:1: the key "key" is missing in [listener.tls]; it must be a path, such as "realms" or "/var/lib/countersign/realms""#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[listener.tls]\ncertificate = 'c'\nkey = 'k'\nclient_certificate = 'required'",
            r#"6:22: "client_certificate" says nothing without "client_roots", the file of the authorities that are believed; add it"#,
        ),
        (
            "[[listener]]\naddress = '0.0.0.0:80'\n[listener.proxy]\nfrom = ['10.0.0.0/33']\nheader = 'forwarded'",
            r#"4:9: an item of "from" is "10.0.0.0/33"; it must be an address or a network, such as "10.0.0.7" or "10.0.0.0/8""#,
        ),
    ] {
        let error = operator(text).expect_err(text).to_string();
        assert_eq!(
            error,
            format!("etc/countersign.toml:{expected}"),
            "for:\n{text}"
        );
    }
}
