use std::process::Command;

use countersign::wamp::{Dict, Message, reason};
use countersign_tests::{Client, Router, Visitor, asking_for_a_cookie, hello, sign};

use super::house::{
    KEY, LISTENER, SITE, certify, code, enrol, fetch, house, known_again, log_in, only_cookie,
    remembered, return_to, told, welcome,
};

fn goodbye(reason: &str) -> Message {
    Message::Goodbye {
        details: Dict::new(),
        reason: reason.into(),
    }
}

/// Says GOODBYE, and waits for the answer.
async fn leave(mut client: Client, reason: &str) {
    client.send(&goodbye(reason)).await;
    let answer = client.receive().await;
    assert!(matches!(answer, Message::Goodbye { .. }), "{answer:?}");
    client.closed().await;
}

/// Waits until the router ends the session.
async fn ended(mut client: Client, why: &str) {
    match client.receive().await {
        Message::Goodbye { reason, .. } => assert_eq!(reason, why),
        other => panic!("no GOODBYE: {other:?}"),
    }
}

fn credential(router: &Router, words: &[&str]) -> String {
    let output = Command::new(xtask::router().expect("it builds"))
        .arg("credential")
        .args(words)
        .arg("--config")
        .arg(router.deployment.config())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_browser_is_known_again_until_it_logs_out() {
    let deployment = house(&format!(
        "{LISTENER}[listener.tls]\ncertificate = \"router.pem\"\nkey = \"router.key\"\n"
    ));
    let authority = certify(&deployment);
    let router = deployment.start().await;
    let mut visitor = Visitor::of(SITE);
    visitor.authority = Some(authority);

    let (client, first) = log_in(&visitor, &router, "realm1", "alice").await;
    leave(client, reason::CLOSE_NORMAL).await;
    let page = visitor.ask(&router, "POST", &first.expect("a code")).await;
    assert_eq!((page.status, &*page.body), (204, ""));
    let set = page.header("set-cookie").expect("a cookie");
    let (name, value) = only_cookie(&visitor);
    assert!(name.starts_with("__Host-"), "{name}");
    assert_eq!(
        set,
        format!("{name}={value}; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=604800")
    );
    assert_eq!(value.len(), 43, "256 bits");
    assert_eq!(page.header("access-control-allow-origin"), Some(SITE));
    assert_eq!(
        page.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));

    let (client, details) = known_again(&visitor, &router, "realm1").await;
    let said = ["authid", "authrole", "authmethod"].map(|key| details.text(key).unwrap());
    assert_eq!(said, ["alice", "user", "cookie"]);
    leave(client, reason::CLOSE_NORMAL).await;

    // A new one, for the code that this login brought.
    fetch(&mut visitor, &router, &code(&details).expect("a code")).await;
    assert_ne!(only_cookie(&visitor).1, value);
    let (client, _) = known_again(&visitor, &router, "realm1").await;

    leave(client, reason::CLOSE_LOGOUT).await;
    let client = return_to(&visitor, &router, "realm1").await;
    client.refusal().await;
    told(&router, "a logout").await;
    for event in router.log.so_far() {
        let line = event.to_string();
        assert!(
            !line.contains(&value) && !line.contains(&only_cookie(&visitor).1),
            "{line}"
        );
    }
}

/// A page announces all that it can: a browser whose cookie has ended cannot know.
#[tokio::test]
async fn a_browser_whose_cookie_has_ended_is_asked_for_its_secret() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    let asks = asking_for_a_cookie(hello("realm1", &["cookie", "wampcra"], Some("alice")));
    for _ in 0..2 {
        let mut client = visitor.greet(&router, &asks).await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, KEY)).await;
        let details = welcome(&mut client).await;
        assert_eq!(details.text("authmethod"), Some("wampcra"));
        fetch(&mut visitor, &router, &code(&details).expect("a code")).await;

        let mut client = visitor.greet(&router, &asks).await;
        assert_eq!(
            welcome(&mut client).await.text("authmethod"),
            Some("cookie")
        );
        leave(client, reason::CLOSE_LOGOUT).await;
    }
}

#[tokio::test]
async fn two_tabs_that_log_in_with_one_cookie_do_not_log_each_other_out() {
    let router = house(LISTENER).start().await;
    let mut browser = Visitor::of(SITE);
    remembered(&mut browser, &router, "realm1", "alice").await;
    let before = browser.cookies.clone();
    let (one, first) = known_again(&browser, &router, "realm1").await;
    let (two, second) = known_again(&browser, &router, "realm1").await;
    fetch(&mut browser, &router, &code(&first).unwrap()).await;
    let between = browser.cookies.clone();
    // A third, which had connected before the first had its answer.
    let mut late = Visitor::of(SITE);
    late.cookies = before;
    let (_three, _) = known_again(&late, &router, "realm1").await;
    fetch(&mut browser, &router, &code(&second).unwrap()).await;
    assert_ne!(browser.cookies, between);
    let (four, _) = known_again(&browser, &router, "realm1").await;
    // One logs out, for all of them.
    leave(four, reason::CLOSE_LOGOUT).await;
    ended(one, reason::CLOSE_LOGOUT).await;
    ended(two, reason::CLOSE_LOGOUT).await;
    for cookies in [between, browser.cookies.clone()] {
        late.cookies = cookies;
        return_to(&late, &router, "realm1").await.refusal().await;
    }
}

/// The session that the cookie was made for has not come by it, and belongs to it all the same.
#[tokio::test]
async fn a_logout_ends_all_that_began_with_one_login_and_nothing_else() {
    let router = house(LISTENER).start().await;
    let (mut here, mut there) = (Visitor::of(SITE), Visitor::of(SITE));
    let first = remembered(&mut here, &router, "realm1", "alice").await;
    let elsewhere = remembered(&mut there, &router, "realm1", "alice").await;
    let (second, details) = known_again(&here, &router, "realm1").await;
    leave(first, reason::CLOSE_LOGOUT).await;
    ended(second, reason::CLOSE_LOGOUT).await;
    // Nor does the code that was not exchanged yet bring it back.
    let page = here.ask(&router, "POST", &code(&details).unwrap()).await;
    assert_eq!(page.status, 403);
    return_to(&here, &router, "realm1").await.refusal().await;

    known_again(&there, &router, "realm1").await;
    leave(elsewhere, reason::CLOSE_NORMAL).await;
    known_again(&there, &router, "realm1").await;
}

/// Who logs in by secret in a browser that has a cookie logs that out too.
#[tokio::test]
async fn a_logout_ends_the_cookie_of_a_session_that_did_not_come_by_it() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    for (authid, is_over) in [("bob", false), ("alice", true)] {
        let mut client = visitor
            .greet(&router, &hello("realm1", &["wampcra"], Some(authid)))
            .await;
        let challenge = client.receive().await;
        client.send(&sign(&challenge, KEY)).await;
        assert_eq!(code(&welcome(&mut client).await), None, "it did not ask");
        leave(client, reason::CLOSE_LOGOUT).await;
        let client = return_to(&visitor, &router, "realm1").await;
        if is_over {
            client.refusal().await;
        } else {
            let mut client = client;
            welcome(&mut client).await;
        }
    }
}

#[tokio::test]
async fn a_credential_that_changes_ends_its_cookies() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    let (_client, pending) = log_in(&Visitor::of(SITE), &router, "realm1", "alice").await;
    enrol(&router.deployment, "realm1", "bob", "another");
    known_again(&visitor, &router, "realm1").await;

    enrol(&router.deployment, "realm1", "alice", KEY);
    return_to(&visitor, &router, "realm1").await.refusal().await;
    told(&router, "a changed credential").await;
    let page = Visitor::of(SITE)
        .ask(&router, "POST", &pending.unwrap())
        .await;
    assert_eq!(
        page.status, 403,
        "nor is one made of a login before the change"
    );

    remembered(&mut visitor, &router, "realm1", "alice").await;
    credential(&router, &["remove", "realm1", "wampcra", "alice"]);
    return_to(&visitor, &router, "realm1").await.refusal().await;
}

#[tokio::test]
async fn an_operator_sees_cookies_and_ends_them() {
    let router = house(LISTENER).start().await;
    let mut browsers = [Visitor::of(SITE), Visitor::of(SITE)];
    for browser in &mut browsers {
        remembered(browser, &router, "realm1", "alice").await;
    }
    let cookies = || {
        let list = credential(&router, &["list", "realm1", "--json"]);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        [0, 1].map(|at| list[at]["cookies"].as_u64().unwrap())
    };
    assert_eq!(cookies(), [2, 0], "Alice's and Bob's");
    let said = credential(&router, &["logout", "realm1", "alice"]);
    assert!(said.contains("2 browsers must log in anew"), "{said}");
    assert_eq!(cookies(), [0, 0]);
    for browser in &browsers {
        return_to(browser, &router, "realm1").await.refusal().await;
    }
}

#[tokio::test]
async fn cookies_outlive_a_restart() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    let router = router.kill().await.start().await;
    known_again(&visitor, &router, "realm1").await;
}
