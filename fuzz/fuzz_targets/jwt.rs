//! A token lets nobody in unless its issuer has signed it; and whatever its issuer has signed, its claims
//! are read to a good end.
#![no_main]

use std::sync::LazyLock;

use countersign_guest::{Answer, Attempt, Method, Verdict};
use countersign_jwt::Jwt;
use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const NOW: u64 = 1_800_000_000;

static ISSUER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

static METHOD: LazyLock<Jwt> = LazyLock::new(|| {
    let point = BASE64URL_NOPAD.encode(ISSUER.verifying_key().as_bytes());
    let settings = json!({
        "issuer": "https://id.example.com", "audience": "acme",
        "roles": [{ "claim": "groups", "value": "admins", "role": "admin" }], "role": "user",
        "keys": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": point }] },
    });
    serde_json::from_value(settings).expect("settings")
});

fn decide(token: String) -> Verdict {
    let attempt = Attempt {
        realm: "acme".into(),
        now: NOW * 1000,
        ..Attempt::default()
    };
    let answer = Answer {
        signature: token,
        ..Answer::default()
    };
    METHOD
        .resume(&attempt, &answer)
        .expect("keys that are there")
}

fuzz_target!(|input: (&str, &[u8], &[u8])| {
    let (token, header, claims) = input;
    // Nobody guesses a signature.
    assert!(
        matches!(decide(token.to_owned()), Verdict::Deny(_)),
        "{token}"
    );
    for header in [br#"{"alg":"EdDSA","kid":"a"}"#.as_slice(), header] {
        let [header, claims] = [header, claims].map(|piece| BASE64URL_NOPAD.encode(piece));
        let signed = format!("{header}.{claims}");
        let signature = BASE64URL_NOPAD.encode(&ISSUER.sign(signed.as_bytes()).to_bytes());
        if let Verdict::Accept(identity) = decide(format!("{signed}.{signature}")) {
            let expires_at = identity.expires_at.expect("a token expires");
            assert!(expires_at >= (NOW - 30) * 1000, "{identity:?}");
            assert!(
                ["user", "admin"].contains(&&*identity.authrole),
                "{identity:?}"
            );
        }
    }
});
