//! Where the keys come from: a file, or an address that may fail.

use super::*;

#[tokio::test]
async fn a_file_of_keys_that_changes_is_a_reload_and_a_broken_one_is_none() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let router = with_file(&key_set(&[&old])).start().await;
    let (_, word) = by_hello(&router, "realm1", &new.token(&json!({}))).await;
    assert_denied(&word);

    write_keys(&router.deployment, &json!({ "keys": "none" }));
    let line = router.log.mention("not reloaded").await;
    assert!(
        line.message()
            .contains("id.jwks: it is not a JSON Web Key Set"),
        "{line}"
    );
    let (_, word) = by_hello(&router, "realm1", &old.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");

    write_keys(&router.deployment, &key_set(&[&new]));
    router.log.generation("realm1", 2).await;
    let (_, word) = by_hello(&router, "realm1", &new.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    let (_, word) = by_hello(&router, "realm1", &old.token(&json!({}))).await;
    assert_denied(&word);
}

#[tokio::test]
async fn settings_that_name_no_key_set_are_told_when_the_realm_is_loaded() {
    let deployment = with_file(&key_set(&[&Key::new("a")]));
    let misspelt = realm("acme", "file = \"id.jwks\"").replace("keys = \"id\"", "keys = \"ld\"");
    deployment.realm("realm1", &misspelt);
    let (good, said) = deployment.check().await;
    assert!(
        !good && said.contains("the realm has no key set \"ld\""),
        "{said}"
    );

    // A key that is private, or too small, is told too.
    let mut private = Key::new("a").jwk();
    private["d"] = json!("AAAA");
    write_keys(&deployment, &json!({ "keys": [private] }));
    deployment.realm("realm1", &realm("acme", "file = \"id.jwks\""));
    let (good, said) = deployment.check().await;
    assert!(
        !good && said.contains("it is a secret or a private key"),
        "{said}"
    );
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let published = Arc::new(Mutex::new(key_set(&[&old])));
    let issuer = {
        let published = Arc::clone(&published);
        Service::start(move |_| Reply::json(&published.lock())).await
    };
    let router = with_issuer(&issuer, "pause = \"1ms\"").start().await;
    let (_, word) = by_hello(&router, "realm1", &old.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    assert_eq!(issuer.asked().await.line, "GET /keys HTTP/1.1");
    // Nobody asks again for what is known.
    let (_, word) = by_hello(&router, "realm1", &old.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    assert!(issuer.was_left_alone().await);

    *published.lock() = key_set(&[&old, &new]);
    let (_, word) = by_hello(&router, "realm1", &new.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    let (_, word) = by_hello(&router, "realm1", &old.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
}

#[tokio::test]
async fn made_up_names_of_keys_flood_no_issuer() {
    let key = Key::new("a");
    let keys = key_set(&[&key]);
    let issuer = Service::start(move |_| Reply::json(&keys)).await;
    let router = with_issuer(&issuer, "pause = \"1h\"").start().await;
    let (_, word) = by_hello(&router, "realm1", &key.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    issuer.asked().await;
    for kid in ["b", "c", "d", "e"] {
        let (_, word) = by_hello(&router, "realm1", &Key::new(kid).token(&json!({}))).await;
        assert_denied(&word);
    }
    assert!(issuer.was_left_alone().await);
    // A tenant who saves the realm's file starts no new pause.
    let file = router.deployment.path("realms/realm1.toml");
    let text = fs::read_to_string(file).unwrap();
    router.deployment.realm("realm1", &format!("{text}\n"));
    router.log.generation("realm1", 2).await;
    let (_, word) = by_hello(&router, "realm1", &key.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    assert!(issuer.was_left_alone().await);
}

#[tokio::test]
async fn an_issuer_that_fails_stops_only_those_whose_key_is_unknown() {
    let (key, other) = (Key::new("a"), Key::new("b"));
    let reply = Arc::new(Mutex::new(Reply::json(&key_set(&[&key]))));
    let issuer = {
        let reply = Arc::clone(&reply);
        Service::start(move |_| reply.lock().clone()).await
    };
    let router = with_issuer(&issuer, "pause = \"1ms\"").start().await;
    let (_, word) = by_hello(&router, "realm1", &key.token(&json!({}))).await;
    assert_welcome(&word, "alice", "user");
    for (bad, told) in [
        (
            Reply::text("200 OK", "text/html", "<html>"),
            "it is not a JSON Web Key Set",
        ),
        (
            Reply::text("500 Oops", "text/plain", ""),
            "the answer has status 500",
        ),
        (
            Reply::redirect("http://127.0.0.1:1/"),
            "redirects are not followed",
        ),
        (Reply::Silence, "took more than 500 ms"),
    ] {
        *reply.lock() = bad;
        let (_, word) = by_hello(&router, "realm1", &other.token(&json!({}))).await;
        assert_denied(&word);
        let line = router.log.mention(told).await;
        assert!(
            line.message()
                .starts_with("a key set cannot be fetched, the one before goes on"),
            "{line}"
        );
        let (_, word) = by_hello(&router, "realm1", &key.token(&json!({}))).await;
        assert_welcome(&word, "alice", "user");
    }
}

#[tokio::test]
async fn without_any_keys_the_log_says_why() {
    let issuer = Service::that_says(Reply::text("404 Not Found", "text/plain", "")).await;
    let router = with_issuer(&issuer, "pause = \"1h\"").start().await;
    let (_, word) = by_hello(&router, "realm1", &Key::new("a").token(&json!({}))).await;
    assert_denied(&word);
    let why = router.whys(1).await.remove(0);
    assert!(
        why.contains("the keys cannot be had: ") && why.contains("status 404"),
        "{why}"
    );
}

#[tokio::test]
async fn an_address_that_the_operator_does_not_allow_is_told_when_the_realm_is_loaded() {
    let issuer = Service::that_says(Reply::Silence).await;
    let deployment = with_issuer(&issuer, "");
    deployment.operator("");
    let (good, said) = deployment.check().await;
    assert!(
        !good && said.contains("the key set id of realm1 cannot be used"),
        "{said}"
    );
    assert!(issuer.was_left_alone().await);
}
