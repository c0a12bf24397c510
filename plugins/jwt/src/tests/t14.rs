//! Forged and misused tokens, one by one. The issuer's key signs all of them that it could have
//! been made to sign.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

/// An RSA key that anybody can read: that of RFC 7515, appendix A.2.
fn public_rsa_key() -> Value {
    let mut key = rfc::rs256_key();
    key["kid"] = json!("rsa");
    key
}

fn hs256(header: &Value, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encoded(&header.to_string()), encoded(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!(
        "{signed}.{}",
        BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
    )
}

#[track_caller]
fn assert_denied(token: &str, because: &str) {
    let reason = denied(token);
    assert!(reason.contains(because), "{reason}");
}

#[test]
fn t14_no_signature_is_none() {
    let issuer = Issuer::new("a");
    let token = issuer.token(json!({}));
    let (signed, _) = token.rsplit_once('.').unwrap();
    let claims = signed.split('.').nth(1).unwrap();
    assert_denied(&format!("{signed}."), "the token's signature is wrong");
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = encoded(&json!({ "alg": none, "kid": "a" }).to_string());
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{claims}.{signature}");
            assert_denied(&token, "the token's algorithm is");
        }
    }
    for header in [
        json!({ "kid": "a" }),
        json!({ "alg": null, "kid": "a" }),
        json!({ "alg": ["EdDSA"] }),
    ] {
        let token = issuer.sign(&header.to_string(), "{}");
        assert!(denied(&token).contains("\"alg\""));
    }
}

#[test]
fn t14_a_public_key_is_no_shared_secret() {
    let key = public_rsa_key();
    let jwt = jwt(std::slice::from_ref(&key), json!({}));
    let claims =
        json!({ "iss": "https://id.example.com", "aud": "acme", "sub": "alice", "exp": NOW + 300 });
    let modulus = BASE64URL_NOPAD
        .decode(key["n"].as_str().unwrap().as_bytes())
        .unwrap();
    let forms = [
        key.to_string().into_bytes(),
        key["n"].as_str().unwrap().into(),
        modulus,
    ];
    for secret in forms {
        for alg in ["HS256", "RS256", "PS256", "ES256", "EdDSA"] {
            let header = json!({ "alg": alg, "kid": "rsa" });
            let token = hs256(&header, &claims.to_string(), &secret);
            let reason = decide(&jwt, &token).unwrap_err();
            let expected = match alg {
                "HS256" => "the token's algorithm is \"HS256\"",
                "RS256" => "the token's signature is wrong",
                _ => "and its key is for RS256",
            };
            assert!(reason.contains(expected), "{alg}: {reason}");
        }
    }
}

#[test]
fn t14_a_key_is_for_one_algorithm() {
    let issuer = Issuer::new("a");
    for alg in ["RS256", "PS256", "ES256"] {
        let token = issuer.token_with_header(json!({ "alg": alg }));
        assert_denied(
            &token,
            &format!("the token says {alg}, and its key is for EdDSA"),
        );
    }
    for alg in [
        "RS384", "ES384", "PS512", "ES256K", "RSA-OAEP", "eddsa", "EdDSA ",
    ] {
        let token = issuer.token_with_header(json!({ "alg": alg }));
        assert_denied(&token, "the token's algorithm is");
    }
    // Two names for one algorithm.
    let jwt = jwt(&[issuer.jwk()], json!({}));
    let token = issuer.token_with_header(json!({ "alg": "Ed25519" }));
    assert!(decide(&jwt, &token).is_ok());
}

#[test]
fn t14_a_token_brings_no_keys_along() {
    let issuer = Issuer::new("a");
    let attacker = Issuer::new("b");
    for header in [
        json!({ "jwk": attacker.jwk() }),
        json!({ "jku": "https://attacker.example/keys" }),
        json!({ "x5u": "https://attacker.example/keys", "x5c": ["AAAA"] }),
        json!({ "kid": "a" }),
    ] {
        let mut whole = json!({ "alg": "EdDSA", "kid": "a" });
        change(&mut whole, header.clone());
        let claims = json!({ "iss": "https://id.example.com", "aud": "acme", "sub": "alice", "exp": NOW + 300 });
        let token = attacker.sign(&whole.to_string(), &claims.to_string());
        assert_denied(&token, "the token's signature is wrong");
        // And the issuer's own token is not the worse for it.
        let token = issuer.sign(&whole.to_string(), &claims.to_string());
        assert!(
            decide(&jwt(&[issuer.jwk()], json!({})), &token).is_ok(),
            "{header}"
        );
    }
}

#[test]
fn t14_a_token_is_about_the_key_that_it_names_and_no_other() {
    let (a, b) = (Issuer::new("a"), Issuer::new("b"));
    let both = jwt(&[a.jwk(), b.jwk()], json!({}));
    assert!(decide(&both, &a.token(json!({}))).is_ok());
    assert!(decide(&both, &b.token(json!({}))).is_ok());

    let wrong = decide(&both, &a.token_with_header(json!({ "kid": "b" }))).unwrap_err();
    assert_eq!(wrong, "the token's signature is wrong");
    for kid in ["c", "A", "a ", "", "a\0", "á"] {
        let reason = decide(&both, &a.token_with_header(json!({ "kid": kid }))).unwrap_err();
        assert!(
            reason.starts_with("the key set has no key "),
            "{kid:?}: {reason}"
        );
    }
    let nameless = decide(&both, &a.token_with_header(json!({ "kid": null }))).unwrap_err();
    assert_eq!(nameless, "the token names no key, and the key set has 2");
    // Where there is one key only, it is clear which is meant.
    let alone = jwt(&[a.jwk()], json!({}));
    assert!(decide(&alone, &a.token_with_header(json!({ "kid": null }))).is_ok());
    // A key without a name is nobody's that a token names.
    let mut unnamed = a.jwk();
    change(&mut unnamed, json!({ "kid": null }));
    let reason = decide(&jwt(&[unnamed], json!({})), &a.token(json!({}))).unwrap_err();
    assert_eq!(reason, "the key set has no key \"a\"");
    let mut namesake = b.jwk();
    namesake["kid"] = json!("a");
    let reason = decide(&jwt(&[a.jwk(), namesake], json!({})), &a.token(json!({}))).unwrap_err();
    assert_eq!(reason, "the key set has 2 keys \"a\"");
    let numbered = a.token_with_header(json!({ "kid": 1 }));
    assert_eq!(
        denied(&numbered),
        "in the token's header \"kid\" is not a text"
    );
}

#[test]
fn r18_a_kid_is_no_path_and_no_query() {
    let issuer = Issuer::new("a");
    for kid in [
        "../../../dev/null",
        "/etc/passwd",
        "keys/a",
        "a' OR '1'='1",
        "file:///a",
        "%61",
        "http://x/a",
    ] {
        let token = issuer.token_with_header(json!({ "kid": kid }));
        assert_denied(&token, "the key set has no key ");
    }
}

#[test]
fn t14_a_key_that_is_for_something_else_signs_nothing() {
    let issuer = Issuer::new("a");
    let reason = |different: Value| {
        let mut key = issuer.jwk();
        change(&mut key, different);
        decide(&jwt(&[key], json!({})), &issuer.token(json!({}))).unwrap_err()
    };
    for different in [
        json!({ "use": "enc" }),
        json!({ "use": "" }),
        json!({ "use": ["sig"] }),
        json!({ "key_ops": ["sign"] }),
        json!({ "key_ops": [] }),
        json!({ "key_ops": "verify" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ECDH-ES" }),
        json!({ "alg": 1 }),
        json!({ "kty": "EC" }),
        json!({ "kty": "oct" }),
        json!({ "crv": "X25519" }),
        json!({ "crv": "Ed448" }),
        json!({ "crv": null }),
        json!({ "d": "AAAA" }),
        json!({ "k": "AAAA" }),
        json!({ "x": "AAAA" }),
        json!({ "x": format!("{}=", issuer.jwk()["x"].as_str().unwrap()) }),
        // The neutral element, under which anybody can sign.
        json!({ "x": BASE64URL_NOPAD.encode(&[&[1][..], &[0; 31]].concat()) }),
    ] {
        let reason = reason(different.clone());
        assert!(
            reason.starts_with("the key \"a\" cannot be used: "),
            "{different}: {reason}"
        );
    }
    for same in [
        json!({ "use": "sig" }),
        json!({ "key_ops": ["verify"], "alg": "EdDSA" }),
        json!({ "alg": "Ed25519" }),
    ] {
        let mut key = issuer.jwk();
        change(&mut key, same);
        assert!(decide(&jwt(&[key], json!({})), &issuer.token(json!({}))).is_ok());
    }
}

#[test]
fn t14_no_extension_is_understood() {
    let issuer = Issuer::new("a");
    for header in [
        json!({ "crit": ["exp"], "exp": NOW }),
        json!({ "crit": [] }),
        json!({ "crit": ["alg"] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "b64": false }),
    ] {
        assert_denied(
            &issuer.token_with_header(header),
            "no extension is understood",
        );
    }
}

#[test]
fn t14_other_things_that_the_issuer_signs_are_no_tokens() {
    let issuer = Issuer::new("a");
    for typ in [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "JOSE",
        "",
        "application/",
        "JWT ",
        "jwt+x",
    ] {
        assert_denied(
            &issuer.token_with_header(json!({ "typ": typ })),
            "of another type",
        );
    }
    assert_denied(
        &issuer.token_with_header(json!({ "typ": 1 })),
        "is not a text",
    );
    let usual = jwt(&[issuer.jwk()], json!({}));
    for typ in [
        json!(null),
        json!("JWT"),
        json!("jwt"),
        json!("at+jwt"),
        json!("application/AT+JWT"),
    ] {
        let token = issuer.token_with_header(json!({ "typ": typ }));
        assert!(decide(&usual, &token).is_ok(), "{typ}");
    }
    let strict = jwt(&[issuer.jwk()], json!({ "typ": "at+jwt" }));
    for (typ, accepted) in [
        (json!("at+jwt"), true),
        (json!("application/at+jwt"), true),
        (json!("JWT"), false),
        (json!(null), false),
    ] {
        let token = issuer.token_with_header(json!({ "typ": typ }));
        assert_eq!(decide(&strict, &token).is_ok(), accepted, "{typ}");
    }
}

#[test]
fn t14_a_token_of_another_issuer_or_for_somebody_else_is_denied() {
    let issuer = Issuer::new("a");
    for iss in [
        json!("https://id.example.com/"),
        json!("https://id.example.org"),
        json!("HTTPS://id.example.com"),
    ] {
        assert_denied(&issuer.token(json!({ "iss": iss })), "from another issuer");
    }
    for iss in [json!(null), json!(1), json!(["https://id.example.com"])] {
        assert_denied(
            &issuer.token(json!({ "iss": iss })),
            "does not say who issued it",
        );
    }
    for aud in [
        json!("acme2"),
        json!(""),
        json!(["other"]),
        json!([]),
        json!(1),
        json!([["acme"]]),
        json!({ "acme": 1 }),
    ] {
        assert_denied(&issuer.token(json!({ "aud": aud })), "for another audience");
    }
    assert_denied(
        &issuer.token(json!({ "aud": null })),
        "does not say for whom",
    );
    let usual = jwt(&[issuer.jwk()], json!({}));
    assert!(decide(&usual, &issuer.token(json!({ "aud": ["other", "acme"] }))).is_ok());
}

#[test]
fn t14_a_token_is_good_for_its_time_only() {
    let issuer = Issuer::new("a");
    let usual = jwt(&[issuer.jwk()], json!({}));
    for good in [
        json!({ "exp": NOW + 1 }),
        json!({ "exp": f64::from(u32::try_from(NOW).unwrap()) + 0.5 }),
        json!({ "nbf": NOW, "iat": NOW }),
        json!({ "nbf": NOW + 30, "iat": NOW + 30 }),
        json!({ "nbf": 0, "iat": null }),
        json!({ "exp": u64::MAX }),
        json!({ "exp": 1e300 }),
    ] {
        assert!(
            decide(&usual, &issuer.token(good.clone())).is_ok(),
            "{good}"
        );
    }
    for (bad, because) in [
        (json!({ "exp": null }), "does not say when it expires"),
        (json!({ "exp": NOW }), "has expired"),
        (json!({ "exp": NOW - 1 }), "has expired"),
        (json!({ "exp": 0 }), "has expired"),
        (json!({ "exp": -1 }), "is not a time"),
        (json!({ "exp": "1900000000" }), "is not a time"),
        (json!({ "exp": [NOW + 300] }), "is not a time"),
        (json!({ "exp": true }), "is not a time"),
        (json!({ "nbf": NOW + 31 }), "not good yet"),
        (json!({ "nbf": "0" }), "is not a time"),
        (json!({ "iat": NOW + 31 }), "issued in the future"),
        (json!({ "iat": {} }), "is not a time"),
    ] {
        assert_denied(&issuer.token(bad), because);
    }
    let exact = jwt(&[issuer.jwk()], json!({ "leeway": 0 }));
    assert!(decide(&exact, &issuer.token(json!({ "nbf": NOW }))).is_ok());
    assert!(decide(&exact, &issuer.token(json!({ "nbf": NOW + 1 }))).is_err());
}

#[test]
fn t14_two_members_of_one_name_are_refused() {
    let issuer = Issuer::new("a");
    let claims = format!(
        r#"{{"iss":"https://id.example.com","aud":"acme","sub":"alice","exp":{}"#,
        NOW + 300
    );
    let header = issuer.header().to_string();
    let usual = jwt(&[issuer.jwk()], json!({}));
    assert!(decide(&usual, &issuer.sign(&header, &format!("{claims}}}"))).is_ok());
    for twice in [
        r#""sub":"bob""#,
        r#""s\u0075b":"alice""#,
        r#""x":{"y":1,"y":1}"#,
    ] {
        let token = issuer.sign(&header, &format!("{claims},{twice}}}"));
        assert_denied(&token, "two members are called");
    }
    let header = header.replacen('{', r#"{"alg":"EdDSA","#, 1);
    let token = issuer.sign(&header, &format!("{claims}}}"));
    assert_denied(&token, "two members are called");
    let text = format!(r#"{{"keys":[],"keys":[{}]}}"#, issuer.jwk());
    assert!(
        KeySet::parse(&text)
            .unwrap_err()
            .contains("two members are called")
    );
}

#[test]
fn t14_a_token_is_written_in_one_way_only() {
    let issuer = Issuer::new("a");
    let token = issuer.token(json!({}));
    let pieces: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = *pieces else {
        unreachable!()
    };
    for form in [
        String::new(),
        ".".into(),
        "....".into(),
        format!("{header}.{claims}"),
        format!("{token}."),
        format!("{token}.{claims}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("Bearer {token}"),
        format!("{token}="),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims} .{signature}"),
        format!("{header}.{claims}.{}+/", &signature[2..]),
        format!("{header}.é{claims}.{signature}"),
        json!({ "protected": header, "payload": claims, "signature": signature }).to_string(),
    ] {
        let reason = denied(&form);
        assert!(
            reason.contains("three pieces") || reason.contains("base64url"),
            "{form}: {reason}"
        );
    }
    // 64 octets leave four bits over in the last letter, which must be 0.
    let (start, last) = signature.split_at(signature.len() - 1);
    assert!("AQgw".contains(last));
    let other = char::from(last.as_bytes()[0] + 1);
    assert_denied(
        &format!("{header}.{claims}.{start}{other}"),
        "is not base64url",
    );
}

#[test]
fn t14_a_token_is_not_of_any_size() {
    let issuer = Issuer::new("a");
    let usual = jwt(&[issuer.jwk()], json!({}));
    let padded = |length: usize| issuer.token(json!({ "padding": "x".repeat(length) }));
    assert!(decide(&usual, &padded(5000)).is_ok());
    assert_denied(&padded(7000), "at most 8192 are read");
    // What the log repeats of it is bounded too.
    let reason = denied(&issuer.token_with_header(json!({ "kid": "\u{202e}\n".repeat(1000) })));
    assert!(reason.len() < 1000 && !reason.contains('\n'), "{reason}");
}

#[test]
fn t14_every_octet_of_a_token_counts() {
    let issuer = Issuer::new("a");
    let usual = jwt(&[issuer.jwk()], json!({}));
    let token = issuer.token(json!({}));
    for at in 0..token.len() {
        let mut octets = token.clone().into_bytes();
        octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(octets).unwrap();
        assert!(decide(&usual, &changed).is_err(), "octet {at}");
    }
}
