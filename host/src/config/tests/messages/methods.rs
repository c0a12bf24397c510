use super::realm_says;

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
