//! The vectors that clients and other routers publish, and what must not pass for a signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;

use super::*;

/// From `wamp/crsign/crsign_test.go` of the nexus router.
const NEXUS: &str = concat!(
    r#"{ "nonce":"LHRTC9zeOIrt_9U3", "authprovider":"userdb", "authid":"peter", "#,
    r#""timestamp":"2014-06-22T16:36:25.448Z", "authrole":"user", "authmethod":"wampcra", "#,
    r#""session":3251278072152162 }"#
);

/// From `test/wampy-cra-test.js` of wampy.js.
const WAMPY: &str = concat!(
    r#"{"authrole": "commonuser", "authprovider": "static", "authmethod": "wampcra", "#,
    r#""timestamp": "2016-05-19T09:30:32.177Z", "session": 6492709588079659, "authid": "joe", "#,
    r#""nonce": "Z+UXH9Q8htepjpDYGAuwBQgeQTSX2W9eZrEJLFrr1ohVJVHjzIaxgw7niL6CsAQb"}"#
);

/// From `tests/auth/wampcra_test.py` of wampproto-python.
const WAMPPROTO: &str = concat!(
    r#"{"nonce":"cdcb3b12d56e12825be99f38f55ba43f","authprovider":"provider","authid":"foo","#,
    r#""authrole":"admin","authmethod":"wampcra","session":123,"#,
    r#""timestamp":"2024-05-07T09:25:13.307Z"}"#
);

const SIGNATURE: &str = "NWktSrMd4ItBSAKYEwvu1bTY7G/sSyjKbz+pNP9c04A=";

/// The key as clients make it: the text of the base64, not the octets.
fn derive(password: &str, salt: &str, iterations: u32, keylen: usize) -> String {
    let mut key = vec![0; keylen];
    pbkdf2_hmac::<Sha256>(password.as_bytes(), salt.as_bytes(), iterations, &mut key);
    STANDARD.encode(key)
}

/// What the host does with a signature that this method has read.
fn matches(key: &str, challenge: &str, signature: &str) -> bool {
    let Tag(tag) = Tag::parse(signature).expect("a signature is 32 octets in base64");
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    hmac.update(challenge.as_bytes());
    hmac.verify_slice(&tag).is_ok()
}

#[test]
fn nexus_plain() {
    assert!(matches("secret", NEXUS, SIGNATURE));
}

#[test]
fn nexus_salted() {
    let key = derive("password", "salt123", 1000, 32);
    assert_eq!(key, "XX9AIwVx2pYcnIAm+U69vjdUImcvNehHD5atN4rwDb0=");
    assert!(matches(
        &key,
        NEXUS,
        "hk/2riA2JqydfL5wLoicrYfAt8uNeP6nikk9kqDhsnM="
    ));
}

#[test]
fn autobahn_python_derive_key() {
    let key = derive("L3L1YUE8Txlw", "salt123", 1000, 32);
    assert_eq!(key, "qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=");
}

#[test]
fn autobahn_python_compute_wcs() {
    let signature = "1njQtmmeYO41N5EWEzD2kAjjEKRZ5kPZt/TzpYXOzR0=";
    assert!(matches("L3L1YUE8Txlw", "[1, 2, 3]", signature));
}

#[test]
fn wampy_plain() {
    assert!(matches(
        "secretKey",
        WAMPY,
        "pKj6AlpNYn7QKqAZD0WctTVO+nxpSG1kT9muLzbv5Mo="
    ));
}

#[test]
fn wampy_salted() {
    for (iterations, keylen, key) in [
        (1000, 32, "PjhbMq82TzEZgl7/qKoUrk2ZdYl3sBciwBVSnE7ZCYM="),
        (500, 32, "t/+iDiMZLt/mFSzbtq7vJHdExA3FtBu0LukzpTFYBpI="),
        (2000, 16, "ER8wnMRXtdNgY8tJ37FkhQ=="),
    ] {
        assert_eq!(derive("secretKey", "secretSalt", iterations, keylen), key);
    }
    let key = derive("secretKey", "secretSalt", 100, 16);
    assert!(matches(
        &key,
        WAMPY,
        "W+wnbw5Uo9rkDIrQf1SSJue4JPzkqWQE89sO4qndUs4="
    ));
}

#[test]
fn wampproto_python() {
    let key = "6d9b906ad60d1f4dd796dbadcc2e2252310565ccdc6fe10b289df5684faf2a46";
    assert!(matches(
        key,
        WAMPPROTO,
        "DIVL3bKs/Ei91eQyYznzUqEsiTmX705BNEXuicNpi8A="
    ));
}

/// Its secret is not published, so only that it can be read.
#[test]
fn specification_example() {
    assert!(Tag::parse("gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI=").is_some());
}

#[test]
fn a_signature_fits_one_challenge_and_one_key() {
    assert!(!matches("secret", WAMPY, SIGNATURE));
    assert!(!matches("Secret", NEXUS, SIGNATURE));
}

#[test]
fn a_signature_with_any_bit_flipped_does_not_match() {
    let Tag(tag) = Tag::parse(SIGNATURE).unwrap();
    for bit in 0..256 {
        let mut flipped = tag;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            !matches("secret", NEXUS, &STANDARD.encode(flipped)),
            "bit {bit}"
        );
    }
}

#[test]
fn only_one_spelling_of_a_signature_is_read() {
    let unpadded = SIGNATURE.trim_end_matches('=');
    for signature in [
        "",
        unpadded,
        &format!("{SIGNATURE}="),
        &format!(" {SIGNATURE}"),
        &format!("{SIGNATURE}\n"),
        &format!("{}\n{}", &SIGNATURE[..22], &SIGNATURE[22..]),
        &format!("\0{SIGNATURE}"),
        // The URL-safe alphabet.
        &SIGNATURE.replace('/', "_").replace('+', "-"),
        // The same 32 octets, with a bit set that belongs to none of them.
        &SIGNATURE.replace("4A=", "4B="),
        // 31 and 33 octets.
        &STANDARD.encode([0; 31]),
        &STANDARD.encode([0; 33]),
        // Hex.
        &"35".repeat(32),
        "Ä".repeat(22).as_str(),
    ] {
        assert!(Tag::parse(signature).is_none(), "{signature:?}");
    }
}

#[test]
fn a_client_without_an_authid_is_denied_before_any_credential_is_looked_up() {
    let method = WampCra::default();
    let denied = |verdict| matches!(verdict, Ok(Verdict::Deny(_)));
    assert!(denied(method.begin(&Attempt::default())));
    assert!(denied(
        method.resume(&Attempt::default(), &Answer::default())
    ));
}

#[test]
fn a_malformed_signature_is_denied_before_any_credential_is_looked_up() {
    let attempt = Attempt {
        authid: Some("peter".into()),
        ..Attempt::default()
    };
    let answer = Answer {
        signature: "secret".into(),
        ..Answer::default()
    };
    let verdict = WampCra::default().resume(&attempt, &answer);
    assert!(matches!(verdict, Ok(Verdict::Deny(_))));
}
