//! Sessions end when what they rest on ends.

use countersign::wamp::{Dict, Id, Message, Payload, Value, reason};
use countersign_tests::{
    Client, Component, Deployment, Event, Job, Program, Router, answer, code, hello,
};
use xtask::Identity;

const KEY: &str = "a key that is no password";
const PASSWORD: &str = "wonderland";

/// `com.example.` is everybody's, and `admin` sees and ends sessions.
const PERMISSIONS: &str = r#"
[[permission]]
role = "user"
uri = "com.example."
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
[[permission]]
role = "guest"
uri = "com.example."
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
[[permission]]
role = "admin"
uri = "wamp.session."
match = "prefix"
allow = ["call", "subscribe"]
"#;

const ONE_FACTOR: &str = r#"
roles = ["user", "admin", "guest"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["ticket"]
[[login]]
steps = ["anonymous"]
[method.anonymous]
settings = { role = "guest" }
"#;

const TWO_FACTORS: &str = r#"
roles = ["user"]
[[login]]
steps = ["wampcra", "totp"]
"#;

/// Alice, who has a key and a password, Bob, who has a key, and Root, an `admin`. There is another
/// realm, with another Alice.
async fn house() -> Router {
    let deployment = Deployment::bare();
    for realm in ["realm1", "realm2"] {
        deployment.realm(realm, &format!("{ONE_FACTOR}{PERMISSIONS}"));
    }
    enrol(&deployment, "realm2", "alice", "user");
    for method in ["wampcra", "ticket", "anonymous"] {
        deployment.component(method, &Component::method(method));
    }
    enrol(&deployment, "realm1", "alice", "user");
    enrol(&deployment, "realm1", "bob", "user");
    enrol(&deployment, "realm1", "root", "admin");
    deployment.enrol(&Identity::ticket("alice", PASSWORD));
    deployment.start().await
}

fn enrol(deployment: &Deployment, realm: &str, authid: &str, role: &str) {
    deployment.enrol(&Identity {
        realm,
        role,
        ..Identity::wampcra(authid, KEY)
    });
}

async fn by_key(router: &Router, authid: &str) -> (Client, u64) {
    Client::log_in(router, "realm1", authid, KEY).await
}

async fn by_password(router: &Router, authid: &str) -> Client {
    let mut client = Client::greet(router, hello("realm1", &["ticket"], Some(authid))).await;
    client.receive().await;
    client.send(&answer(PASSWORD)).await;
    client.welcome().await;
    client
}

async fn credential(router: &Router, words: &str) {
    let (done, said) = router.deployment.credential(words).await;
    assert!(done, "{words}: {said}");
}

/// Waits until a session has been told that what it rested on has ended.
async fn revoked(client: &mut Client) {
    let (reason, _) = client.goodbye().await;
    assert_eq!(reason, reason::CLOSE_REVOKED);
}

/// Waits until the log says what a session was ended by.
async fn ended(router: &Router, session: u64) -> Event {
    let is_it = |event: &Event| {
        event.message() == "a session is ended" && event.number("session") == Some(session)
    };
    router.log.find(is_it).await
}

/// A member of the realm as it was: what it asks is answered. Its `number`th request.
async fn is_alive(client: &mut Client, number: u64) {
    let subscribe = Message::Subscribe {
        request: Id::new(number).unwrap(),
        options: Dict::new(),
        topic: "com.example.alive".into(),
    };
    client.send(&subscribe).await;
    let answer = client.receive().await;
    assert!(matches!(answer, Message::Subscribed { .. }), "{answer:?}");
}

/// Calls a procedure, and returns what comes of it.
async fn call(client: &mut Client, number: u64, procedure: &str, arguments: Vec<Value>) -> Message {
    let call = Message::Call {
        request: Id::new(number).unwrap(),
        options: Dict::new(),
        procedure: procedure.into(),
        payload: Payload::list(arguments),
    };
    client.send(&call).await;
    client.receive().await
}

#[tokio::test]
async fn t26_a_credential_that_is_removed_ends_the_sessions_that_rest_on_it_and_no_others() {
    let router = house().await;
    let (mut one, session) = by_key(&router, "alice").await;
    let (mut two, _) = by_key(&router, "alice").await;
    let mut other = by_password(&router, "alice").await;
    let (mut bob, _) = by_key(&router, "bob").await;
    let mut guest = Client::join(&router, "realm1").await;

    credential(&router, "remove realm1 wampcra alice").await;
    revoked(&mut one).await;
    revoked(&mut two).await;
    let line = ended(&router, session).await;
    assert_eq!(
        line.text("by"),
        "the wampcra credential of alice was removed"
    );
    assert_eq!(line.text("authid"), "alice");
    for client in [&mut other, &mut bob, &mut guest] {
        is_alive(client, 1).await;
    }
    credential(&router, "disable realm1 ticket alice").await;
    revoked(&mut other).await;
    is_alive(&mut bob, 2).await;
}

#[tokio::test]
async fn whatever_changes_a_credential_ends_its_sessions() {
    let router = house().await;
    for (words, how) in [
        ("disable realm1 wampcra bob", "disabled"),
        ("enable realm1 wampcra bob", ""),
        ("expire realm1 wampcra bob 90d", "changed"),
        ("expire realm1 wampcra bob --never", "changed"),
    ] {
        if how.is_empty() {
            credential(&router, words).await;
            continue;
        }
        let (mut bob, session) = by_key(&router, "bob").await;
        credential(&router, words).await;
        revoked(&mut bob).await;
        let line = ended(&router, session).await;
        let by = format!("the wampcra credential of bob was {how}");
        assert_eq!(line.text("by"), by, "{words}");
    }
    let (mut bob, _) = by_key(&router, "bob").await;
    router
        .deployment
        .enrol(&Identity::wampcra("bob", "another key"));
    revoked(&mut bob).await;
}

#[tokio::test]
async fn t26_nothing_gets_to_a_session_that_is_ended_or_comes_from_it() {
    let router = house().await;
    let (mut alice, _) = by_key(&router, "alice").await;
    let (mut bob, _) = by_key(&router, "bob").await;
    is_alive(&mut alice, 1).await;
    let register = Message::Register {
        request: Id::new(2).unwrap(),
        options: Dict::new(),
        procedure: "com.example.procedure".into(),
    };
    alice.send(&register).await;
    alice.receive().await;

    credential(&router, "remove realm1 wampcra alice").await;
    revoked(&mut alice).await;
    // She does not answer, so her connection is still there.
    let answer = call(&mut bob, 1, "com.example.procedure", Vec::new()).await;
    let Message::Error { error, .. } = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(error, reason::NO_SUCH_PROCEDURE);
    let publish = Message::Publish {
        request: Id::new(2).unwrap(),
        options: Dict::new().with("acknowledge", true),
        topic: "com.example.alive".into(),
        payload: Payload::NONE,
    };
    bob.send(&publish).await;
    let answer = bob.receive().await;
    assert!(matches!(answer, Message::Published { .. }), "{answer:?}");
    alice.ends_silently().await;
}

#[tokio::test]
async fn two_factors_end_with_either_of_them() {
    let deployment = Deployment::bare();
    deployment.realm("realm1", TWO_FACTORS);
    deployment.component("wampcra", &Component::method("wampcra"));
    deployment.totp();
    for authid in ["alice", "bob"] {
        enrol(&deployment, "realm1", authid, "user");
        deployment.enrol_app("realm1", authid, "user");
    }
    let router = deployment.start().await;
    for (authid, kind) in [("alice", "totp"), ("bob", "wampcra")] {
        let mut client = Client::greet(&router, hello("realm1", &["wampcra"], Some(authid))).await;
        let challenge = client.receive().await;
        client.send(&countersign_tests::sign(&challenge, KEY)).await;
        client.receive().await;
        client.send(&answer(&code(0))).await;
        let session = client.welcome().await;
        credential(&router, &format!("remove realm1 {kind} {authid}")).await;
        revoked(&mut client).await;
        let by = format!("the {kind} credential of {authid} was removed");
        assert_eq!(ended(&router, session).await.text("by"), by);
    }
}

#[tokio::test]
async fn a_role_that_the_realm_has_no_more_ends_with_its_sessions() {
    let router = house().await;
    let mut guest = Client::join(&router, "realm1").await;
    let (mut bob, _) = by_key(&router, "bob").await;
    router.deployment.realm(
        "realm1",
        "roles = [\"user\"]\n[[login]]\nsteps = [\"ticket\"]\n",
    );
    revoked(&mut guest).await;
    // There is no way in by key any more. Who is in stays, and the log tells.
    let former = router.log.mention("which no login of the realm has").await;
    assert_eq!(former.text("step"), "wampcra");
    assert_eq!(former.number("sessions"), Some(1));
    let answer = call(&mut bob, 1, "com.example.procedure", Vec::new()).await;
    assert!(matches!(answer, Message::Error { .. }), "{answer:?}");
}

#[tokio::test]
async fn a_real_client_learns_that_its_credential_has_ended() {
    let router = house().await;
    let idle = Job {
        scenario: "idle",
        method: "wampcra",
        serializer: "msgpack",
        authid: "alice",
        secret: KEY,
    };
    let mut python = Program::AutobahnPython.start(&router, &[idle]);
    python.line().await;
    credential(&router, "remove realm1 wampcra alice").await;
    assert_eq!(python.line().await["left"], reason::CLOSE_REVOKED);
}

#[tokio::test]
async fn sessions_see_and_end_others_where_their_role_may() {
    let router = house().await;
    let (mut root, own) = by_key(&router, "root").await;
    let (mut alice, session) = by_key(&router, "alice").await;
    let (mut bob, _) = by_key(&router, "bob").await;
    let refused = call(&mut bob, 1, "wamp.session.count", Vec::new()).await;
    assert!(
        matches!(&refused, Message::Error { error, .. } if error == reason::NOT_AUTHORIZED),
        "{refused:?}"
    );
    let count = call(&mut root, 1, "wamp.session.count", Vec::new()).await;
    let Message::Result { payload, .. } = count else {
        panic!("{count:?}")
    };
    assert_eq!(payload.arguments().unwrap(), [Value::from(3)]);

    let killed = call(&mut root, 2, "wamp.session.kill", vec![session.into()]).await;
    assert!(matches!(killed, Message::Result { .. }), "{killed:?}");
    let (reason, _) = alice.goodbye().await;
    assert_eq!(reason, reason::CLOSE_KILLED);
    let line = ended(&router, session).await;
    assert_eq!(
        line.text("by"),
        format!("{own} (root) by wamp.session.kill")
    );
    call(&mut root, 3, "wamp.session.kill_all", Vec::new()).await;
    let (reason, _) = bob.goodbye().await;
    assert_eq!(reason, reason::CLOSE_KILLED);
}

#[tokio::test]
async fn t19_r02_nobody_ends_a_session_of_another_realm() {
    let router = house().await;
    let (mut elsewhere, session) = Client::log_in(&router, "realm2", "alice", KEY).await;
    let (mut root, _) = by_key(&router, "root").await;
    let unknown = call(&mut root, 1, "wamp.session.kill", vec![session.into()]).await;
    assert!(
        matches!(&unknown, Message::Error { error, .. } if error == reason::NO_SUCH_SESSION),
        "{unknown:?}"
    );
    let alice = vec!["alice".into()];
    call(&mut root, 2, "wamp.session.kill_by_authid", alice).await;
    call(&mut root, 3, "wamp.session.kill_all", Vec::new()).await;
    let (mut here, _) = by_key(&router, "alice").await;
    credential(&router, "remove realm1 wampcra alice").await;
    revoked(&mut here).await;
    is_alive(&mut elsewhere, 1).await;
}

#[tokio::test]
async fn an_operator_sees_who_is_in_and_ends_sessions_by_any_of_their_traits() {
    let router = house().await;
    let session = |words: String| {
        let deployment = &router.deployment;
        async move { deployment.session(&words).await }
    };
    assert_eq!(
        session("list".into()).await,
        (true, "there are no sessions\n".into())
    );
    let (mut bob, _) = by_key(&router, "bob").await;
    let mut guest = Client::join(&router, "realm1").await;
    let alice = by_password(&router, "alice").await;
    let (_, listed) = session("list realm1 --json".into()).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let alices = &listed[2];
    assert_eq!(alices["authid"], "alice");
    assert_eq!(alices["passed"][0][0], "ticket");
    let digest = alices["passed"][0][1].as_str().unwrap().to_owned();
    let (_, listed) = session("list".into()).await;
    assert_eq!(listed.lines().count(), 4, "{listed}");
    assert!(
        listed.contains(&format!("ticket@{}", &digest[..12])),
        "{listed}"
    );

    let mut alice = Some(alice);
    for selection in [
        format!("--session {}", alices["session"]),
        "--authid alice".into(),
        "--method ticket".into(),
        format!("--revision {}", &digest[..12]),
        "--realm realm1 --role user --method ticket".into(),
    ] {
        let mut alice = match alice.take() {
            Some(alice) => alice,
            None => by_password(&router, "alice").await,
        };
        let told = "--reason com.example.close.moved --message moved";
        let ended = session(format!("kill {selection} {told}")).await;
        assert_eq!(ended, (true, "ended 1 session\n".into()), "{selection}");
        let (reason, message) = alice.goodbye().await;
        assert_eq!((&*reason, &*message), ("com.example.close.moved", "moved"));
    }
    for selection in ["--authid alice", "--realm realm1 --role admin"] {
        let (done, said) = session(format!("kill {selection}")).await;
        assert!(!done && said == "there is no such session\n", "{said}");
    }
    for wrong in [
        "",
        " --revision 123",
        " --realm realm2",
        " --session 0",
        " --authid bob --reason no/reason#",
    ] {
        let (done, said) = session(format!("kill{wrong}")).await;
        assert!(!done && !said.contains("ended"), "{wrong}: {said}");
    }
    is_alive(&mut bob, 1).await;
    is_alive(&mut guest, 1).await;
    let ended = session("kill --realm realm1".into()).await;
    assert_eq!(ended, (true, "ended 2 sessions\n".into()));
    for client in [&mut bob, &mut guest] {
        let (reason, message) = client.goodbye().await;
        assert_eq!(reason, reason::CLOSE_KILLED);
        assert_eq!(message, "the operator ends this session");
    }
    let line = router.log.message("a session is ended").await;
    assert_eq!(line.text("by"), "the operator");
}
