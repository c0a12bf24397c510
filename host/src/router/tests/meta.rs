use super::*;

/// A realm in which an `admin` may do everything, and see and end sessions.
fn realm() -> Realm {
    let realm = Realm::new();
    let permission = |role: &str, prefix: &str| Permission {
        role: role.into(),
        pattern: Pattern::parse(prefix, MatchPolicy::Prefix).unwrap(),
        allow: Actions::ALL,
    };
    let all = [
        permission("admin", "wamp.session."),
        permission("admin", "com."),
        permission("user", ""),
    ];
    realm
        .router
        .set_permissions(Arc::new(all.into_iter().collect()));
    realm
}

fn admin(realm: &mut Realm) -> Client {
    realm.join_as("root", "admin", Serializer::Json, Features::default())
}

fn asks(client: &mut Client, procedure: &str, arguments: Vec<Value>) -> Message {
    asks_with(client, procedure, Payload::list(arguments))
}

fn asks_with(client: &mut Client, procedure: &str, payload: Payload) -> Message {
    client.request(|request| Message::Call {
        request,
        options: Dict::new(),
        procedure: procedure.into(),
        payload,
    });
    client.read()
}

fn result(message: &Message) -> Vec<Value> {
    match message {
        Message::Result { payload, .. } => payload.arguments().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn error(message: &Message) -> &str {
    match message {
        Message::Error {
            kind: Code::Call,
            error,
            ..
        } => error,
        other => panic!("{other:?}"),
    }
}

fn ids(ids: &[u64]) -> Vec<Value> {
    let ids: Vec<Value> = ids.iter().copied().map(Value::from).collect();
    vec![ids.into()]
}

/// Arguments with these keywords behind them.
fn with_keywords(first: u64, keywords: &str) -> Payload {
    let call = format!("[48,1,{{}},\"com.x\",[{first}],{keywords}]");
    match Message::decode(Serializer::Json, &call.into_bytes().into(), 16) {
        Ok(Message::Call { payload, .. }) => payload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_administrator_sees_who_is_there() {
    let mut realm = realm();
    let mut root = admin(&mut realm);
    let alice = realm.join("alice");
    let number = |number: u64| vec![Value::from(number)];
    assert_eq!(
        result(&asks(&mut root, "wamp.session.count", vec![])),
        number(2)
    );
    let users = || vec![Value::from(vec![Value::from("user")])];
    assert_eq!(
        result(&asks(&mut root, "wamp.session.count", users())),
        number(1)
    );
    let both = [root.id.as_u64(), alice.id.as_u64()];
    assert_eq!(
        result(&asks(&mut root, "wamp.session.list", vec![])),
        ids(&both)
    );
    assert_eq!(
        result(&asks(&mut root, "wamp.session.list", users())),
        ids(&[alice.id.as_u64()])
    );
    let about = Dict::new()
        .with("session", alice.id.as_u64())
        .with("authid", "alice")
        .with("authrole", "user")
        .with("authmethod", "ticket")
        .with("authprovider", "static");
    let alices = number(alice.id.as_u64());
    assert_eq!(
        result(&asks(&mut root, "wamp.session.get", alices)),
        [about.into()]
    );
    for (arguments, wanted) in [
        (number(4711), reason::NO_SUCH_SESSION),
        (number(0), reason::NO_SUCH_SESSION),
        (vec![], reason::INVALID_ARGUMENT),
        (vec!["alice".into()], reason::INVALID_ARGUMENT),
    ] {
        let answer = asks(&mut root, "wamp.session.get", arguments);
        assert_eq!(error(&answer), wanted);
    }
}

#[test]
fn who_may_call_everything_may_not_end_sessions_by_that() {
    let mut realm = realm();
    let root = admin(&mut realm);
    let mut alice = realm.join("alice");
    for procedure in ["count", "list", "get", "kill", "kill_all"] {
        let procedure = format!("wamp.session.{procedure}");
        let roots = vec![root.id.as_u64().into()];
        let answer = asks(&mut alice, &procedure, roots);
        assert_eq!(error(&answer), reason::NOT_AUTHORIZED, "{procedure}");
    }
    for (topic, policy) in [
        ("wamp.session.on_join", "exact"),
        ("wamp.session.", "prefix"),
    ] {
        let answer = alice.subscribe(topic, policy);
        assert!(matches!(answer, Message::Error { .. }), "{answer:?}");
    }
    // Nor does she hear of sessions by hearing everything.
    alice.subscribed("", "prefix");
    let bob = realm.join("bob");
    realm.router.leave(bob.id);
    assert!(alice.hears_nothing());
    assert!(
        !Permissions::default()
            .role("user")
            .allow(Action::Call, "wamp.session.kill")
    );
}

#[test]
fn who_is_killed_is_told_why_and_is_not_there_any_more() {
    let mut realm = realm();
    let mut root = admin(&mut realm);
    let mut alice = realm.join("alice");
    alice.registered("com.p", Dict::new());
    alice.subscribed("com.t", "exact");
    let words = "{\"reason\":\"com.acme.go\",\"message\":\"go away\"}";
    let alices = with_keywords(alice.id.as_u64(), words);
    let answer = asks_with(&mut root, "wamp.session.kill", alices);
    assert_eq!(result(&answer), []);
    let farewell = alice.inbox.farewell().unwrap();
    assert_eq!(
        (farewell.reason(), farewell.message()),
        ("com.acme.go", "go away")
    );
    assert_eq!(
        farewell.by(),
        format!("{} (root) by wamp.session.kill", root.id)
    );
    root.publish("com.t", Dict::new());
    assert!(alice.hears_nothing());
    let request = root.call("com.p", Dict::new());
    assert_eq!(root.refused(Code::Call, request), reason::NO_SUCH_PROCEDURE);
    let again = vec![alice.id.as_u64().into()];
    let answer = asks(&mut root, "wamp.session.kill", again);
    assert_eq!(error(&answer), reason::NO_SUCH_SESSION);
}

#[test]
fn a_caller_never_kills_itself() {
    let mut realm = realm();
    let mut root = admin(&mut realm);
    let own = vec![root.id.as_u64().into()];
    let answer = asks(&mut root, "wamp.session.kill", own);
    assert_eq!(error(&answer), reason::NO_SUCH_SESSION);
    let other = admin(&mut realm);
    let (alice, bob) = (realm.join("alice"), realm.join("bob"));
    let roots = vec!["root".into()];
    assert_eq!(
        result(&asks(&mut root, "wamp.session.kill_by_authid", roots)),
        ids(&[other.id.as_u64()])
    );
    let role = vec!["admin".into()];
    assert_eq!(
        result(&asks(&mut root, "wamp.session.kill_by_authrole", role)),
        [Value::from(0)]
    );
    assert_eq!(
        result(&asks(&mut root, "wamp.session.kill_all", vec![])),
        [Value::from(2)]
    );
    for killed in [&other, &alice, &bob] {
        let farewell = killed.inbox.farewell().unwrap();
        assert_eq!(farewell.reason(), reason::CLOSE_KILLED);
    }
    assert_eq!(root.inbox.farewell(), None);
    assert_eq!(realm.router.census().members, 1);
}

#[test]
fn a_reason_is_a_uri() {
    let mut realm = realm();
    let mut root = admin(&mut realm);
    let alice = realm.join("alice");
    for (keywords, wanted) in [
        ("{\"reason\":\"not a uri\"}", reason::INVALID_URI),
        ("{\"reason\":7}", reason::INVALID_ARGUMENT),
        ("{\"message\":[]}", reason::INVALID_ARGUMENT),
    ] {
        let payload = with_keywords(alice.id.as_u64(), keywords);
        let answer = asks_with(&mut root, "wamp.session.kill", payload);
        assert_eq!(error(&answer), wanted, "{keywords}");
    }
    assert_eq!(alice.inbox.farewell(), None);
}

#[test]
fn who_subscribes_hears_who_comes_and_goes() {
    let mut realm = realm();
    let mut root = admin(&mut realm);
    let joins = root.subscribed("wamp.session.on_join", "exact");
    let leaves = root.subscribed("wamp.session.on_leave", "exact");
    let alice = realm.join("alice");
    let event = |message: Message| match message {
        Message::Event {
            subscription,
            payload,
            ..
        } => (subscription, payload.arguments().unwrap()),
        other => panic!("{other:?}"),
    };
    let (subscription, arguments) = event(root.read());
    assert_eq!(subscription, joins);
    let about = arguments[0].as_dict().unwrap();
    assert_eq!(about.text("authid"), Some("alice"));
    realm.router.leave(alice.id);
    let (subscription, arguments) = event(root.read());
    assert_eq!(subscription, leaves);
    let said: Vec<Value> = vec![alice.id.as_u64().into(), "alice".into(), "user".into()];
    assert_eq!(arguments, said);
    realm.router.leave(alice.id);
    assert!(root.hears_nothing());
}
