//! The page of `examples/remember`, in a real browser.

use countersign_tests::{Browser, Website};
use serde_json::json;

use super::house::{KEY, certify, house};

#[tokio::test]
async fn a_real_browser_is_known_again_until_it_logs_out() {
    let node = xtask::node_clients().unwrap();
    let example = xtask::root().join("examples/remember");
    let deployment = house("address = \"127.0.0.1:0\"\n");
    certify(&deployment);
    let site = Website::secure(
        vec![
            ("index.html", example.join("index.html")),
            ("remember.js", example.join("remember.js")),
            (
                "autobahn.min.js",
                node.file("autobahn-browser/autobahn.min.js"),
            ),
        ],
        deployment.path("router.pem"),
        deployment.path("router.key"),
    )
    .await;
    deployment.listener(&format!(
        "address = \"127.0.0.1:0\"\norigins = [\"{}\"]\n[listener.tls]\n\
         certificate = \"router.pem\"\nkey = \"router.key\"\n",
        site.origin()
    ));
    let router = deployment.start().await;
    let port = router.address().rsplit_once(':').unwrap().1.to_owned();
    let url = format!("wss://localhost:{port}/ws");
    let mut browser = Browser::open(&format!("{}/index.html", site.origin())).await;

    for (button, authid, secret, expected) in [
        (
            "login",
            "alice",
            KEY,
            "logged in as alice by wampcra, remembered",
        ),
        ("login", "", "", "logged in as alice by cookie, remembered"),
        // With the cookie that took the first one's place.
        ("login", "", "", "logged in as alice by cookie, remembered"),
        ("logout", "", "", "logged out"),
        (
            "login",
            "alice",
            "wrong",
            "not logged in: wamp.error.authentication_denied",
        ),
        (
            "login",
            "alice",
            KEY,
            "logged in as alice by wampcra, remembered",
        ),
        ("login", "", "", "logged in as alice by cookie, remembered"),
    ] {
        let fields = json!({ "url": url, "realm": "realm1", "authid": authid, "secret": secret });
        assert_eq!(
            browser.press(button, &fields).await,
            expected,
            "{button} {authid}"
        );
    }
    let seen = browser.run("Promise.resolve(document.cookie)").await;
    assert_eq!(seen, "", "no script sees it");
}
