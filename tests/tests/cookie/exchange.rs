use countersign_tests::{Event, Router, Visitor, asking_for_a_cookie, hello};

use super::house::{
    LISTENER, OTHER_SITE, SITE, code, fetch, house, known_again, log_in, only_cookie, remembered,
    welcome,
};

async fn refused(router: &Router, why: &str) {
    let tells = |event: &Event| {
        event.message() == "a code for a cookie is refused" && event.text("why").contains(why)
    };
    router.log.find(tells).await;
}

#[tokio::test]
async fn a_code_is_good_once_and_nothing_else_is_one() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    let (_client, code) = log_in(&visitor, &router, "realm1", "alice").await;
    let code = code.expect("a code");
    let almost = format!("{}A", &code[..42]);
    let flipped = code.chars().rev().collect::<String>();
    for wrong in [
        "",
        "x",
        &code[..42],
        &almost,
        &flipped,
        &format!("{code}\n"),
        &"ü".repeat(43),
    ] {
        if wrong == code {
            continue;
        }
        let page = visitor.ask(&router, "POST", wrong).await;
        assert_eq!(
            (page.status, page.header("set-cookie")),
            (403, None),
            "{wrong}"
        );
    }
    let page = visitor.ask(&router, "POST", &"A".repeat(257)).await;
    assert_eq!(page.status, 413);
    fetch(&mut visitor, &router, &code).await;
    let page = visitor.ask(&router, "POST", &code).await;
    assert_eq!((page.status, page.header("set-cookie")), (403, None));
    refused(&router, "it was used").await;
    // What was exchanged once stays good.
    known_again(&visitor, &router, "realm1").await;
}

#[tokio::test]
async fn t27_a_foreign_page_gets_no_cookie() {
    let router = house(LISTENER).start().await;
    let (_client, code) = log_in(&Visitor::of(SITE), &router, "realm1", "alice").await;
    let code = code.expect("a code");
    let mut foreigners = [
        Visitor::of("https://evil.example"),
        Visitor::of("null"),
        Visitor::of("http://app.example.com"),
        Visitor::of("https://app.example.com.evil.example"),
        Visitor::default(),
        Visitor {
            headers: format!("Origin: {SITE}"),
            ..Visitor::of("https://evil.example")
        },
    ];
    for foreigner in &mut foreigners {
        for method in ["POST", "OPTIONS"] {
            let page = foreigner.ask(&router, method, &code).await;
            assert_eq!(page.status, 403, "{foreigner:?}");
            assert_eq!(page.header("access-control-allow-origin"), None);
            assert_eq!(page.header("set-cookie"), None);
        }
    }
    // It has used nothing up.
    fetch(&mut Visitor::of(SITE), &router, &code).await;
}

#[tokio::test]
async fn t27_a_code_is_for_the_site_that_was_told_it() {
    let router = house(LISTENER).start().await;
    let (_client, code) = log_in(&Visitor::of(SITE), &router, "realm1", "alice").await;
    let code = code.expect("a code");
    let page = Visitor::of(OTHER_SITE).ask(&router, "POST", &code).await;
    assert_eq!((page.status, page.header("set-cookie")), (403, None));
    refused(&router, "a page of another site").await;
    let page = Visitor::of(SITE).ask(&router, "POST", &code).await;
    assert_eq!(page.status, 403, "it was tried");
}

#[tokio::test]
async fn only_a_post_is_an_exchange() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    for method in ["GET", "PUT", "DELETE"] {
        let page = visitor.ask(&router, method, "").await;
        assert_eq!(page.status, 405, "{method}");
    }
    let page = visitor.ask(&router, "OPTIONS", "").await;
    assert_eq!(page.status, 204);
    assert_eq!(page.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(page.header("access-control-allow-origin"), Some(SITE));
}

#[tokio::test]
async fn only_who_logs_in_by_a_credential_from_a_page_and_asks_gets_a_code() {
    let router = house(LISTENER).start().await;
    let visitor = Visitor::of(SITE);
    let asks = asking_for_a_cookie(hello("realm1", &["anonymous"], None));
    let mut client = visitor.greet(&router, &asks).await;
    assert_eq!(code(&welcome(&mut client).await), None);
    router
        .log
        .find(|event| event.text("why").contains("no credential of the store"))
        .await;

    let program = Visitor::default();
    let (_client, code) = log_in(&program, &router, "realm1", "alice").await;
    assert_eq!(code, None, "this is no browser");
    let told = |event: &Event| event.text("why").contains("not for cookies");
    router.log.find(told).await;
}

#[tokio::test]
async fn t16_a_login_replaces_what_the_browser_had() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    let alices = only_cookie(&visitor);
    remembered(&mut visitor, &router, "realm1", "bob").await;
    assert_ne!(only_cookie(&visitor), alices);
    let (_, details) = known_again(&visitor, &router, "realm1").await;
    assert_eq!(details.text("authid"), Some("bob"));
}

#[tokio::test]
async fn realms_do_not_disturb_each_other() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    remembered(&mut visitor, &router, "realm2", "bob").await;
    assert_eq!(visitor.cookies.len(), 2);
    for (realm, authid) in [("realm1", "alice"), ("realm2", "bob")] {
        let (_, details) = known_again(&visitor, &router, realm).await;
        assert_eq!(details.text("authid"), Some(authid));
    }
}
