//! The page of `examples/passkey`, in a real browser.

use countersign_tests::{Browser, Website};
use serde_json::json;

use crate::house::{House, invite};

#[tokio::test]
async fn a_browser_makes_a_passkey_and_logs_in_with_it() {
    let node = xtask::node_clients().unwrap();
    let example = xtask::root().join("examples/passkey");
    let website = Website::of(vec![
        ("index.html", example.join("index.html")),
        ("passkey.js", example.join("passkey.js")),
        (
            "autobahn.min.js",
            node.file("autobahn-browser/autobahn.min.js"),
        ),
    ])
    .await;
    let router = House::at("localhost", website.origin()).start().await;
    let code = invite(&router.deployment, "realm1", "alice").await;
    let mut browser = Browser::open(&format!("{}/index.html", website.origin())).await;
    browser.add_authenticator().await;

    for (button, authid, enrolment, expected) in [
        ("enrol", "alice", &*code, "logged in as alice, role user"),
        ("login", "alice", "", "logged in as alice, role user"),
        // The passkey says whose it is.
        ("login", "", "", "logged in as alice, role user"),
        (
            "enrol",
            "alice",
            &*code,
            "not logged in: wamp.error.authentication_denied",
        ),
    ] {
        let fields = json!({
            "url": router.url(),
            "realm": "realm1",
            "authid": authid,
            "enrolment": enrolment,
        });
        let said = browser.press(button, &fields).await;
        assert!(
            said.as_str().is_some_and(|said| said.starts_with(expected)),
            "{button} {authid}: {said}"
        );
    }
    let why = router.whys(1).await;
    assert_eq!(
        why,
        ["webauthn: the enrolment code is not one that is open for this authid"]
    );
}
