//! Other people's clients: each logs in by each method that it supports, in each serializer that it
//! has, and does what one does in a session.

use countersign_tests::{Deployment, Job, Program};
use serde_json::{Value, json};

const SECRET: &str = "wonderland";
/// `examples/demo/alice.key`.
const KEY: &str = "616c6963652773206b65792c20666f72207468652064656d6f206f6e6c792121";

const SERIALIZERS: [&str; 3] = ["json", "msgpack", "cbor"];

const fn job<'a>(
    scenario: &'a str,
    method: &'a str,
    serializer: &'a str,
    secret: &'a str,
) -> Job<'a> {
    Job {
        scenario,
        method,
        serializer,
        authid: "alice",
        secret,
    }
}

/// Each method in each serializer, by one program.
async fn tours(program: Program, methods: &[(&str, &str)]) {
    let router = Deployment::demo().start().await;
    let jobs: Vec<Job> = methods
        .iter()
        .flat_map(|&(method, secret)| {
            SERIALIZERS.map(|serializer| job("tour", method, serializer, secret))
        })
        .collect();
    for (job, outcome) in jobs.iter().zip(program.run(&router, &jobs).await) {
        let welcome = &outcome["welcome"];
        assert_eq!(welcome["authmethod"], job.method, "{job:?}: {outcome}");
        let expected = if job.method == "anonymous" {
            "guest"
        } else {
            "user"
        };
        assert_eq!(welcome["authrole"], expected, "{job:?}: {outcome}");
        assert_eq!(outcome["result"], 5, "{job:?}: {outcome}");
        let event = json!([["hello", 2], { "size": { "deep": [true] } }]);
        assert_eq!(outcome["event"], event, "{job:?}: {outcome}");
    }
}

#[tokio::test]
async fn autobahn_python_tours_by_every_method_in_every_serializer() {
    let methods = [
        ("anonymous", ""),
        ("ticket", SECRET),
        ("wampcra", SECRET),
        ("cryptosign", KEY),
    ];
    tours(Program::AutobahnPython, &methods).await;
}

#[tokio::test]
async fn autobahn_js_tours_by_every_method_in_every_serializer() {
    let methods = [
        ("anonymous", ""),
        ("ticket", SECRET),
        ("wampcra", SECRET),
        ("cryptosign", KEY),
    ];
    tours(Program::AutobahnJs, &methods).await;
}

/// It announces methods only where there is an authid and a secret, so it cannot ask for anonymous.
#[tokio::test]
async fn wampy_tours_by_every_method_in_every_serializer() {
    let methods = [("ticket", SECRET), ("wampcra", SECRET), ("cryptosign", KEY)];
    tours(Program::WampyJs, &methods).await;
}

#[tokio::test]
async fn a_secret_that_is_no_password_needs_no_salt() {
    let deployment = Deployment::demo();
    deployment.enrol(&xtask::Identity {
        realm: "realm1",
        kind: "wampcra",
        authid: "probe-7",
        role: "user",
        secret: "b2NjYXNpb25hbGx5IHJhbmRvbQ==",
        options: &["--plain"],
    });
    let router = deployment.start().await;
    let job = Job {
        authid: "probe-7",
        ..job("tour", "wampcra", "json", "b2NjYXNpb25hbGx5IHJhbmRvbQ==")
    };
    for program in Program::ALL {
        let outcome = program.run(&router, &[job]).await.remove(0);
        assert_eq!(
            outcome["welcome"]["authid"], "probe-7",
            "{program:?}: {outcome}"
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_the_client_learns_so() {
    let router = Deployment::demo().start().await;
    let other_key = "00".repeat(32);
    let jobs = [
        job("tour", "ticket", "json", "looking-glass"),
        job("tour", "wampcra", "msgpack", "looking-glass"),
        job("tour", "cryptosign", "cbor", &other_key),
    ];
    for program in Program::ALL {
        for (job, outcome) in jobs.iter().zip(program.run(&router, &jobs).await) {
            assert_eq!(
                outcome["welcome"],
                Value::Null,
                "{program:?}, {job:?}: {outcome}"
            );
            let left = &outcome["left"];
            assert_eq!(
                left, "wamp.error.authentication_denied",
                "{program:?}, {job:?}: {outcome}"
            );
        }
    }
}

/// Every pair of programs, each with another serializer.
#[tokio::test]
async fn clients_talk_to_each_other_across_serializers() {
    let router = Deployment::demo().start().await;
    for (i, program) in Program::ALL.into_iter().enumerate() {
        for (j, visitor) in Program::ALL.into_iter().enumerate() {
            let (here, there) = (SERIALIZERS[(i + j) % 3], SERIALIZERS[(i + 2 * j + 1) % 3]);
            let mut host = program.start(&router, &[job("host", "wampcra", here, SECRET)]);
            assert_eq!(host.line().await, json!({ "ready": true }));
            let visit = [job("visit", "ticket", there, SECRET)];
            let visited = visitor.run(&router, &visit).await.remove(0);
            assert_eq!(
                visited["result"], 23,
                "{visitor:?} in {there} at {program:?} in {here}"
            );
            let event = json!([["hello", 2], { "size": { "deep": [true] } }]);
            assert_eq!(
                host.line().await["event"],
                event,
                "{visitor:?} at {program:?}"
            );
        }
    }
}
