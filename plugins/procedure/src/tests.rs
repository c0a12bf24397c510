use countersign_guest::{Proof as Step, Verdict};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::*;
use crate::{details::Transport, wampcra::Proof};

const NONCE: &str = "abababababababababababababababababababababababababababababababab";

fn method(settings: Value) -> Procedure {
    serde_json::from_value(settings).unwrap()
}

fn attempt(authid: Option<&str>) -> Attempt {
    Attempt {
        realm: "acme".into(),
        session: 7,
        authmethod: "ticket".into(),
        authid: authid.map(Into::into),
        authextra: json!({ "device": 3 }).to_string(),
        nonce: vec![0xab; 32],
        now: 1_403_454_985_448,
        ..Attempt::default()
    }
}

fn read(said: Value) -> Result<Principal, String> {
    Principal::read(said, "acme", Some("alice".into()), None)
}

fn refused(error: &str, message: &str) -> Failure {
    Failure::Refused(Refusal {
        error: error.into(),
        message: message.into(),
    })
}

#[test]
fn settings_that_say_no_more_than_the_procedure_ask_for_a_ticket() {
    let least = method(json!({ "procedure": "com.acme.authenticate" }));
    assert_eq!((least.asks, least.secret), (Asks::Ticket, Secret::Key));
    assert_eq!(least.check(), Ok(()));
    for wrong in [
        json!({ "procedure": "" }),
        json!({ "procedure": "com.a", "secret": "password" }),
        json!({ "procedure": "com.a", "channel_binding": "required" }),
    ] {
        assert!(method(wrong.clone()).check().is_err(), "{wrong}");
    }
    for wrong in [json!({}), json!({ "procedure": "com.a", "asks": "totp" })] {
        assert!(serde_json::from_value::<Procedure>(wrong).is_err());
    }
}

#[test]
fn a_client_is_asked_for_its_ticket_before_anybody_is_called() {
    let method = method(json!({ "procedure": "com.acme.authenticate" }));
    let Ok(Verdict::Challenge(challenge)) = method.begin(&attempt(Some("alice"))) else {
        panic!("no challenge")
    };
    assert_eq!((&*challenge.extra, &*challenge.state), ("{}", &[][..]));
}

#[test]
fn the_procedure_is_told_what_crossbar_tells() {
    let attempt = attempt(Some("alice"));
    let transport = Transport::new("tcp:192.0.2.7:51334", false);
    let told = serde_json::to_value(Details::new(&attempt, Some("secret!!!"), transport)).unwrap();
    let expected = json!({
        "session": 7,
        "authmethod": "ticket",
        "authid": "alice",
        "authrole": null,
        "authextra": { "device": 3 },
        "ticket": "secret!!!",
        "transport": {
            "peer": "tcp4:192.0.2.7:51334",
            "confidential": false,
            "cbtid": null,
            "client_cert": null,
            "http_headers_received": null,
            "http_headers_sent": null,
            "peer_cert": null,
        },
    });
    assert_eq!(told, expected);
}

#[test]
fn a_later_step_tells_what_was_proven_and_is_about_that_client() {
    let mut attempt = attempt(Some("mallory"));
    attempt.proven = vec![Step {
        authmethod: "cryptosign".into(),
        authid: "alice".into(),
        authrole: "user".into(),
        authextra: "{}".into(),
    }];
    let transport = Transport::new("tcp:[2001:db8::1]:5", true);
    let told = serde_json::to_value(Details::new(&attempt, None, transport)).unwrap();
    let proven = json!([{ "authmethod": "cryptosign", "authid": "alice", "authrole": "user" }]);
    assert_eq!(told["proven"], proven);
    assert_eq!(told.get("ticket"), None);
    assert_eq!(told["transport"]["peer"], "tcp6:[2001:db8::1]:5");
    assert_eq!(details::authid(&attempt).as_deref(), Some("alice"));
}

#[test]
fn a_role_is_enough() {
    let expected = Principal {
        authid: "alice".into(),
        role: "user".into(),
        extra: serde_json::Map::new(),
    };
    for said in [
        json!("user"),
        json!({ "role": "user" }),
        json!({ "role": "user", "authid": null, "extra": null, "realm": "acme", "ticket": "x" }),
    ] {
        assert_eq!(read(said.clone()).as_ref(), Ok(&expected), "{said}");
    }
}

#[test]
fn a_dictionary_can_name_the_client_and_tell_it_something() {
    let said = json!({ "role": "user", "authid": "ID09125", "extra": { "hint": [1, 2] } });
    let Verdict::Accept(identity) = accept(read(said).unwrap()) else {
        panic!("not accepted")
    };
    assert_eq!(
        (&*identity.authid, &*identity.authrole),
        ("ID09125", "user")
    );
    assert_eq!(identity.authextra, r#"{"hint":[1,2]}"#);
    assert_eq!(identity.authprovider.as_deref(), Some("dynamic"));
}

#[test]
fn the_settings_role_is_for_clients_without_one() {
    let read = |said| Principal::read(said, "acme", Some("alice".into()), Some("guest")).unwrap();
    assert_eq!(read(json!({})).role, "guest");
    assert_eq!(read(json!("user")).role, "user");
}

#[test]
fn what_is_neither_a_role_nor_a_dictionary_with_one_lets_nobody_in() {
    for (said, error) in [
        (
            json!(null),
            "nothing, which is neither a role nor a dictionary",
        ),
        (
            json!(true),
            "a truth value, which is neither a role nor a dictionary",
        ),
        (
            json!(1),
            "a number, which is neither a role nor a dictionary",
        ),
        (
            json!(["user"]),
            "a list, which is neither a role nor a dictionary",
        ),
        (json!(""), "an empty \"role\""),
        (json!({}), "no \"role\", and the settings name none"),
        (json!({ "role": 1 }), "a number as \"role\", not text"),
        (
            json!({ "role": "user", "authid": "" }),
            "an empty \"authid\"",
        ),
        (
            json!({ "role": "user", "authid": 1 }),
            "a number as \"authid\", not text",
        ),
        (
            json!({ "role": "user", "extra": [] }),
            "a list as \"extra\", not a dictionary",
        ),
        (
            json!({ "role": "user", "realm": "other" }),
            "the realm \"other\": a client joins the realm that it asked for, or none",
        ),
    ] {
        assert_eq!(read(said.clone()), Err(error.into()), "{said}");
    }
    let nobody = Principal::read(json!("user"), "acme", None, None);
    assert_eq!(
        nobody,
        Err("no \"authid\", and the client gave none".into())
    );
}

#[test]
fn an_error_of_the_callee_is_a_denial_and_silence_is_none() {
    let method = method(json!({ "procedure": "com.acme.authenticate" }));
    let denied = method.failed(refused("com.acme.no_such_user", "who is alice?"), None);
    let text = "com.acme.authenticate refuses: com.acme.no_such_user: who is alice?";
    assert!(matches!(denied, Ok(Verdict::Deny(why)) if why == text));
    let silence = Failure::Unanswered("no answer".into());
    assert!(matches!(method.failed(silence, None), Err(why) if why == "no answer"));
}

#[test]
fn r12_a_ticket_does_not_come_into_the_log_by_way_of_the_callee() {
    let method = method(json!({ "procedure": "com.acme.authenticate" }));
    let error = refused("com.acme.invalid_ticket", "'hunter3' is not 'hunter3'");
    let Ok(Verdict::Deny(why)) = method.failed(error, Some("hunter3")) else {
        panic!("not denied")
    };
    assert!(why.ends_with("'…' is not '…'"), "{why}");
    let Ok(Verdict::Deny(why)) = method.failed(refused("a", "b"), Some("")) else {
        panic!("not denied")
    };
    assert!(why.ends_with("a: b"), "{why}");
}

/// What a client answers to a challenge, with a key of its own.
fn sign(challenge: &Challenge, key: &[u8]) -> Answer {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let extra: Value = serde_json::from_str(&challenge.extra).unwrap();
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(extra["challenge"].as_str().unwrap().as_bytes());
    Answer {
        signature: STANDARD.encode(hmac.finalize().into_bytes()),
        state: challenge.state.clone(),
        ..Answer::default()
    }
}

fn challenged(said: &Value, secret: Secret) -> Challenge {
    let proof = Proof::read(said, secret).unwrap();
    let principal = read(said.clone()).unwrap();
    wampcra::challenge(&attempt(Some("alice")), principal, &proof).unwrap()
}

#[test]
fn whoever_has_the_secret_can_sign_and_nobody_else() {
    let said = json!({ "role": "user", "secret": "123456" });
    let challenge = challenged(&said, Secret::Key);
    assert!(!String::from_utf8_lossy(&challenge.state).contains("123456"));
    let accepted = wampcra::judge(&sign(&challenge, b"123456")).unwrap();
    assert_eq!(accepted, Some(read(said).unwrap()));
    for answer in [
        sign(&challenge, b"123457"),
        Answer {
            state: challenge.state.clone(),
            ..Answer::default()
        },
    ] {
        assert_eq!(wampcra::judge(&answer), Ok(None));
    }
}

#[test]
fn a_challenge_names_the_client_as_the_procedure_does_and_carries_the_nonce() {
    let said = json!({ "role": "user", "authid": "ID09125", "secret": "123456" });
    let challenge = challenged(&said, Secret::Key);
    let extra: Value = serde_json::from_str(&challenge.extra).unwrap();
    assert_eq!(extra.as_object().unwrap().len(), 1);
    let text: Value = serde_json::from_str(extra["challenge"].as_str().unwrap()).unwrap();
    let expected = json!({
        "authid": "ID09125",
        "authrole": "user",
        "authmethod": "ticket",
        "authprovider": "dynamic",
        "realm": "acme",
        "nonce": NONCE,
        "timestamp": "2014-06-22T16:36:25.448Z",
        "session": 7,
    });
    assert_eq!(text, expected);
}

/// What a client answers that has this key.
fn sign_with(key: &SigningKey, challenge: &Challenge) -> Answer {
    let extra: Value = serde_json::from_str(&challenge.extra).unwrap();
    let message = hex::decode(extra["challenge"].as_str().unwrap()).unwrap();
    let signature = key.sign(&message).to_bytes();
    Answer {
        signature: hex::encode([&signature[..], &message].concat()),
        nonce: message,
        state: challenge.state.clone(),
        ..Answer::default()
    }
}

#[test]
fn whoever_has_the_returned_key_can_sign_and_nobody_else() {
    let (own, other) = ([1, 2])
        .map(|seed| SigningKey::from_bytes(&[seed; 32]))
        .into();
    let said = json!({ "role": "user", "pubkey": hex::encode(own.verifying_key()) });
    let key = cryptosign::public_key(&said).unwrap();
    let claim = Claim { key, channel: None };
    let attempt = attempt(Some("alice"));
    let expected = read(said.clone()).unwrap();
    let challenge = cryptosign::challenge(&attempt, read(said).unwrap(), &claim).unwrap();
    assert_eq!(challenge.extra, json!({ "challenge": NONCE }).to_string());

    let signed = cryptosign::judge(&sign_with(&own, &challenge)).unwrap();
    assert_eq!(signed, Ok(expected));
    let mut of_another_challenge = sign_with(&own, &challenge);
    of_another_challenge.nonce = vec![0; 32];
    for answer in [sign_with(&other, &challenge), of_another_challenge] {
        assert!(cryptosign::judge(&answer).unwrap().is_err());
    }
}

#[test]
fn a_public_key_that_is_none_lets_nobody_in() {
    for said in [
        json!("user"),
        json!({ "role": "user" }),
        json!({ "pubkey": 1 }),
        json!({ "pubkey": "" }),
        // Of small order: anyone can sign with it.
        json!({ "pubkey": format!("01{}", "00".repeat(31)) }),
    ] {
        assert!(cryptosign::public_key(&said).is_err(), "{said}");
    }
}

/// The one with a salted password in Crossbar's examples: what its client derives from "secret1".
#[test]
fn a_salted_secret_is_the_key_or_the_password_as_the_settings_say() {
    let salting = json!({ "salt": "salt123", "iterations": 100, "keylen": 16 });
    let key = "prq7+YkJ1/KlW1X0YczMHw==";
    for (secret, kind) in [(key, Secret::Key), ("secret1", Secret::Password)] {
        let mut said = salting.clone();
        said["role"] = "user".into();
        said["secret"] = secret.into();
        let challenge = challenged(&said, kind);
        let extra: Value = serde_json::from_str(&challenge.extra).unwrap();
        for (name, value) in salting.as_object().unwrap() {
            assert_eq!(&extra[name], value);
        }
        let right = sign(&challenge, key.as_bytes());
        assert!(wampcra::judge(&right).unwrap().is_some(), "{kind:?}");
    }
}

#[test]
fn a_salt_alone_has_the_rest_by_default_as_clients_do() {
    let said = json!({ "role": "user", "secret": "x", "salt": "salt123" });
    let challenge = challenged(&said, Secret::Key);
    let extra: Value = serde_json::from_str(&challenge.extra).unwrap();
    assert_eq!(
        (&extra["iterations"], &extra["keylen"]),
        (&json!(1000), &json!(32))
    );
}

#[test]
fn a_secret_that_is_none_lets_nobody_in() {
    for said in [
        json!("user"),
        json!({ "role": "user" }),
        json!({ "secret": "" }),
        json!({ "secret": 1 }),
        json!({ "secret": "x", "salt": 1 }),
        json!({ "secret": "x", "salt": "s", "iterations": "many" }),
        json!({ "secret": "x", "salt": "s", "iterations": 0 }),
        json!({ "secret": "x", "salt": "s", "keylen": 0 }),
        json!({ "secret": "x", "salt": "s", "keylen": 65 }),
    ] {
        assert!(Proof::read(&said, Secret::Password).is_err(), "{said}");
    }
}

#[test]
fn whoever_is_asked_for_nothing_gets_a_name_of_our_making() {
    let attempt = attempt(Some("admin"));
    assert_eq!(details::made_up(&attempt), "anonymous-abababababababab");
}
