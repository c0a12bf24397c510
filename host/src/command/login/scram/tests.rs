use super::*;

const OURS: &str = "MDEyMzQ1Njc4OWFiY2RlZg==";

fn nonce() -> ClientNonce {
    ClientNonce(OURS.into())
}

fn challenge(theirs: &str, kdf: &str, iterations: u64) -> Dict {
    Dict::new()
        .with("nonce", format!("{OURS}{theirs}"))
        .with("salt", "MTIzNDU2Nzg5MGFiY2RlZg==")
        .with("kdf", kdf)
        .with("iterations", iterations)
}

fn argon2() -> Dict {
    challenge("ZmVkY2JhOTg3NjU0MzIxMA==", "argon2id13", 4096).with("memory", 512)
}

fn answer(dialect: Dialect, authid: &str, extra: &Dict) -> Result<Proof, NoAnswer> {
    let password = || Ok(Zeroizing::new("pencil".to_owned()));
    nonce().answer(dialect, Some(authid), None, extra, password)
}

/// A challenge that must be refused before anybody is asked for a password.
#[track_caller]
fn refused(dialect: Dialect, extra: &Dict) -> NoAnswer {
    let password = || panic!("the password was asked for");
    nonce()
        .answer(dialect, Some("user"), None, extra, password)
        .err()
        .unwrap()
}

/// Computed with Python's hmac and argon2-cffi.
#[test]
fn the_specifications_dialect() {
    let proof = answer(Dialect::Wamp, "user", &argon2()).unwrap();
    assert_eq!(
        *proof.signature,
        "nqZVG4ILsenTywXG9V8LSetMlobEs9lyLpkvhanBVIs="
    );
    assert_eq!(
        proof.extra.to_json(),
        format!(
            r#"{{"cbind_data":null,"channel_binding":null,"nonce":"{OURS}ZmVkY2JhOTg3NjU0MzIxMA=="}}"#
        )
    );
    let in_return = proof.in_return.unwrap();
    let welcome = |member: &str, text: &str| {
        let authextra = Dict::new().with(member, text);
        in_return.is_in(&Dict::new().with("authextra", authextra))
    };
    let right = "C7t6UL++rj7jmTciShvfiT0+R9yGkqdouQBO59Pj98g=";
    assert!(welcome("verifier", right));
    assert!(welcome("verifier", &format!("v={right}")));
    assert!(!welcome("verifier", &right.replace('C', "D")));
    assert!(!welcome("verifier", ""));
    assert!(!welcome("scram_server_signature", right));
    assert!(!in_return.is_in(&Dict::new()));
    // Our own answer sent back is nothing that a router can know.
    assert!(!welcome("verifier", &proof.signature));
}

/// The server's half is not what autobahn-python's run in `credential::scram` has, since that does
/// not begin with the client's text.
#[test]
fn autobahns_dialect() {
    let extra = challenge("ZmVkY2JhOTg3NjU0MzIxMA==", "argon2id-13", 4096).with("memory", 512);
    let proof = answer(Dialect::Autobahn, "user", &extra).unwrap();
    let message = format!(
        "n=user,r={OURS},r={OURS}ZmVkY2JhOTg3NjU0MzIxMA==,s=MTIzNDU2Nzg5MGFiY2RlZg==,i=4096,\
         c=,r={OURS}ZmVkY2JhOTg3NjU0MzIxMA=="
    );
    let salted = Kdf::Argon2id13 {
        iterations: 4096,
        memory: 512,
    }
    .salted_password(Dialect::Autobahn, "pencil", b"1234567890abcdef")
    .unwrap();
    let expected = BASE64_STANDARD.encode(salted.proof(message.as_bytes()));
    assert_eq!(*proof.signature, expected);
    assert!(proof.extra.is_empty());
    let signature = BASE64_STANDARD.encode(salted.server_signature(message.as_bytes()));
    let authextra = Dict::new().with("scram_server_signature", signature);
    let welcome = Dict::new().with("authextra", authextra);
    assert!(proof.in_return.unwrap().is_in(&welcome));
}

#[test]
fn a_name_is_escaped_where_the_specification_says_so() {
    let extra = argon2();
    let message = |dialect, authid| {
        let question = Question::read(Dialect::Wamp, OURS, &extra).unwrap();
        Question {
            dialect,
            ..question
        }
        .auth_message(authid, OURS, None)
        .unwrap()
    };
    assert!(message(Dialect::Wamp, "a=2C,b").starts_with("n=a=3D2C=2Cb,r="));
    assert!(message(Dialect::Autobahn, "a=2C,b").starts_with("n=a=2C,b,r="));
    assert!(message(Dialect::Wamp, "I\u{ad}X").starts_with("n=IX,r="));
}

#[test]
fn a_challenge_that_does_not_begin_with_our_nonce_is_not_answered() {
    for nonce in [
        "",
        OURS,
        "MDEyMzQ1Njc4OWFiY2RlZh==ZmVk",
        &format!("{OURS}Zm,r=x"),
        &format!("{OURS}Zm\n"),
        &format!(" {OURS}ZmVk"),
    ] {
        let extra = argon2().with("nonce", nonce);
        assert!(matches!(
            refused(Dialect::Wamp, &extra),
            NoAnswer::Challenge(_)
        ));
    }
}

#[test]
fn a_router_that_asks_for_too_little_or_too_much_gets_no_answer() {
    for (kdf, iterations, memory) in [
        ("pbkdf2", 0, 0),
        ("pbkdf2", 4095, 0),
        ("pbkdf2", 10_000_001, 0),
        ("argon2id13", 1, 8),
        ("argon2id13", 69, 512),
        ("argon2id13", 1, 2 << 20),
        ("argon2id13", 1 << 20, 512),
    ] {
        let extra = challenge("ZmVk", kdf, iterations).with("memory", memory);
        let why = refused(Dialect::Wamp, &extra);
        assert!(matches!(why, NoAnswer::Kdf(_)), "{extra:?}");
    }
}

#[test]
fn what_is_no_challenge_of_scram_is_not_answered() {
    let without = |key: &str| {
        let mut extra = argon2();
        extra.remove(key);
        extra
    };
    for extra in [
        without("nonce"),
        without("salt"),
        without("kdf"),
        without("iterations"),
        without("memory"),
        argon2().with("kdf", "argon2id-13"),
        argon2().with("kdf", "scrypt"),
        argon2().with("iterations", "4096"),
        argon2().with("iterations", u64::MAX),
        argon2().with("channel_binding", "tls-exporter"),
    ] {
        let why = refused(Dialect::Wamp, &extra);
        assert!(matches!(why, NoAnswer::Challenge(_)), "{extra:?}");
    }
    for salt in ["#", "c2hv"] {
        let refused = answer(Dialect::Wamp, "user", &argon2().with("salt", salt));
        assert!(matches!(refused, Err(NoAnswer::Challenge(_))), "{salt}");
    }
    let nameless = nonce().answer(Dialect::Wamp, None, None, &argon2(), || panic!());
    assert!(matches!(nameless, Err(NoAnswer::Challenge(_))));
}
