//! A procedure decides who is let in: Crossbar's dynamic authenticators.

use std::sync::Arc;

use countersign::wamp::{Dict, Message, Value, reason};
use countersign_tests::{
    Callee, Client, Component, Deployment, Event, Job, Program, Refusal, Router, Running, hello,
    sign,
};
use serde_json::json;
use tokio::task::JoinSet;

const AUTHENTICATE: &str = "com.acme.authenticate";

/// The tenant whose clients are authenticated.
const REALM: &str = r#"
roles = ["user", "guest"]

[[login]]
steps = ["ticket"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["token"]
[[login]]
steps = ["anonymous"]

[method.ticket]
component = "procedure.wasm"
settings = { procedure = "com.acme.authenticate" }
procedures = { realm = "admin", allow = ["com.acme.authenticate"] }

[method.wampcra]
component = "procedure.wasm"
settings = { procedure = "com.acme.secret", asks = "wampcra" }
procedures = { realm = "admin", allow = ["com.acme.secret"] }

[method.token]
component = "procedure.wasm"
settings = { procedure = "com.acme.token", asks = "nothing" }
procedures = { realm = "admin", allow = ["com.acme.token"] }

[[permission]]
role = "user"
uri = ""
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
"#;

/// The realm of the authenticators, with what it agrees to.
const ADMIN: &str = r#"
roles = ["callee"]

[[login]]
steps = ["anonymous"]

[method.anonymous]
settings = { role = "callee" }

[[permission]]
role = "callee"
uri = "com.acme."
match = "prefix"
allow = ["register"]
"#;

const CONSENT: &str = r#"
[[authenticates]]
realm = "realm1"
procedures = ["com.acme.authenticate", "com.acme.secret", "com.acme.token"]
"#;

fn house(realm: &str) -> Deployment {
    let deployment = Deployment::bare();
    deployment.realm("realm1", realm);
    deployment.realm("admin", &format!("{ADMIN}{CONSENT}"));
    deployment.component("anonymous", &Component::method("anonymous"));
    deployment.component("procedure", &Component::method("procedure"));
    deployment
}

/// With so long for an answer to a ticket.
fn within(timeout: &str) -> String {
    let limits = "[method.ticket]\nlimits = { wall = \"100s\" }";
    let allow = "allow = [\"com.acme.authenticate\"]";
    let timeout = format!("{allow}, timeout = \"{timeout}\"");
    REALM
        .replace("[method.ticket]", limits)
        .replace(allow, &timeout)
}

/// Somebody who has shown a ticket.
async fn with_ticket(router: &Router, authid: &str, ticket: &str) -> Client {
    // Whatever becomes of the ticket, another way in is not tried.
    let greeting = hello("realm1", &["ticket", "anonymous"], Some(authid));
    let mut client = Client::greet(router, greeting).await;
    let Message::Challenge { method, extra } = client.receive().await else {
        panic!("no challenge")
    };
    assert_eq!((&*method, extra), ("ticket", Dict::new()));
    let answer = Message::Authenticate {
        signature: ticket.into(),
        extra: Dict::new(),
    };
    client.send(&answer).await;
    client
}

/// HELLO for the method that asks nothing.
fn with_token(methods: &[&str], token: &str) -> Message {
    let Message::Hello { realm, mut details } = hello("realm1", methods, Some("mallory")) else {
        unreachable!()
    };
    details.insert("authextra", Dict::new().with("token", token));
    Message::Hello { realm, details }
}

async fn welcome(client: &mut Client) -> Dict {
    match client.receive().await {
        Message::Welcome { details, .. } => details,
        other => panic!("{other:?}"),
    }
}

async fn denied(client: Client) -> Refusal {
    let refusal = client.refusal().await;
    assert_eq!(refusal.reason, reason::AUTHENTICATION_DENIED);
    refusal
}

/// Why the router has refused the last of so many logins.
async fn why(router: &Router, count: usize) -> String {
    let refused = |event: &Event| event.message() == "login refused";
    let records = router.log.take(count, refused).await;
    records.last().unwrap().text("why").to_owned()
}

async fn authenticator(router: &Router) -> Running {
    let mut authenticator = Program::Authenticator.serve(router, "admin");
    assert_eq!(authenticator.line().await, json!({ "ready": true }));
    authenticator
}

const fn job(method: &'static str, authid: &'static str, secret: &'static str) -> Job<'static> {
    Job {
        scenario: "tour",
        method,
        serializer: "cbor",
        authid,
        secret,
    }
}

#[tokio::test]
async fn authenticators_written_for_crossbar_let_stock_clients_in() {
    let router = house(REALM).start().await;
    let mut authenticator = authenticator(&router).await;
    let jobs = [
        (job("ticket", "alice", "wonderland"), "alice"),
        (job("wampcra", "alice", "wonderland"), "alice"),
        (job("wampcra", "hans", "123456"), "ID09125"),
        (job("wampcra", "peter", "secret1"), "peter"),
    ];
    for program in Program::ALL {
        let outcomes = program.run(&router, &jobs.map(|(job, _)| job)).await;
        for ((job, authid), outcome) in jobs.iter().zip(outcomes) {
            let welcome = &outcome["welcome"];
            assert_eq!(welcome["authid"], *authid, "{program:?}: {outcome}");
            assert_eq!(welcome["authrole"], "user", "{program:?}: {outcome}");
            if program.keeps_authmethod() {
                assert_eq!(welcome["authmethod"], job.method, "{program:?}: {outcome}");
            }
            assert_eq!(outcome["result"], 5, "{program:?}: {outcome}");

            // Some programs log in more than once for a job.
            let told = loop {
                let told = authenticator.line().await;
                if told["details"]["session"] == welcome["session"] {
                    break told;
                }
            };
            assert_eq!(told["procedure"], job.method);
            assert_eq!(
                (&told["realm"], &told["authid"]),
                (&json!("realm1"), &json!(job.authid))
            );
            let details = &told["details"];
            assert_eq!(details["authmethod"], job.method);
            let peer = details["transport"]["peer"].as_str().unwrap();
            assert!(peer.starts_with("tcp4:127.0.0.1:"), "{peer}");
            if job.method == "ticket" {
                assert_eq!(details["ticket"], job.secret);
            }
        }
    }
}

#[tokio::test]
async fn stock_clients_with_a_wrong_secret_are_refused() {
    let router = house(REALM).start().await;
    let _authenticator = authenticator(&router).await;
    let jobs = [
        job("ticket", "alice", "looking-glass"),
        job("ticket", "nobody", "wonderland"),
        job("wampcra", "alice", "looking-glass"),
        job("wampcra", "nobody", "wonderland"),
    ];
    for outcome in Program::AutobahnPython.run(&router, &jobs).await {
        assert_eq!(outcome["left"], reason::AUTHENTICATION_DENIED, "{outcome}");
    }
    let refused = |event: &Event| event.message() == "login refused";
    let records = router.log.take(4, refused).await;
    let whys: Vec<_> = records.iter().map(|record| record.text("why")).collect();
    let expected = [
        "ticket: com.acme.authenticate refuses: com.acme.invalid_ticket: '…' is not the ticket of \
         alice",
        "ticket: com.acme.authenticate refuses: com.acme.no_such_user: there is no nobody",
        "wampcra: the signature does not match",
        "wampcra: com.acme.secret refuses: com.acme.no_such_user: there is no nobody",
    ];
    assert_eq!(whys, expected);
    // R12: the wrong ticket may be a right one with a slip of the finger.
    for event in router.log.so_far() {
        assert!(!event.to_string().contains("looking-glass"), "{event}");
    }
}

#[tokio::test]
async fn a_procedure_can_decide_at_once_and_name_the_client() {
    let router = house(REALM).start().await;
    let mut authenticator = authenticator(&router).await;
    let mut client = Client::greet(&router, with_token(&["token"], "of-bob")).await;
    let details = welcome(&mut client).await;
    assert_eq!(details.text("authid"), Some("bob"));
    assert_eq!(details.text("authprovider"), Some("dynamic"));
    let extra = details.value("authextra").unwrap().as_dict().unwrap();
    assert_eq!(extra.to_json(), r#"{"rooms":[1,2,3]}"#);
    let told = authenticator.line().await;
    assert_eq!(told["details"]["authid"], "mallory");
    assert_eq!(told["details"]["authextra"], json!({ "token": "of-bob" }));

    // Of whom the procedure says nothing, nothing that the client says is taken.
    let mut client = Client::greet(&router, with_token(&["token"], "")).await;
    let details = welcome(&mut client).await;
    assert_eq!(details.text("authrole"), Some("guest"));
    let authid = details.text("authid").unwrap();
    assert!(authid.starts_with("anonymous-"), "{authid}");
}

#[tokio::test]
async fn what_a_python_program_raises_or_forgets_to_return_lets_nobody_in() {
    let router = house(REALM).start().await;
    let _authenticator = authenticator(&router).await;
    denied(Client::greet(&router, with_token(&["token"], "broken")).await).await;
    let said = why(&router, 1).await;
    assert!(
        said.starts_with("token: com.acme.token refuses: wamp.error.runtime_error"),
        "{said}"
    );
    denied(Client::greet(&router, with_token(&["token"], "nothing")).await).await;
    let said = why(&router, 2).await;
    let expected = "token failed: it could not decide: com.acme.token returned nothing, which is \
                    neither a role nor a dictionary";
    assert!(said.starts_with(expected), "{said}");
}

#[tokio::test]
async fn as_a_second_step_it_is_told_what_the_first_has_found() {
    let realm = REALM.replace("[\"anonymous\"]", "[\"anonymous\", \"token\"]");
    let router = house(&realm).start().await;
    let mut authenticator = authenticator(&router).await;
    let mut client = Client::greet(&router, with_token(&["anonymous"], "")).await;
    let details = welcome(&mut client).await;
    let authid = details.text("authid").unwrap();
    let told = authenticator.line().await;
    assert_eq!(told["authid"], authid);
    let proven = json!([{ "authmethod": "anonymous", "authid": authid, "authrole": "guest" }]);
    assert_eq!(told["details"]["proven"], proven);
}

/// What callees return that lets nobody in, and what the log says of it.
fn useless_results() -> Vec<(Vec<Value>, &'static str)> {
    vec![
        (
            vec![],
            "returned nothing, which is neither a role nor a dictionary",
        ),
        (vec![Value::Bool(true)], "returned a truth value, which is"),
        (vec!["".into()], "returned an empty \"role\""),
        (
            vec!["user".into(), "user".into()],
            "not one value: 2 arguments, 0 by keyword",
        ),
        (
            vec![Dict::new().into()],
            "returned no \"role\", and the settings name none",
        ),
        (vec!["x".repeat(1 << 17).into()], "more than are read"),
        (
            vec!["admin".into()],
            "gave the role \"admin\", which the realm does not have",
        ),
        (
            vec![
                Dict::new()
                    .with("role", "user")
                    .with("realm", "admin")
                    .into(),
            ],
            "returned the realm \"admin\": a client joins the realm that it asked for",
        ),
        (
            vec![
                Dict::new()
                    .with("role", "user")
                    .with("authid", "a\u{1b}[2J")
                    .into(),
            ],
            "authid",
        ),
        (
            vec![
                Dict::new()
                    .with("role", "user")
                    .with("extra", "x".repeat(1 << 16))
                    .into(),
            ],
            "more than are read",
        ),
        (
            vec![Dict::new().with("role", "user").with("extra", "x").into()],
            "returned text as \"extra\", not a dictionary",
        ),
    ]
}

#[tokio::test]
async fn t01_every_denial_has_the_same_octets_and_its_own_reason() {
    let router = house(&within("50ms")).start().await;
    let mut octets = Vec::new();

    octets.push(
        denied(with_ticket(&router, "alice", "x").await)
            .await
            .octets,
    );
    let said = why(&router, 1).await;
    let absent = "ticket failed: it could not decide: \"com.acme.authenticate\" in the realm \
                  \"admin\": no callee is registered for it";
    assert!(said.starts_with(absent), "{said}");

    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let client = with_ticket(&router, "alice", "x").await;
    let (slow, _) = callee.asked().await;
    octets.push(denied(client).await.octets);
    assert_eq!(callee.interrupted().await, slow);
    let said = why(&router, 2).await;
    assert!(said.contains("no answer within 50ms"), "{said}");
    // Too late, and no violation: the callee goes on.
    callee.returns(slow, vec!["user".into()]).await;
    let client = with_ticket(&router, "alice", "x").await;
    callee.asked().await;
    denied(client).await;

    // With time enough for what is said to be heard.
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    for (count, (arguments, reason)) in (1..).zip(useless_results()) {
        let client = with_ticket(&router, "alice", "x").await;
        let (request, _) = callee.asked().await;
        callee.returns(request, arguments).await;
        octets.push(denied(client).await.octets);
        let said = why(&router, count).await;
        assert!(said.contains(reason), "{said}: {reason}");
    }

    octets.dedup();
    assert_eq!(octets.len(), 1, "{octets:?}");
}

#[tokio::test]
async fn a_callee_that_leaves_before_its_answer_has_let_nobody_in() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let client = with_ticket(&router, "alice", "x").await;
    callee.asked().await;
    drop(callee);
    denied(client).await;
    let said = why(&router, 1).await;
    assert!(
        said.contains("the callee left before it answered"),
        "{said}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_question_with_it() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let client = with_ticket(&router, "alice", "x").await;
    let (request, arguments) = callee.asked().await;
    assert_eq!(arguments[1], Value::from("alice"));
    drop(client);
    assert_eq!(callee.interrupted().await, request);
    router.log.message("the client gave up its login").await;

    // The callee is asked the next question as if there had been none before.
    let mut client = with_ticket(&router, "bob", "x").await;
    let (request, _) = callee.asked().await;
    callee.returns(request, vec!["user".into()]).await;
    assert_eq!(welcome(&mut client).await.text("authid"), Some("bob"));
}

#[tokio::test]
async fn t05_a_signature_is_good_for_its_own_challenge_only() {
    let router = house(REALM).start().await;
    let _authenticator = authenticator(&router).await;
    let greeting = || hello("realm1", &["wampcra"], Some("alice"));
    let mut client = Client::greet(&router, greeting()).await;
    let challenge = client.receive().await;
    let good = sign(&challenge, "wonderland");
    client.send(&good).await;
    welcome(&mut client).await;

    let Message::Authenticate { signature, .. } = &good else {
        unreachable!()
    };
    let no_signature =
        ["", "x", &signature.repeat(100), &format!("{signature}=")].map(|signature| {
            Message::Authenticate {
                signature: signature.to_owned(),
                extra: Dict::new(),
            }
        });
    let mut octets = Vec::new();
    for bad in [vec![good.clone()], no_signature.to_vec()].concat() {
        let mut client = Client::greet(&router, greeting()).await;
        client.receive().await;
        client.send(&bad).await;
        octets.push(denied(client).await.octets);
        assert_eq!(
            why(&router, octets.len()).await,
            "wampcra: the signature does not match"
        );
    }
    octets.dedup();
    assert_eq!(octets.len(), 1);
}

/// More logins than may be with callees at one time: the others wait without being in anybody's
/// way.
#[tokio::test]
async fn a_callee_that_does_not_answer_keeps_nobody_else_waiting() {
    const AT_ONE_TIME: usize = 16;
    let router = Arc::new(house(&within("60s")).start().await);
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut logins = JoinSet::new();
    for number in 0..AT_ONE_TIME + 8 {
        let router = Arc::clone(&router);
        logins.spawn(async move {
            let mut client = with_ticket(&router, &format!("client-{number}"), "x").await;
            welcome(&mut client).await
        });
    }
    let mut waiting = Vec::new();
    for _ in 0..AT_ONE_TIME {
        waiting.push(callee.asked().await.0);
    }
    // Others come in meanwhile, to the same realm too.
    Client::join(&router, "realm1").await;
    Client::join(&router, "admin").await;
    // As each is answered the next is asked, and nobody before.
    let mut answered = 0;
    while let Some(request) = waiting.pop() {
        callee.returns(request, vec!["user".into()]).await;
        answered += 1;
        if answered <= 8 {
            waiting.push(callee.asked().await.0);
        }
    }
    assert_eq!(logins.join_all().await.len(), AT_ONE_TIME + 8);
}

#[tokio::test]
async fn a_call_goes_on_while_the_callees_realm_is_reloaded() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut client = with_ticket(&router, "alice", "x").await;
    let (request, _) = callee.asked().await;
    let admin = format!("{ADMIN}{CONSENT}# another generation\n");
    router.deployment.realm("admin", &admin);
    router.log.generation("admin", 2).await;
    // Which realm may ask whom is part of it, so it is looked at again.
    router.log.generation("realm1", 2).await;
    callee.returns(request, vec!["user".into()]).await;
    assert_eq!(welcome(&mut client).await.text("authrole"), Some("user"));
}

#[tokio::test]
async fn t19_a_realm_that_does_not_agree_is_not_asked() {
    let deployment = house(REALM);
    deployment.realm("admin", ADMIN);
    let (good, said) = deployment.check().await;
    assert!(!good);
    let mend = "add there: [[authenticates]] realm = \"realm1\", procedures = \
                [\"com.acme.authenticate\"]";
    assert!(
        said.contains("realm1.toml: the method ticket would ask"),
        "{said}"
    );
    assert!(
        said.contains("admin.toml does not agree") && said.contains(mend),
        "{said}"
    );

    let router = deployment.start().await;
    let stays_out = router.log.mention("the realm stays out").await;
    assert!(stays_out.message().contains(mend), "{stays_out}");
    let client = Client::greet(&router, hello("realm1", &["ticket"], Some("alice"))).await;
    assert_eq!(client.refusal().await.reason, reason::NO_SUCH_REALM);

    // What the other realm's file says is noticed, and holds for the very next call.
    router
        .deployment
        .realm("admin", &format!("{ADMIN}{CONSENT}"));
    router.log.generation("realm1", 1).await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut client = with_ticket(&router, "alice", "x").await;
    let (request, _) = callee.asked().await;
    callee.returns(request, vec!["user".into()]).await;
    welcome(&mut client).await;

    let less = CONSENT.replace("\"com.acme.authenticate\", ", "");
    router.deployment.realm("admin", &format!("{ADMIN}{less}"));
    let not_reloaded = router.log.mention("not reloaded").await;
    assert!(not_reloaded.message().contains(mend), "{not_reloaded}");
    denied(with_ticket(&router, "alice", "x").await).await;
    let said = why(&router, 2).await;
    assert!(said.contains("does not let this one ask for it"), "{said}");
}

#[tokio::test]
async fn a_misspelt_realm_is_told_and_so_is_a_method_without_a_grant() {
    let deployment = house(&REALM.replace("realm = \"admin\"", "realm = \"admn\""));
    let (_, said) = deployment.check().await;
    assert!(said.contains("did you mean \"admin\"?"), "{said}");
    let ungranted = "roles = [\"user\"]\n[[login]]\nsteps = [\"procedure\"]\n";
    deployment.realm("realm1", ungranted);
    let (good, said) = deployment.check().await;
    assert!(
        !good && said.contains("countersign:auth/procedures@0.1.0"),
        "{said}"
    );
    assert!(
        said.contains("say which in its table: procedures = {"),
        "{said}"
    );
}

/// A callee that would have to be asked before it can be there.
#[tokio::test]
async fn a_callee_whose_own_login_asks_for_it_is_told_so() {
    let realm = REALM.replace("realm = \"admin\"", "realm = \"realm1\"");
    let router = house(&realm).start().await;
    denied(with_ticket(&router, "callee", "x").await).await;
    let said = why(&router, 1).await;
    let expected = "no callee is registered for it, and this is a login to the realm where it \
                    should be: the callee itself must log in by another [[login]]";
    assert!(said.contains(expected), "{said}");

    let only = realm.replace("[[login]]\nsteps = [\"anonymous\"]\n", "");
    router.deployment.realm("realm1", &only);
    let not_reloaded = router.log.mention("not reloaded").await;
    let expected = "so nobody who could answer can log in";
    assert!(not_reloaded.message().contains(expected), "{not_reloaded}");
}

/// R14, as far as it can happen here: nothing is kept of an answer, so it is nobody else's.
#[tokio::test]
async fn an_answer_is_for_the_login_that_asked() {
    let router = house(REALM).start().await;
    let mut callee = Callee::join(&router, "admin", AUTHENTICATE).await;
    let mut alice = with_ticket(&router, "alice", "of alice").await;
    let (of_alice, _) = callee.asked().await;
    let mut bob = with_ticket(&router, "bob", "of bob").await;
    let (of_bob, told) = callee.asked().await;
    let details = told[2].as_dict().unwrap();
    assert_eq!(details.text("ticket"), Some("of bob"));
    callee.returns(of_bob, vec!["guest".into()]).await;
    callee.returns(of_alice, vec!["user".into()]).await;
    assert_eq!(welcome(&mut bob).await.text("authrole"), Some("guest"));
    assert_eq!(welcome(&mut alice).await.text("authrole"), Some("user"));
}
