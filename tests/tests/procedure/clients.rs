//! Authenticators as people have written them for Crossbar, and stock clients.

use countersign::wamp::reason;
use countersign_tests::{Client, Event, Job, Program};
use serde_json::json;

use crate::house::{REALM, authenticator, denied, house, welcome, why, with_token};

/// `examples/demo/alice.key`.
const KEY: &str = "616c6963652773206b65792c20666f72207468652064656d6f206f6e6c792121";

const OTHER_KEY: &str = "6d616c6c6f72792773206b65792c206f66206e6f2075736520617420616c6c21";

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
        (job("cryptosign", "alice", KEY), "alice"),
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
        job("cryptosign", "alice", OTHER_KEY),
        job("cryptosign", "nobody", KEY),
    ];
    for outcome in Program::AutobahnPython.run(&router, &jobs).await {
        assert_eq!(outcome["left"], reason::AUTHENTICATION_DENIED, "{outcome}");
    }
    let refused = |event: &Event| event.message() == "login refused";
    let records = router.log.take(6, refused).await;
    let whys: Vec<_> = records.iter().map(|record| record.text("why")).collect();
    let expected = [
        "ticket: com.acme.authenticate refuses: com.acme.invalid_ticket: '…' is not the ticket of \
         alice",
        "ticket: com.acme.authenticate refuses: com.acme.no_such_user: there is no nobody",
        "wampcra: the signature does not match",
        "wampcra: com.acme.secret refuses: com.acme.no_such_user: there is no nobody",
        "cryptosign: the signature does not match",
        "cryptosign: com.acme.key refuses: com.acme.no_such_user: there is no nobody",
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
