//! Other people's clients: each logs in by each method that it supports, in each serializer that it
//! has, and does what one does in a session.

use countersign_tests::{Deployment, Event, Job, Program, Router};
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
    let url = router.url().to_owned();
    tours_at(&router, &url, program, methods).await;
}

/// The same at one of the router's URLs.
async fn tours_at(router: &Router, url: &str, program: Program, methods: &[(&str, &str)]) {
    let jobs: Vec<Job> = methods
        .iter()
        .flat_map(|&(method, secret)| {
            SERIALIZERS.map(|serializer| job("tour", method, serializer, secret))
        })
        .collect();
    for (job, outcome) in jobs.iter().zip(program.run_at(url, &jobs).await) {
        let welcome = &outcome["welcome"];
        if program.keeps_authmethod() {
            assert_eq!(welcome["authmethod"], job.method, "{job:?}: {outcome}");
        }
        let session = welcome["session"].as_u64();
        assert!(session.is_some(), "{job:?}: {outcome}");
        let this =
            |event: &Event| event.message() == "logged in" && event.number("session") == session;
        let logged_in = router.log.find(this).await;
        assert_eq!(logged_in.text("authmethod"), job.method, "{logged_in}");
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

/// What xconn can do.
const XCONN: [(&str, &str); 4] = [
    ("anonymous", ""),
    ("ticket", SECRET),
    ("wampcra", SECRET),
    ("cryptosign", KEY),
];

#[tokio::test]
async fn xconn_tours_by_every_method_in_every_serializer_over_both_transports() {
    let router = Deployment::demo().start().await;
    for url in [router.url().to_owned(), router.rawsocket_url()] {
        tours_at(&router, &url, Program::Xconn, &XCONN).await;
    }
}

/// For a WebSocket it asks for the path `/`.
#[tokio::test]
async fn xconn_tours_over_a_unix_socket_by_both_transports() {
    let deployment = Deployment::demo();
    deployment.listener("address = \"unix:wamp.sock\"\n");
    let router = deployment.start().await;
    let socket = router.deployment.path("wamp.sock");
    for scheme in ["unix", "unix+ws"] {
        let url = format!("{scheme}://{}", socket.display());
        tours_at(&router, &url, Program::Xconn, &XCONN).await;
    }
}

#[tokio::test]
async fn a_secret_that_is_no_password_needs_no_salt() {
    let deployment = Deployment::demo();
    deployment.enrol(&xtask::Identity::wampcra(
        "probe-7",
        "b2NjYXNpb25hbGx5IHJhbmRvbQ==",
    ));
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
