//! What is believed of a token and what is not, with tokens that are made here; and other people's
//! vectors. What needs a host (key sets, the end of a session) is in the tests of the whole router.

mod rfc;
mod t14;
mod wycheproof;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;

/// The issuer, and what it signs with.
pub struct Issuer {
    pub kid: &'static str,
    key: SigningKey,
}

impl Issuer {
    pub fn new(kid: &'static str) -> Self {
        let mut seed = [0; 32];
        seed.iter_mut()
            .zip(kid.bytes())
            .for_each(|(to, from)| *to = from);
        Self {
            kid,
            key: SigningKey::from_bytes(&seed),
        }
    }

    pub fn jwk(&self) -> Value {
        let point = BASE64URL_NOPAD.encode(self.key.verifying_key().as_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": point })
    }

    pub fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.kid })
    }

    /// Signs two texts, whatever they say.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// A token like any other, but for the claims that are given; null leaves one out.
    pub fn token(&self, different: Value) -> String {
        let mut claims = json!({
            "iss": "https://id.example.com", "aud": "acme", "sub": "alice", "exp": NOW + 300,
            "iat": NOW - 5, "jti": "1",
        });
        change(&mut claims, different);
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// A token like any other, but for the header.
    pub fn token_with_header(&self, different: Value) -> String {
        let mut header = self.header();
        change(&mut header, different);
        let claims = json!({
            "iss": "https://id.example.com", "aud": "acme", "sub": "alice", "exp": NOW + 300,
        });
        self.sign(&header.to_string(), &claims.to_string())
    }
}

pub fn encoded(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

pub fn change(object: &mut Value, different: Value) {
    let Value::Object(different) = different else {
        panic!("not an object: {different}")
    };
    for (name, value) in different {
        match value {
            Value::Null => _ = object.as_object_mut().unwrap().remove(&name),
            value => object[name] = value,
        }
    }
}

/// The method, with these settings beside the usual ones.
pub fn jwt(keys: &[Value], different: Value) -> Jwt {
    let mut settings = json!({
        "issuer": "https://id.example.com", "audience": "acme", "role": "user",
        "keys": { "keys": keys },
    });
    change(&mut settings, different);
    serde_json::from_value(settings).unwrap()
}

fn attempt(authextra: &Value) -> Attempt {
    Attempt {
        realm: "acme".into(),
        authextra: authextra.to_string(),
        now: NOW * 1000,
        ..Attempt::default()
    }
}

fn decide(jwt: &Jwt, token: &str) -> Result<Identity, String> {
    match jwt.begin(&attempt(&json!({ "token": token }))).unwrap() {
        Verdict::Accept(identity) => Ok(identity),
        Verdict::Deny(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

/// Why the method with the usual settings denies it.
#[track_caller]
pub fn denied(token: &str) -> String {
    let issuer = Issuer::new("a");
    decide(&jwt(&[issuer.jwk()], json!({})), token).expect_err("denied")
}

#[track_caller]
fn role(settings: Value, claims: Value) -> Result<String, String> {
    let issuer = Issuer::new("a");
    let jwt = jwt(&[issuer.jwk()], settings);
    decide(&jwt, &issuer.token(claims)).map(|identity| identity.authrole)
}

#[test]
fn a_token_is_sent_along_or_asked_for() {
    let issuer = Issuer::new("a");
    let jwt = jwt(&[issuer.jwk()], json!({}));
    let token = issuer.token(json!({}));

    let asked = jwt.begin(&attempt(&json!({ "other": 1 })));
    assert!(matches!(asked, Ok(Verdict::Challenge(challenge)) if challenge.extra == "{}"));
    let answer = Answer {
        signature: token.clone(),
        ..Answer::default()
    };
    let answered = jwt.resume(&attempt(&json!({})), &answer).unwrap();
    let sent = jwt.begin(&attempt(&json!({ "token": token }))).unwrap();
    for verdict in [answered, sent] {
        let Verdict::Accept(identity) = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!((&*identity.authid, &*identity.authrole), ("alice", "user"));
        assert_eq!(
            identity.authprovider.as_deref(),
            Some("https://id.example.com")
        );
        assert_eq!(identity.expires_at, Some((NOW + 300) * 1000));
    }
    // What was sent along is not asked for again if it is wrong.
    for token in [json!("x"), json!(1), json!({})] {
        let verdict = jwt.begin(&attempt(&json!({ "token": token })));
        assert!(matches!(verdict, Ok(Verdict::Deny(_))), "{token}");
    }
}

#[test]
fn a_client_that_says_who_it_is_must_be_who_the_token_says() {
    let issuer = Issuer::new("a");
    let jwt = jwt(&[issuer.jwk()], json!({}));
    let token = issuer.token(json!({}));
    for (claimed, accepted) in [("alice", true), ("Alice", false), ("bob", false)] {
        let attempt = Attempt {
            authid: Some(claimed.into()),
            ..attempt(&json!({ "token": token }))
        };
        let verdict = jwt.begin(&attempt).unwrap();
        assert_eq!(matches!(verdict, Verdict::Accept(_)), accepted, "{claimed}");
    }
}

#[test]
fn the_authid_is_in_a_claim_of_ones_choice() {
    let issuer = Issuer::new("a");
    let token = issuer.token(json!({
        "https://acme.example/user.name": "al", "act": { "sub": "agent", "n": 7 }, "empty": "",
    }));
    let authid = |path: Value| {
        let jwt = jwt(&[issuer.jwk()], json!({ "authid": path }));
        decide(&jwt, &token).map(|identity| identity.authid)
    };
    assert_eq!(authid(json!("sub")).unwrap(), "alice");
    assert_eq!(
        authid(json!("https://acme.example/user.name")).unwrap(),
        "al"
    );
    assert_eq!(authid(json!(["act", "sub"])).unwrap(), "agent");
    for path in [
        json!("act"),
        json!(["act", "n"]),
        json!("empty"),
        json!("exp"),
    ] {
        assert!(authid(path).unwrap_err().contains("could be an authid"));
    }
    for path in [json!("email"), json!(["sub", "x"]), json!("act.sub")] {
        assert!(authid(path).unwrap_err().contains("has no claim"));
    }
}

#[test]
fn roles_come_from_claims_by_the_first_rule_that_fits() {
    let rules = json!({ "roles": [
        { "claim": ["realm_access", "roles"], "value": "root", "role": "admin" },
        { "claim": "group", "value": "staff", "role": "staff" },
        { "claim": "scope", "value": "wamp.read", "role": "reader" },
    ] });
    let cases = [
        (json!({}), "user"),
        (
            json!({ "realm_access": { "roles": ["x", "root"] }, "group": "staff" }),
            "admin",
        ),
        (json!({ "group": ["staff", "x"] }), "staff"),
        (json!({ "group": "staff room" }), "user"),
        (json!({ "group": ["staff room", 1, null] }), "user"),
        (json!({ "group": { "staff": true } }), "user"),
        (json!({ "scope": "openid wamp.read" }), "reader"),
        (json!({ "scope": "openid wamp.readwrite" }), "user"),
        (json!({ "realm_access": "root" }), "user"),
    ];
    for (claims, expected) in cases {
        assert_eq!(
            role(rules.clone(), claims.clone()).unwrap(),
            expected,
            "{claims}"
        );
    }
    // Without a role for all, whom no rule fits is denied.
    let mut strict = rules;
    strict["role"] = Value::Null;
    assert_eq!(
        role(strict.clone(), json!({ "group": "staff" })).unwrap(),
        "staff"
    );
    let reason = role(strict, json!({})).unwrap_err();
    assert_eq!(reason, "no claim of the token gives a role");
}

#[test]
fn settings_that_let_nobody_or_anybody_in_are_refused() {
    let issuer = Issuer::new("a");
    let check = |different| jwt(&[issuer.jwk()], different).check();
    assert_eq!(check(json!({})), Ok(()));
    for (different, names) in [
        (json!({ "issuer": "" }), "`issuer`"),
        (json!({ "audience": "" }), "`audience`"),
        (json!({ "leeway": 301 }), "`leeway`"),
        (json!({ "role": null }), "`role`"),
        (json!({ "keys": {} }), "`keys`"),
        (json!({ "keys": { "keys": [] } }), "`keys`"),
        (
            json!({ "keys": { "keys": [{ "kty": "oct", "k": "AAAA" }] } }),
            "`keys`",
        ),
        (json!({ "keys": { "keys": ["a"] } }), "`keys`"),
    ] {
        let error = check(different.clone()).expect_err("refused");
        assert!(error.contains(names), "{different}: {error}");
    }
    for missing in ["issuer", "audience", "keys"] {
        let mut settings = json!({ "issuer": "i", "audience": "a", "keys": "k", "role": "user" });
        settings[missing] = Value::Null;
        assert!(
            serde_json::from_value::<Jwt>(settings).is_err(),
            "{missing}"
        );
    }
}
