//! A password and the code that an app shows: `steps = ["wampcra", "totp"]`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{
    Client, Component, Deployment, Router, answer, code, hello, sign, wrong_code,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use xtask::Identity;

/// Everybody's first factor, used as a key as it is.
const KEY: &str = "a key that is no password";

const REALM: &str = r#"
roles = ["user"]

[[login]]
steps = ["wampcra", "totp"]

[[login]]
steps = ["anonymous", "totp"]

[[login]]
steps = ["totp"]

[method.anonymous]
settings = { role = "user" }

# What wrong codes lead to is told in policy.rs.
[method.totp.guesses]
most = 100
total = 1000
"#;

/// A realm with two factors.
struct House(Deployment);

impl House {
    fn new() -> Self {
        let deployment = Deployment::bare();
        deployment.realm("realm1", REALM);
        for method in ["wampcra", "anonymous"] {
            deployment.component(method, &Component::method(method));
        }
        deployment.totp();
        Self(deployment)
    }

    fn with_users(authids: &[&str]) -> Self {
        let house = Self::new();
        for authid in authids {
            house.enrol(authid, "wampcra", KEY, &["--plain"]);
            house.0.enrol_app("realm1", authid, "user");
        }
        house
    }

    fn enrol(&self, authid: &str, kind: &str, secret: &str, options: &[&str]) {
        self.0.enrol(&Identity {
            realm: "realm1",
            kind,
            authid,
            role: "user",
            secret,
            options,
        });
    }

    async fn start(self) -> Router {
        self.0.start().await
    }
}

/// HELLO with a code in it, as clients send it that take one CHALLENGE only.
fn hello_with(code: impl Into<countersign::wamp::Value>, authid: &str) -> Message {
    let Message::Hello { realm, mut details } = hello("realm1", &["wampcra"], Some(authid)) else {
        unreachable!()
    };
    details.insert("authextra", Dict::new().with("totp", code));
    Message::Hello { realm, details }
}

/// Somebody who has shown the first factor, and what the router says to that.
async fn past_the_first_factor(router: &Router, greeting: Message) -> (Client, Message) {
    let mut client = Client::greet(router, greeting).await;
    let challenge = client.receive().await;
    client.send(&sign(&challenge, KEY)).await;
    let next = client.receive().await;
    (client, next)
}

/// Logs in by two CHALLENGEs, and returns the last word of the router.
async fn by_rounds(router: &Router, authid: &str, code: &str) -> Message {
    let greeting = hello("realm1", &["wampcra"], Some(authid));
    let (mut client, asked) = past_the_first_factor(router, greeting).await;
    let Message::Challenge { method, extra } = asked else {
        panic!("{asked:?}")
    };
    assert_eq!((&*method, extra), ("totp", Dict::new().with("digits", 6)));
    client.send(&answer(code)).await;
    client.receive().await
}

/// Logs in with the code in HELLO, and returns the last word of the router.
async fn by_hello(router: &Router, authid: &str, code: &str) -> Message {
    let greeting = hello_with(code, authid);
    past_the_first_factor(router, greeting).await.1
}

#[track_caller]
fn assert_welcome(message: &Message, authid: &str) {
    let Message::Welcome { details, .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(details.text("authid"), Some(authid));
    assert_eq!(details.text("authrole"), Some("user"));
    assert_eq!(details.text("authmethod"), Some("wampcra"));
}

#[track_caller]
fn assert_denied(message: &Message) {
    let Message::Abort { reason, .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(reason, reason::AUTHENTICATION_DENIED);
}

/// A program that uses somebody's WAMP library.
fn program(name: &str) -> Command {
    let file = xtask::root().join("tests/clients").join(name);
    if Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "py")
    {
        xtask::python_clients().unwrap().command(&file)
    } else {
        xtask::node_clients().unwrap().command(&file).unwrap()
    }
}

/// Logs in by these forms in each serializer, each time as somebody else.
async fn logs_in(name: &str, forms: &[&str], keeps_authmethod: bool) {
    let mut logins = Vec::new();
    for form in forms.iter().copied() {
        for serializer in ["json", "msgpack", "cbor"] {
            logins.push((form, serializer, format!("{form}-{serializer}")));
        }
    }
    let authids: Vec<&str> = logins.iter().map(|(_, _, authid)| &**authid).collect();
    let router = House::with_users(&authids).start().await;
    let code_now = code(0);
    // The last time each code has been used.
    for (code, expected) in [
        (wrong_code(), ""),
        (code_now.clone(), "user"),
        (code_now, ""),
    ] {
        let order: Vec<Value> = logins
            .iter()
            .map(|(form, serializer, authid)| {
                json!({ "form": form, "serializer": serializer, "authid": authid, "secret": KEY,
                        "code": code })
            })
            .collect();
        let mut command = program(name);
        command.arg(json!({ "url": router.url(), "logins": order }).to_string());
        command.stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.unwrap().unwrap();
        let lines = str::from_utf8(&output.stdout).unwrap();
        assert_eq!(lines.lines().count(), logins.len(), "{output:?}");
        for ((form, _, authid), line) in logins.iter().zip(lines.lines()) {
            let outcome: Value = serde_json::from_str(line).unwrap();
            let authrole = outcome["authrole"].as_str().unwrap_or_default();
            assert_eq!(authrole, expected, "{name}, {authid}: {outcome}");
            assert_eq!(outcome["asked"], asked(form), "{name}, {authid}");
            if expected == "user" {
                assert_eq!(outcome["authid"], **authid);
                if keeps_authmethod {
                    assert_eq!(outcome["authmethod"], "wampcra");
                }
            } else {
                assert_eq!(
                    outcome["left"],
                    reason::AUTHENTICATION_DENIED,
                    "{name}, {authid}"
                );
            }
        }
    }
    let whys = router.whys(2 * logins.len()).await;
    let (wrong, used) = whys.split_at(logins.len());
    for why in wrong {
        assert_eq!(why, "totp: the code is not one that is shown now");
    }
    for why in used {
        assert_eq!(why, "totp: the code was used before");
    }
}

const BOTH: [&str; 2] = ["rounds", "hello"];

fn asked(form: &str) -> Value {
    match form {
        "rounds" => json!(["wampcra", "totp"]),
        _ => json!(["wampcra"]),
    }
}

#[tokio::test]
async fn autobahn_python_logs_in_with_both() {
    logs_in("two_factors_autobahn_python.py", &BOTH, true).await;
}

#[tokio::test]
async fn autobahn_js_logs_in_with_both() {
    logs_in("two_factors_autobahn_js.mjs", &BOTH, true).await;
}

#[tokio::test]
async fn wampy_logs_in_with_both() {
    logs_in("two_factors_wampy_js.mjs", &BOTH, true).await;
}

/// It answers one CHALLENGE, so one round must do.
#[tokio::test]
async fn xconn_logs_in_with_both_in_one_round() {
    logs_in("two_factors_xconn_python.py", &["hello"], false).await;
}

#[tokio::test]
async fn our_own_client_logs_in_with_both() {
    let router = House::with_users(&["alice", "bob"]).start().await;
    for (authid, lines, extra) in [
        ("alice", format!("{KEY}\n{}\n", code(0)), None),
        (
            "bob",
            format!("{KEY}\n"),
            Some(format!("totp=\"{}\"", code(0))),
        ),
    ] {
        let input = router.deployment.path(&format!("{authid}.txt"));
        fs::write(&input, lines).unwrap();
        let mut command = Command::new(xtask::router().unwrap());
        command
            .args(["login", "--authid", authid, "--method", "wampcra"])
            .args(extra.iter().flat_map(|extra| ["--extra", extra]))
            .args(["--realm", "realm1", router.url()])
            .stdin(fs::File::open(input).unwrap());
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.unwrap().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains(authid),
            "{output:?}"
        );
    }
}

/// T06 and R6: the time step is what is used up, not the connection or the login.
#[tokio::test]
async fn t06_r6_a_code_is_accepted_once() {
    let router = House::with_users(&["alice", "bob"]).start().await;
    let code_now = code(0);
    assert_welcome(&by_rounds(&router, "alice", &code_now).await, "alice");
    assert_denied(&by_rounds(&router, "alice", &code_now).await);
    assert_denied(&by_hello(&router, "alice", &code_now).await);
    // The one before it is within the window, and too late as well.
    assert_denied(&by_rounds(&router, "alice", &code(-1)).await);
    assert_welcome(&by_hello(&router, "alice", &code(1)).await, "alice");
    // It is hers that is used up.
    assert_welcome(&by_hello(&router, "bob", &code_now).await, "bob");
}

/// R15: it stays used up, whatever happens to the router.
#[tokio::test]
async fn r15_a_code_is_not_accepted_after_a_kill_either() {
    let router = House::with_users(&["alice"]).start().await;
    let code = code(0);
    assert_welcome(&by_rounds(&router, "alice", &code).await, "alice");
    let router = router.kill().await.start().await;
    assert_denied(&by_rounds(&router, "alice", &code).await);
}

/// T06 and R6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t06_r6_of_64_parallel_attempts_with_one_code_one_is_accepted() {
    let router = House::with_users(&["alice"]).start().await;
    let code = code(0);
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let greeting = hello("realm1", &["wampcra"], Some("alice"));
        waiting.push(past_the_first_factor(&router, greeting).await.0);
    }
    let mut attempts = JoinSet::new();
    for mut client in waiting {
        let code = code.clone();
        attempts.spawn(async move {
            client.send(&answer(&code)).await;
            (client.receive().await, client)
        });
    }
    let mut welcomes = 0;
    for (outcome, _client) in attempts.join_all().await {
        match outcome {
            Message::Welcome { .. } => welcomes += 1,
            refused => assert_denied(&refused),
        }
    }
    assert_eq!(welcomes, 1);
    for why in router.whys(63).await {
        assert_eq!(why, "totp: the code was used before");
    }
}

/// R7: a used code with a space in it, or in other digits, is no new code. Nor is it one before.
#[tokio::test]
async fn t06_r7_a_code_has_one_spelling() {
    let router = House::with_users(&["alice"]).start().await;
    let code = code(0);
    let (front, back) = code.split_at(3);
    let wide: String = code
        .chars()
        .map(|digit| char::from_u32(0xff10 + digit.to_digit(10).unwrap()).unwrap())
        .collect();
    let spellings = [
        format!("{front} {back}"),
        format!(" {code}"),
        format!("{code}\n"),
        format!("{front}-{back}"),
        format!("0{code}"),
        back.to_owned(),
        wide,
        String::new(),
    ];
    for again in [false, true] {
        for spelling in &spellings {
            assert_denied(&by_rounds(&router, "alice", spelling).await);
            assert_denied(&by_hello(&router, "alice", spelling).await);
        }
        if !again {
            assert_welcome(&by_rounds(&router, "alice", &code).await, "alice");
        }
    }
    let number: u64 = code.parse().unwrap();
    let greeting = hello_with(number, "alice");
    assert_denied(&past_the_first_factor(&router, greeting).await.1);
}

#[tokio::test]
async fn nobody_learns_which_factor_failed_or_who_has_a_second_one() {
    let house = House::with_users(&["alice"]);
    house.enrol("bob", "wampcra", KEY, &["--plain"]);
    let router = house.start().await;
    let wrong = wrong_code();
    let greeting = hello("realm1", &["wampcra"], Some("alice"));
    let mut client = Client::greet(&router, greeting).await;
    client.receive().await;
    client.send(&answer("looking-glass")).await;
    let first_factor = client.refusal().await;
    assert_eq!(first_factor.reason, reason::AUTHENTICATION_DENIED);

    for authid in ["alice", "bob"] {
        for spelling in [&*wrong, "abcd-efgh-ijkl-mnop", "rubbish"] {
            let greeting = hello("realm1", &["wampcra"], Some(authid));
            let (mut client, _) = past_the_first_factor(&router, greeting).await;
            client.send(&answer(spelling)).await;
            assert_eq!(client.refusal().await, first_factor);
        }
    }
    // Alice's code is not Bob's, who has none.
    assert_denied(&by_rounds(&router, "bob", &code(0)).await);

    let whys = router.whys(8).await;
    assert_eq!(
        whys[1..4],
        whys[4..7],
        "the operator sees no difference either"
    );
    assert_eq!(whys[1], "totp: the code is not one that is shown now");
}

/// The authid is that of the step before, whatever the client says.
#[tokio::test]
async fn the_second_factor_is_that_of_whoever_passed_the_first() {
    let router = House::with_users(&["alice"]).start().await;
    let greeting = hello("realm1", &["anonymous"], Some("alice"));
    let mut client = Client::greet(&router, greeting).await;
    let challenge = client.receive().await;
    assert!(
        matches!(challenge, Message::Challenge { .. }),
        "{challenge:?}"
    );
    client.send(&answer(&code(0))).await;
    assert_denied(&client.receive().await);
    // Nothing of hers was used up.
    assert_welcome(&by_rounds(&router, "alice", &code(0)).await, "alice");
}

#[tokio::test]
async fn a_code_alone_is_nothing() {
    let router = House::with_users(&["alice"]).start().await;
    let greeting = hello("realm1", &["totp"], Some("alice"));
    let mut client = Client::greet(&router, greeting).await;
    assert_denied(&client.receive().await);
    let [why] = &router.whys(1).await[..] else {
        panic!()
    };
    assert!(why.contains("totp proves nothing by itself"), "{why}");
}

#[tokio::test]
async fn a_realm_may_let_a_code_be_enough() {
    let house = House::with_users(&["alice"]);
    let realm = REALM.to_owned() + "[method.totp.settings]\nalone = true\n";
    house.0.realm("realm1", &realm);
    let router = house.start().await;
    let greeting = hello("realm1", &["totp"], Some("alice"));
    let mut client = Client::greet(&router, greeting).await;
    client.receive().await;
    client.send(&answer(&code(0))).await;
    let Message::Welcome { details, .. } = client.receive().await else {
        panic!()
    };
    assert_eq!(details.text("authid"), Some("alice"));
}

#[tokio::test]
async fn a_recovery_code_is_good_once_in_either_form() {
    let house = House::with_users(&["alice", "bob"]);
    let codes = recovery_codes(&house.0);
    let router = house.start().await;
    let upper = codes[1].replace('-', "").to_uppercase();
    assert_welcome(&by_rounds(&router, "alice", &codes[0]).await, "alice");
    assert_welcome(&by_hello(&router, "alice", &upper).await, "alice");
    for used in [&codes[0], &codes[1], &upper] {
        assert_denied(&by_rounds(&router, "alice", used).await);
        assert_denied(&by_hello(&router, "alice", used).await);
    }
    assert_denied(&by_rounds(&router, "bob", &codes[2]).await);
    assert_welcome(&by_rounds(&router, "alice", &codes[2]).await, "alice");
}

/// Gives Alice another seed, and recovery codes as she reads them.
fn recovery_codes(deployment: &Deployment) -> Vec<String> {
    let output = Command::new(xtask::router().unwrap())
        .args(["credential", "add", "--config"])
        .arg(deployment.config())
        .args(["realm1", "totp", "alice", "--role", "user", "--replace"])
        .args(["--recovery", "3"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let codes: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .map(str::to_owned)
        .collect();
    assert_eq!(codes.len(), 3, "{text}");
    codes
}
