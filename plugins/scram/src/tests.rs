//! What is sent and what is put together. What needs the host's keys is in the tests of the whole
//! router.

use serde_json::{Value, json};

use super::{binding::Demand, *};

const NONCE: &str = "egVDf3DMJh0=";

fn attempt(authmethod: &str, authextra: &Value) -> Attempt {
    Attempt {
        authmethod: authmethod.into(),
        authid: Some("user".into()),
        authextra: authextra.to_string(),
        ..Attempt::default()
    }
}

fn refusal(authmethod: &str, authextra: &Value) -> String {
    let dialect = Dialect::of(authmethod).unwrap();
    Client::read(dialect, Demand::Optional, &attempt(authmethod, authextra)).unwrap_err()
}

fn client(dialect: Dialect, name: &str, binding: Binding) -> (Dialect, Client) {
    let nonce = ClientNonce::parse(NONCE.into()).unwrap();
    let client = Client {
        name: name.into(),
        nonce,
        binding,
    };
    (dialect, client)
}

fn pbkdf2() -> Parameters {
    Parameters::parse(r#"{"kdf":"pbkdf2","iterations":4096,"salt":"aBc+fx0NAVA="}"#).unwrap()
}

fn argon2() -> Parameters {
    let text = r#"{"kdf":"argon2id13","iterations":3,"memory":65536,"salt":"aBc+fx0NAVA="}"#;
    Parameters::parse(text).unwrap()
}

fn message((dialect, client): &(Dialect, Client), nonce: &str) -> String {
    Exchange::new(*dialect, client, nonce.into(), &pbkdf2()).message
}

/// The inputs of the specification's example, as they stand in `credential::scram`'s tests too, with
/// the proof that belongs to them.
#[test]
fn the_specifications_auth_message() {
    let client = client(Dialect::Wamp, "user", Binding::None);
    assert_eq!(
        message(&client, "egVDf3DMJh0=SBmkFIh7sSo="),
        "n=user,r=egVDf3DMJh0=,r=egVDf3DMJh0=SBmkFIh7sSo=,s=aBc+fx0NAVA=,i=4096,\
         c=biws,r=egVDf3DMJh0=SBmkFIh7sSo="
    );
}

#[test]
fn autobahns_auth_message_has_nothing_for_a_channel() {
    let client = client(Dialect::Autobahn, "user", Binding::None);
    assert_eq!(
        message(&client, "egVDf3DMJh0=SBmkFIh7sSo="),
        "n=user,r=egVDf3DMJh0=,r=egVDf3DMJh0=SBmkFIh7sSo=,s=aBc+fx0NAVA=,i=4096,\
         c=,r=egVDf3DMJh0=SBmkFIh7sSo="
    );
}

#[test]
fn a_name_is_prepared_and_where_it_must_be_escaped() {
    let wamp = client(Dialect::Wamp, "a=2C,b", Binding::None);
    assert!(message(&wamp, "x").starts_with("n=a=3D2C=2Cb,r="));
    let autobahn = client(Dialect::Autobahn, "a=2C,b", Binding::None);
    assert!(message(&autobahn, "x").starts_with("n=a=2C,b,r="));

    let mut attempt = attempt("wamp-scram", &json!({ "nonce": NONCE }));
    attempt.authid = Some("I\u{ad}X".into());
    let (authid, client) = Client::read(Dialect::Wamp, Demand::Optional, &attempt).unwrap();
    assert_eq!((authid, &*client.name), ("I\u{ad}X", "IX"));
    // Unassigned, mixed directions, nothing left.
    for authid in ["\u{378}", "\u{627}1", "\u{ad}"] {
        attempt.authid = Some(authid.into());
        assert!(
            Client::read(Dialect::Wamp, Demand::Optional, &attempt).is_err(),
            "{authid:?}"
        );
    }
}

#[test]
fn the_nonce_is_the_clients_and_the_hosts_behind_it() {
    let ours = [0xab; 32];
    let nonce = ClientNonce::parse(NONCE.into()).unwrap().with(&ours);
    assert_eq!(nonce, format!("{NONCE}{}", BASE64.encode(ours)));
}

#[test]
fn what_is_no_nonce_is_refused() {
    for nonce in [
        "",
        "egVDf3DMJg==",
        "egVDf3DMJh0",
        "egVDf3DMJh1=",
        " egVDf3DMJh0=",
        "egVDf3DMJh0=,r=egVDf3DMJh0=",
        "egVDf3DM-_0=",
        &BASE64.encode([0; 65]),
        &"A".repeat(1 << 20),
    ] {
        let why = refusal("scram", &json!({ "nonce": nonce }));
        assert!(why.contains("8 to 64 octets"), "{why}");
    }
    for octets in [8, 16, 64] {
        assert!(ClientNonce::parse(BASE64.encode(vec![0; octets])).is_some());
    }
    for authextra in [json!({}), json!({ "nonce": null })] {
        assert_eq!(
            refusal("wamp-scram", &authextra),
            "authextra has no `nonce`"
        );
    }
    for nonce in [json!(1), json!([NONCE]), json!({ "a": NONCE })] {
        let why = refusal("wamp-scram", &json!({ "nonce": nonce }));
        assert!(why.starts_with("authextra: "), "{why}");
    }
}

#[test]
fn a_client_without_a_name_is_refused() {
    let attempt = Attempt {
        authid: None,
        ..attempt("scram", &json!({ "nonce": NONCE }))
    };
    assert_eq!(
        Client::read(Dialect::Autobahn, Demand::Optional, &attempt).unwrap_err(),
        NO_AUTHID
    );
}

/// Whatever the client says of costs and salts is for other methods.
#[test]
fn the_client_has_no_say_in_the_costs() {
    let authextra = json!({
        "nonce": NONCE, "iterations": 1, "memory": 8, "salt": "c2FsdA==", "kdf": "pbkdf2",
    });
    let attempt = attempt("wamp-scram", &authextra);
    let (_, client) = Client::read(Dialect::Wamp, Demand::Optional, &attempt).unwrap();
    let exchange = Exchange::new(Dialect::Wamp, &client, "x".into(), &argon2());
    assert!(
        exchange.message.contains(",s=aBc+fx0NAVA=,i=3,"),
        "{exchange:?}"
    );
}

#[test]
fn each_dialect_is_challenged_in_its_own_words() {
    let extra = |parameters: &Parameters, dialect| {
        serde_json::to_value(parameters.extra(dialect, "n")).unwrap()
    };
    let (salt, nonce) = ("aBc+fx0NAVA=", "n");
    assert_eq!(
        extra(&argon2(), Dialect::Wamp),
        json!({ "nonce": nonce, "salt": salt, "kdf": "argon2id13", "iterations": 3, "memory": 65536 })
    );
    assert_eq!(
        extra(&argon2(), Dialect::Autobahn),
        json!({ "nonce": nonce, "salt": salt, "kdf": "argon2id-13", "iterations": 3, "memory": 65536 })
    );
    assert_eq!(
        extra(&pbkdf2(), Dialect::Wamp),
        json!({ "nonce": nonce, "salt": salt, "kdf": "pbkdf2", "iterations": 4096, "memory": null })
    );
    assert_eq!(
        extra(&pbkdf2(), Dialect::Autobahn),
        json!({ "nonce": nonce, "salt": salt, "kdf": "pbkdf2", "iterations": 4096 })
    );
    assert!(Dialect::of("scram-sha-256").is_err());
}

#[test]
fn parameters_that_leave_something_to_the_client_are_an_error() {
    for text in [
        "",
        "{}",
        r#"{"kdf":"argon2id13","iterations":3,"salt":"aBc+fx0NAVA="}"#,
        r#"{"kdf":"pbkdf2","salt":"aBc+fx0NAVA="}"#,
        r#"{"kdf":"pbkdf2","iterations":4096}"#,
        r#"{"kdf":"scrypt","iterations":4096,"salt":"aBc+fx0NAVA="}"#,
    ] {
        assert!(Parameters::parse(text).is_err(), "{text}");
    }
}

/// A connection that can show `tls-exporter`.
fn shown(name: &str) -> Option<Vec<u8>> {
    (name == "tls-exporter").then(|| vec![1, 2, 3])
}

#[test]
fn a_binding_that_cannot_be_checked_is_refused() {
    for name in ["tls-unique", "tls-server-end-point", ""] {
        let why = refusal(
            "wamp-scram",
            &json!({ "nonce": NONCE, "channel_binding": name }),
        );
        assert!(why.contains("the channel binding"), "{why}");
    }
    let asked = |dialect, name| Binding::asked(dialect, Demand::Optional, Some(name), shown);
    assert!(asked(Dialect::Wamp, "tls-exporter").is_ok());
    assert!(asked(Dialect::Wamp, "tls-unique").is_err());
    assert_eq!(asked(Dialect::Autobahn, "tls-exporter"), Ok(Binding::None));
    let none = |demand| Binding::asked(Dialect::Wamp, demand, None, |_| panic!());
    assert_eq!(none(Demand::Optional), Ok(Binding::None));
    assert!(none(Demand::Required).is_err());
}

#[test]
fn what_the_client_binds_to_is_a_part_of_what_it_proves() {
    let binding =
        Binding::asked(Dialect::Wamp, Demand::Required, Some("tls-exporter"), shown).unwrap();
    let bound = client(Dialect::Wamp, "user", binding);
    let input = BASE64.encode(b"p=tls-exporter,,\x01\x02\x03");
    assert!(message(&bound, "x").ends_with(&format!(",c={input},r=x")));
    // Somebody between takes the wish out of HELLO: another message, which the client's proof does
    // not fit.
    let stripped = client(Dialect::Wamp, "user", Binding::None);
    assert!(message(&stripped, "x").ends_with(",c=biws,r=x"));
}

fn reply(dialect: Dialect, binding: Binding, signature: &str, extra: &Value) -> Result<(), String> {
    let (dialect, client) = client(dialect, "user", binding);
    let exchange = Exchange::new(dialect, &client, "both".into(), &pbkdf2());
    let answer = Answer {
        signature: signature.into(),
        extra: extra.to_string(),
        ..Answer::default()
    };
    Reply::read(dialect, &exchange, &answer).map(|_| ())
}

#[test]
fn the_client_must_repeat_what_was_agreed() {
    let signature = BASE64.encode([7; 32]);
    let unbound = |extra| reply(Dialect::Wamp, Binding::None, &signature, &extra);
    assert_eq!(unbound(json!({ "nonce": "both" })), Ok(()));
    let nothing = json!({ "nonce": "both", "channel_binding": null, "cbind_data": null });
    assert_eq!(unbound(nothing), Ok(()));
    for extra in [
        json!({}),
        json!({ "nonce": "other" }),
        json!({ "nonce": null }),
        json!({ "nonce": ["both"] }),
        json!({ "nonce": "both", "channel_binding": "tls-exporter" }),
        json!({ "nonce": "both", "cbind_data": "AQID" }),
        json!({ "nonce": "both", "channel_binding": "tls-exporter", "cbind_data": "AQID" }),
    ] {
        assert!(unbound(extra.clone()).is_err(), "{extra}");
    }

    let bound = |name, data| {
        let binding =
            Binding::asked(Dialect::Wamp, Demand::Required, Some("tls-exporter"), shown).unwrap();
        let extra = json!({ "nonce": "both", "channel_binding": name, "cbind_data": data });
        reply(Dialect::Wamp, binding, &signature, &extra)
    };
    assert_eq!(bound(Some("tls-exporter"), Some("AQID")), Ok(()));
    assert!(bound(Some("tls-exporter"), Some("AQIE")).is_err());
    assert!(bound(Some("tls-exporter"), None).is_err());
    assert!(bound(Some("tls-unique"), Some("AQID")).is_err());
    assert!(bound(None, None).is_err());

    // autobahn-python repeats nothing.
    let autobahn = reply(Dialect::Autobahn, Binding::None, &signature, &json!({}));
    assert_eq!(autobahn, Ok(()));
}

#[test]
fn a_signature_has_one_spelling() {
    let right = BASE64.encode([7; 32]);
    let read = |signature: &str| reply(Dialect::Autobahn, Binding::None, signature, &json!({}));
    assert_eq!(read(&right), Ok(()));
    for wrong in [
        String::new(),
        right.trim_end_matches('=').to_owned(),
        format!("{right}\n"),
        format!(" {right}"),
        format!("p={right}"),
        BASE64.encode([7; 31]),
        BASE64.encode([7; 33]),
        "A".repeat(1 << 20),
        "07".repeat(32),
    ] {
        assert!(read(&wrong).is_err());
    }
}

#[test]
fn an_exchange_waits_unchanged() {
    let binding =
        Binding::asked(Dialect::Wamp, Demand::Required, Some("tls-exporter"), shown).unwrap();
    let (dialect, client) = client(Dialect::Wamp, &"\u{e9}=,\"".repeat(51), binding);
    let nonce = BASE64.encode([0xff; 64]);
    let exchange = Exchange::new(dialect, &client, nonce.clone() + &nonce, &argon2());
    let state = exchange.to_state().unwrap();
    // What the host keeps at most.
    assert!(state.len() < 4096, "{}", state.len());
    assert_eq!(Exchange::from_state(&state), Ok(exchange));
    assert!(Exchange::from_state(b"").is_err());
}
