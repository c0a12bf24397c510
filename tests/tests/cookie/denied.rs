use countersign_tests::{Refusal, Router, Visitor, hello};

use super::house::{
    LISTENER, REALM, SITE, house, known_again, log_in, only_cookie, remembered, return_to, told,
};

async fn refusal(visitor: &Visitor, router: &Router) -> Refusal {
    return_to(visitor, router, "realm1").await.refusal().await
}

/// A browser with these cookies.
fn with(cookies: &[(&str, &str)]) -> Visitor {
    let mut visitor = Visitor::of(SITE);
    let pairs = cookies.iter();
    visitor.cookies = pairs
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    visitor
}

#[tokio::test]
async fn every_bad_cookie_is_refused_alike_and_the_log_knows_why() {
    let router = house(LISTENER).start().await;
    let mut alice = Visitor::of(SITE);
    remembered(&mut alice, &router, "realm1", "alice").await;
    let (name, value) = only_cookie(&alice);
    let mut bob = Visitor::of(SITE);
    remembered(&mut bob, &router, "realm2", "bob").await;
    let (name_there, value_there) = only_cookie(&bob);
    let none = refusal(&Visitor::of(SITE), &router).await;
    told(&router, "no cookie of this realm").await;

    let made_up = "A".repeat(43);
    let longer = format!("{value}A");
    let long = "A".repeat(8000);
    let quoted = format!("\"{value}\"");
    let garbage = "is none that this router ever made";
    let unknown = "not of this realm";
    let two = format!("{value}; {name}={value}");
    let two_and_garbage = format!("{value}; {name}=x");
    for (cookies, why) in [
        (vec![(&*name, "")], garbage),
        (vec![(&*name, "x")], garbage),
        (vec![(&*name, &*longer)], garbage),
        (vec![(&*name, &*long)], garbage),
        (vec![(&*name, &*quoted)], garbage),
        (vec![(&*name, &*made_up)], unknown),
        // t16: what another realm made.
        (vec![(&*name, &*value_there)], unknown),
        (vec![(&*name_there, &*value)], "no cookie of this realm"),
        (vec![("cbtid", &*value)], "no cookie of this realm"),
        (vec![(&*name, &*two)], "two cookies of one name"),
        (vec![(&*name, &*two_and_garbage)], "two cookies of one name"),
    ] {
        assert_eq!(refusal(&with(&cookies), &router).await, none, "{cookies:?}");
        told(&router, why).await;
    }
    known_again(&alice, &router, "realm1").await;
}

#[tokio::test]
async fn t16_a_cookie_from_before_the_login_never_authenticates() {
    let router = house(LISTENER).start().await;
    let mut attacker = Visitor::of(SITE);
    remembered(&mut attacker, &router, "realm1", "bob").await;
    let (name, attackers) = only_cookie(&attacker);
    for planted in [attackers, "A".repeat(43)] {
        let mut victim = with(&[(&name, &planted)]);
        remembered(&mut victim, &router, "realm1", "alice").await;
        let (_, value) = only_cookie(&victim);
        assert_ne!(value, planted);
        let (_, details) = known_again(&victim, &router, "realm1").await;
        assert_eq!(details.text("authid"), Some("alice"));
        // What the attacker knows is not Alice's.
        let asks = hello("realm1", &["cookie"], Some("alice"));
        let client = with(&[(&name, &planted)]).greet(&router, &asks).await;
        client.refusal().await;
    }
}

#[tokio::test]
async fn t16_one_realms_cookie_is_nothing_in_another() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    let (name, value) = only_cookie(&visitor);
    remembered(&mut visitor, &router, "realm2", "bob").await;
    let (name_there, _) = visitor.cookies.iter().find(|(it, _)| **it != name).unwrap();
    let moved = with(&[(name_there, &value)]);
    return_to(&moved, &router, "realm2").await.refusal().await;
    told(&router, "not of this realm").await;
}

#[tokio::test]
async fn whoever_asks_to_be_somebody_else_is_denied() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    let asks = hello("realm1", &["cookie"], Some("bob"));
    visitor.greet(&router, &asks).await.refusal().await;
    router
        .log
        .find(|event| event.text("why").contains("not that of bob"))
        .await;
}

#[tokio::test]
async fn t27_no_cookie_is_looked_at_where_somebody_could_read_along() {
    let router = house(&format!(
        "{LISTENER}[listener.proxy]\nfrom = [\"127.0.0.1\"]\nheader = \"x-forwarded-for\"\n"
    ))
    .start()
    .await;
    let far = |proto: &str| format!("X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: {proto}");
    let mut visitor = Visitor::of(SITE);
    visitor.headers = far("http");
    let (_client, code) = log_in(&visitor, &router, "realm1", "alice").await;
    assert_eq!(code, None);
    let page = visitor.ask(&router, "POST", &"A".repeat(43)).await;
    assert_eq!(
        (page.status, page.header("access-control-allow-origin")),
        (403, None)
    );

    visitor.headers = far("https");
    remembered(&mut visitor, &router, "realm1", "alice").await;
    known_again(&visitor, &router, "realm1").await;
    visitor.headers = far("http");
    refusal(&visitor, &router).await;
    told(&router, "not confidential").await;
}

#[tokio::test]
async fn t27_without_a_list_of_sites_there_are_no_cookies() {
    let router = house("address = \"127.0.0.1:0\"\n").start().await;
    router.log.mention("no listener hands any out").await;
    let mut visitor = Visitor::of(SITE);
    let (_client, code) = log_in(&visitor, &router, "realm1", "alice").await;
    assert_eq!(code, None);
    assert_eq!(visitor.ask(&router, "POST", "x").await.status, 404);
    let (good, said) = router.deployment.check().await;
    assert!(good && said.contains("no listener hands any out"), "{said}");
}

/// Where a realm stops remembering, what it has remembered is of no use.
#[tokio::test]
async fn a_realm_that_remembers_nobody_any_more_looks_at_no_cookie() {
    let router = house(LISTENER).start().await;
    let mut visitor = Visitor::of(SITE);
    remembered(&mut visitor, &router, "realm1", "alice").await;
    let (_client, code) = log_in(&visitor, &router, "realm1", "alice").await;
    let without = REALM.replacen("[[login]]\nsteps = [\"cookie\"]\n", "", 1);
    router.deployment.realm("realm1", &without);
    router.log.generation("realm1", 2).await;
    refusal(&visitor, &router).await;
    let page = visitor.ask(&router, "POST", &code.unwrap()).await;
    assert_eq!(page.status, 403);
}
