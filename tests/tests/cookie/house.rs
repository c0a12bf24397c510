use countersign::wamp::{Dict, Message};
use countersign_tests::{
    Authority, Client, Component, Deployment, Router, Visitor, asking_for_a_cookie, hello, sign,
};
use xtask::Identity;

pub const SITE: &str = "https://app.example.com";
pub const OTHER_SITE: &str = "https://admin.example.com";

/// What everybody logs in with who has no cookie.
pub const KEY: &str = "a key that is no password";

pub const REALM: &str = r#"
roles = ["user", "guest"]
[[login]]
steps = ["cookie"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["anonymous"]
[method.anonymous]
settings = { role = "guest" }
"#;

/// A listener on loopback, for pages of two sites.
pub const LISTENER: &str = "address = \"127.0.0.1:0\"\n\
    origins = [\"https://app.example.com\", \"https://admin.example.com\"]\n";

/// The realms `realm1` and `realm2`, with Alice and Bob in each of them.
pub fn house(listener: &str) -> Deployment {
    let deployment = Deployment::bare();
    deployment.listener(listener);
    for method in ["cookie", "wampcra", "anonymous"] {
        deployment.component(method, &Component::method(method));
    }
    for realm in ["realm1", "realm2"] {
        deployment.realm(realm, REALM);
        for authid in ["alice", "bob"] {
            enrol(&deployment, realm, authid, KEY);
        }
    }
    deployment
}

pub fn enrol(deployment: &Deployment, realm: &str, authid: &str, secret: &str) {
    deployment.enrol(&Identity {
        realm,
        kind: "wampcra",
        authid,
        role: "user",
        secret,
        options: &["--plain"],
    });
}

/// A certificate for the router. Returns that of the authority behind it, in PEM.
pub fn certify(deployment: &Deployment) -> String {
    let authority = Authority::new();
    authority.for_server().write(deployment, "router");
    authority.pem()
}

/// Logs in by secret, and asks for a cookie. Returns the code too, if there is one.
pub async fn log_in(
    visitor: &Visitor,
    router: &Router,
    realm: &str,
    authid: &str,
) -> (Client, Option<String>) {
    let asks = asking_for_a_cookie(hello(realm, &["wampcra"], Some(authid)));
    let mut client = visitor.greet(router, &asks).await;
    let challenge = client.receive().await;
    client.send(&sign(&challenge, KEY)).await;
    let code = code(&welcome(&mut client).await);
    (client, code)
}

/// Logs in by secret, and gets a cookie.
pub async fn remembered(
    visitor: &mut Visitor,
    router: &Router,
    realm: &str,
    authid: &str,
) -> Client {
    let (client, code) = log_in(visitor, router, realm, authid).await;
    fetch(visitor, router, &code.expect("a code")).await;
    client
}

/// Exchanges a code for a cookie.
pub async fn fetch(visitor: &mut Visitor, router: &Router, code: &str) {
    let page = visitor.ask(router, "POST", code).await;
    assert_eq!(page.status, 204, "{page:?}");
}

/// Says HELLO with nothing but the cookie.
pub async fn return_to(visitor: &Visitor, router: &Router, realm: &str) -> Client {
    visitor
        .greet(router, &hello(realm, &["cookie"], None))
        .await
}

/// Logs in by cookie.
pub async fn known_again(visitor: &Visitor, router: &Router, realm: &str) -> (Client, Dict) {
    let mut client = return_to(visitor, router, realm).await;
    let details = welcome(&mut client).await;
    (client, details)
}

pub async fn welcome(client: &mut Client) -> Dict {
    match client.receive().await {
        Message::Welcome { details, .. } => details,
        other => panic!("no WELCOME: {other:?}"),
    }
}

pub fn code(details: &Dict) -> Option<String> {
    let countersign::wamp::Value::Dict(extra) = details.value("authextra")? else {
        return None;
    };
    extra.text("cookie").map(str::to_owned)
}

/// The one cookie that a browser has.
pub fn only_cookie(visitor: &Visitor) -> (String, String) {
    assert_eq!(visitor.cookies.len(), 1, "{visitor:?}");
    let (name, value) = visitor.cookies.iter().next().unwrap();
    (name.clone(), value.clone())
}

/// Waits until the log says why no cookie was accepted.
pub async fn told(router: &Router, why: &str) {
    let tells = |event: &countersign_tests::Event| {
        event.message() == "no cookie is accepted" && event.text("why").contains(why)
    };
    router.log.find(tells).await;
}
