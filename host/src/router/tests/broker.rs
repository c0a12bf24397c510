use super::*;

/// Reads an EVENT.
fn event(client: &Client) -> (Id, Dict) {
    match client.read() {
        Message::Event {
            subscription,
            details,
            payload: arguments,
            ..
        } => {
            assert_eq!(arguments.arguments(), payload().arguments());
            (subscription, details)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_reaches_subscribers_and_not_its_publisher() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let subscription = alice.subscribed("com.a", "exact");
    assert_eq!(bob.subscribed("com.a", "exact"), subscription);
    bob.publish("com.a", none());
    assert_eq!(event(&alice), (subscription, none()));
    assert!(bob.hears_nothing());
    bob.publish("com.a", none().with("exclude_me", false));
    assert_eq!(event(&bob).0, subscription);
}

#[test]
fn subscribing_twice_gives_the_same_id_and_one_event() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let subscription = alice.subscribed("com.a", "exact");
    assert_eq!(alice.subscribed("com.a", "exact"), subscription);
    bob.publish("com.a", none());
    event(&alice);
    assert!(alice.hears_nothing());
    let unsubscribe = |request| Message::Unsubscribe {
        request,
        subscription,
    };
    let request = alice.request(unsubscribe);
    assert_eq!(alice.read(), Message::Unsubscribed { request });
    let request = alice.request(unsubscribe);
    let error = alice.refused(Code::Unsubscribe, request);
    assert_eq!(error, reason::NO_SUCH_SUBSCRIPTION);
    bob.publish("com.a", none());
    assert!(alice.hears_nothing());
}

#[test]
fn nobody_ends_the_subscription_of_another() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let subscription = alice.subscribed("com.a", "exact");
    let request = bob.request(|request| Message::Unsubscribe {
        request,
        subscription,
    });
    let error = bob.refused(Code::Unsubscribe, request);
    assert_eq!(error, reason::NO_SUCH_SUBSCRIPTION);
}

#[test]
fn patterns_name_the_topic_and_each_gives_an_event() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let exact = alice.subscribed("com.a.x", "exact");
    let prefix = alice.subscribed("com.a", "prefix");
    let wildcard = alice.subscribed("com..x", "wildcard");
    bob.publish("com.a.x", none());
    let topic = none().with("topic", "com.a.x");
    assert_eq!(event(&alice), (exact, none()));
    assert_eq!(event(&alice), (prefix, topic.clone()));
    assert_eq!(event(&alice), (wildcard, topic));
}

#[test]
fn a_publisher_is_named_only_if_it_wants_to_be() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    alice.subscribed("com.a", "exact");
    bob.publish("com.a", none().with("disclose_me", true));
    let expected = none()
        .with("publisher", bob.id.as_u64())
        .with("publisher_authid", "bob")
        .with("publisher_authrole", "user");
    assert_eq!(event(&alice).1, expected);
}

#[test]
fn lists_narrow_who_gets_an_event() {
    let mut realm = Realm::new();
    let (mut alice, mut bob) = (realm.join("alice"), realm.join("bob"));
    let mut carol = realm.join("carol");
    alice.subscribed("com.a", "exact");
    bob.subscribed("com.a", "exact");
    let (to_alice, to_bob) = (alice.id.as_u64(), bob.id.as_u64());
    let list = |value: Value| Value::from(vec![value]);
    let nobody = Value::from(Vec::new());
    for (options, alice_hears, bob_hears) in [
        (none().with("exclude", list(to_alice.into())), false, true),
        (
            none().with("exclude_authid", list("alice".into())),
            false,
            true,
        ),
        (
            none().with("exclude_authrole", list("user".into())),
            false,
            false,
        ),
        (none().with("eligible", list(to_alice.into())), true, false),
        (none().with("eligible", nobody), false, false),
        (
            none().with("eligible_authid", list("bob".into())),
            false,
            true,
        ),
        (
            none().with("eligible_authrole", list("admin".into())),
            false,
            false,
        ),
        (
            none()
                .with("eligible", vec![to_bob.into(), to_alice.into()])
                .with("eligible_authid", list("alice".into())),
            true,
            false,
        ),
    ] {
        carol.publish("com.a", options.clone());
        assert_eq!(alice.heard().is_some(), alice_hears, "{options:?}");
        assert_eq!(bob.heard().is_some(), bob_hears, "{options:?}");
    }
}

#[test]
fn only_an_acknowledged_publication_is_answered() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    let acknowledge = none().with("acknowledge", true);
    alice.publish("com.a", none());
    alice.publish("org.a", none());
    alice.publish("com a", none());
    alice.publish("com.a", none().with("exclude", "everyone"));
    assert!(alice.hears_nothing());
    let request = alice.publish("com.a", acknowledge.clone());
    assert!(matches!(alice.read(), Message::Published { request: of, .. } if of == request));
    for (topic, options, error) in [
        ("org.a", acknowledge.clone(), reason::NOT_AUTHORIZED),
        ("com a", acknowledge.clone(), reason::INVALID_URI),
        (
            "wamp.session.on_join",
            acknowledge.clone(),
            reason::INVALID_URI,
        ),
        (
            "com.a",
            acknowledge.with("exclude", "everyone"),
            reason::INVALID_ARGUMENT,
        ),
    ] {
        let request = alice.publish(topic, options);
        assert_eq!(alice.refused(Code::Publish, request), error, "{topic}");
    }
}

#[test]
fn a_pattern_is_authorized_as_a_whole() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    for (topic, policy) in [("co", "prefix"), ("com", "prefix"), (".a", "wildcard")] {
        let answer = alice.subscribe(topic, policy);
        assert_eq!(error_of(&answer), reason::NOT_AUTHORIZED, "{topic}");
    }
    alice.subscribed("com.", "prefix");
    let mut guest = realm.join_as("g", "guest", Serializer::Json, Features::default());
    let answer = guest.subscribe("com.a", "exact");
    assert_eq!(error_of(&answer), reason::NOT_AUTHORIZED);
}

#[test]
fn options_and_uris_that_make_no_sense_are_refused() {
    let mut realm = Realm::new();
    let mut alice = realm.join("alice");
    for (topic, policy, error) in [
        ("com.a", "regex", reason::INVALID_ARGUMENT),
        ("com..a", "exact", reason::INVALID_URI),
        ("", "exact", reason::INVALID_URI),
        (&"com.".repeat(300), "prefix", reason::INVALID_URI),
    ] {
        assert_eq!(error_of(&alice.subscribe(topic, policy)), error, "{topic}");
    }
}

#[test]
fn subscriptions_are_bounded() {
    let limits = Limits {
        subscriptions: 2,
        ..Limits::default()
    };
    let mut realm = Realm::with_limits(limits);
    let mut alice = realm.join("alice");
    alice.subscribed("com.a", "exact");
    alice.subscribed("com.b", "exact");
    let answer = alice.subscribe("com.c", "exact");
    assert_eq!(error_of(&answer), reason::UNAVAILABLE);
    alice.subscribed("com.a", "exact");
    assert_eq!(realm.router.census().subscriptions, 2);
}

#[test]
fn one_frame_is_shared_by_all_who_speak_the_same_serialization() {
    let mut realm = Realm::new();
    let mut publisher = realm.join("publisher");
    let mut speaking = |serializer| {
        let mut client = realm.join_as("s", "user", serializer, Features::default());
        client.subscribed("com.a", "exact");
        client
    };
    let json = [speaking(Serializer::Json), speaking(Serializer::Json)];
    let cbor = speaking(Serializer::Cbor);
    publisher.publish("com.a", none().with("ppt_scheme", "x").with("x_own", 1));
    let frame = |client: &Client| client.inbox.0.lock().front().unwrap().as_ptr();
    assert_eq!(frame(&json[0]), frame(&json[1]));
    let passed = none().with("ppt_scheme", "x");
    assert_eq!(event(&json[0]).1, passed);
    assert_eq!(event(&cbor).1, passed);
}

#[test]
fn an_event_that_cannot_be_transcoded_is_lost_on_that_receiver_only() {
    let mut realm = Realm::new();
    let mut publisher = realm.join_as("p", "user", Serializer::Cbor, Features::default());
    let mut cbor = realm.join_as("c", "user", Serializer::Cbor, Features::default());
    let mut json = realm.join("j");
    cbor.subscribed("com.a", "exact");
    json.subscribed("com.a", "exact");
    publisher.request(|request| Message::Publish {
        request,
        options: none(),
        topic: "com.a".into(),
        payload: unreadable(),
    });
    assert!(matches!(cbor.heard(), Some(Message::Event { .. })));
    assert!(json.hears_nothing());
}
