//! What an answer must be, held against the specification's own vectors and what differs from them.
//! What needs a host (whose a passkey is, its counter, codes) is in the tests of the whole router.

mod cose;
mod openssl;
mod property;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use countersign_guest::Proof;
use serde_json::{Value, json};

use super::*;
use crate::authenticator::{AuthenticatorData, attested_data};

/// Web Authentication, level 3, section 16 ("ES256 credential with no attestation"): what was
/// registered, and how it was then used. The relying party is example.org.
const ATTESTATION: &str = "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc374\
     32958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff\
     6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a50102032620012158\
     20afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b\
     03458abf879717c12cc68ed73290af2e2664796b9220";
const CREATED: &str = r#"{"type":"webauthn.create","challenge":"AMMPt4UxxGTStncdq413YwDwBfi8vpIa-pw8oOuVW4E","origin":"https://example.org","crossOrigin":false,"extraData":"clientDataJSON may be extended with additional fields in the future, such as this: BkQeDjdcTBrXBiAwJTLE5Q"}"#;
const CREATION_CHALLENGE: &str = "AMMPt4UxxGTStncdq413YwDwBfi8vpIa-pw8oOuVW4E";
const ID: &str = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4";

const DATA: &str = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000";
const GOT: &str = r#"{"type":"webauthn.get","challenge":"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag","origin":"https://example.org","crossOrigin":false}"#;
const CHALLENGE: &str = "OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag";
const SIGNATURE: &str = "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd\
     380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87";

fn method() -> Webauthn {
    Webauthn {
        rp: "example.org".into(),
        origins: vec!["https://example.org".into()],
        name: None,
        // The vector's authenticator has verified nobody.
        user_verification: UserVerification::Preferred,
    }
}

fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn base64url(octets: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(octets)
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64URL.decode(text).unwrap()
}

/// What a browser returns for a new passkey.
fn attestation(client_data: &str, attestation_object: &[u8]) -> Value {
    json!({
        "id": base64url(octets(ID)),
        "rawId": base64url(octets(ID)),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": base64url(client_data),
            "attestationObject": base64url(attestation_object),
            "transports": ["usb", "internal", "usb", "Not One", ""],
        },
    })
}

/// What a browser returns for a passkey that was used.
fn assertion(client_data: &str, authenticator_data: &[u8]) -> Value {
    json!({
        "id": base64url(octets(ID)),
        "rawId": base64url(octets(ID)),
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": base64url(client_data),
            "authenticatorData": base64url(authenticator_data),
            "signature": base64url(octets(SIGNATURE)),
            "userHandle": null,
        },
    })
}

fn made(method: &Webauthn, client_data: &str, attestation_object: &[u8]) -> Result<Made, String> {
    let answer = attestation(client_data, attestation_object).to_string();
    method.made(&decoded(CREATION_CHALLENGE), &answer)
}

fn used(method: &Webauthn, client_data: &str, authenticator_data: &[u8]) -> Result<Used, String> {
    let answer = assertion(client_data, authenticator_data).to_string();
    method.used(&decoded(CHALLENGE), &answer)
}

/// Why an assertion is refused whose client data has another text in one place.
fn refused_client_data(old: &str, new: &str) -> String {
    assert!(GOT.contains(old), "{old}");
    used(&method(), &GOT.replace(old, new), &octets(DATA)).unwrap_err()
}

/// Why an assertion is refused whose flags are these.
fn refused_flags(flags: u8, user_verification: UserVerification) -> Option<String> {
    let mut data = octets(DATA);
    data[32] = flags;
    let method = Webauthn {
        user_verification,
        ..method()
    };
    used(&method, GOT, &data).err()
}

#[test]
fn the_vector_of_the_specification() {
    let made = made(&method(), CREATED, &octets(ATTESTATION)).unwrap();
    assert_eq!(made.id, octets(ID));
    assert_eq!(made.counter, 0);
    let about = About {
        backup_eligible: true,
        transports: vec!["internal".into(), "usb".into()],
        user_verified: false,
    };
    assert_eq!(made.about, about);

    let used = used(&method(), GOT, &octets(DATA)).unwrap();
    assert_eq!((&used.id, used.counter), (&made.id, 0));
    assert!(used.backup_eligible);
    assert_eq!(used.user_handle, None);
    assert_eq!(used.verify(&made.public_key), Ok(()));
}

#[test]
fn every_octet_that_is_signed_counts() {
    let key = made(&method(), CREATED, &octets(ATTESTATION))
        .unwrap()
        .public_key;
    let fits = |client_data: &str, data: &[u8]| {
        used(&method(), client_data, data).is_ok_and(|used| used.verify(&key).is_ok())
    };
    assert!(fits(GOT, &octets(DATA)));
    for at in 0..octets(DATA).len() {
        let mut data = octets(DATA);
        data[at] ^= 1 << (at % 8);
        assert!(!fits(GOT, &data), "octet {at}");
    }
    // It means the same, and is not what was signed.
    assert!(!fits(&GOT.replace(":false}", ": false}"), &octets(DATA)));
    assert!(!fits(
        &GOT.replace(r#","crossOrigin":false"#, ""),
        &octets(DATA)
    ));
}

#[test]
fn t05_an_assertion_is_good_for_its_own_challenge_only() {
    let answer = assertion(GOT, &octets(DATA)).to_string();
    let refused = method().used(&decoded(CREATION_CHALLENGE), &answer);
    assert_eq!(
        refused.unwrap_err(),
        "the challenge that was answered is another one"
    );
    let refused = refused_client_data(CHALLENGE, "");
    assert_eq!(refused, "the challenge that was answered is another one");
}

#[test]
fn an_answer_is_of_the_ceremony_that_was_asked_for() {
    let refused = refused_client_data("webauthn.get", "webauthn.create");
    assert_eq!(refused, "the client data is not of webauthn.get");
    let created = CREATED.replace("webauthn.create", "webauthn.get");
    let refused = made(&method(), &created, &octets(ATTESTATION)).unwrap_err();
    assert_eq!(refused, "the client data is not of webauthn.create");
}

#[test]
fn an_origin_is_compared_as_it_is() {
    for other in [
        "https://example.org.evil.example",
        "https://evil.example",
        "https://login.example.org",
        "https://example.org:8443",
        "https://example.org/",
        "https://EXAMPLE.org",
        "http://example.org",
        "null",
    ] {
        let refused = refused_client_data("https://example.org", other);
        assert!(
            refused.contains("which is none of `origins`"),
            "{other}: {refused}"
        );
    }
    let long = refused_client_data("https://example.org", &"x".repeat(5000));
    assert!(long.len() < 200);
}

#[test]
fn a_page_in_somebody_elses_frame_is_refused() {
    for (old, new) in [
        (r#""crossOrigin":false"#, r#""crossOrigin":true"#),
        (
            r#""crossOrigin":false"#,
            r#""topOrigin":"https://example.com","crossOrigin":false"#,
        ),
    ] {
        let refused = refused_client_data(old, new);
        assert_eq!(refused, "the page was in a frame of another site");
    }
}

#[test]
fn another_relying_party_is_refused() {
    let method = Webauthn {
        rp: "example.com".into(),
        ..method()
    };
    let refused = "the authenticator was asked by another party than `rp`";
    assert_eq!(used(&method, GOT, &octets(DATA)).unwrap_err(), refused);
    let attestation = octets(ATTESTATION);
    assert_eq!(made(&method, CREATED, &attestation).unwrap_err(), refused);
}

#[test]
fn flags_are_held_against_what_was_asked_for() {
    use UserVerification::{Discouraged, Preferred, Required};
    let (present, verified, eligible, backed_up) = (1, 4, 8, 16);
    for wanted in [Required, Preferred, Discouraged] {
        let all = present | verified | eligible | backed_up;
        assert_eq!(refused_flags(all, wanted), None);
        assert_eq!(
            refused_flags(verified | eligible, wanted).as_deref(),
            Some("nobody was there")
        );
        assert_eq!(
            refused_flags(present | verified | backed_up, wanted).as_deref(),
            Some("the passkey is backed up, which it says it cannot be")
        );
    }
    assert_eq!(
        refused_flags(present, Required).as_deref(),
        Some("the authenticator has not verified its user")
    );
    assert_eq!(refused_flags(present, Preferred), None);
    assert_eq!(refused_flags(present, Discouraged), None);
}

#[test]
fn an_answer_is_the_json_of_a_credential() {
    let good = assertion(GOT, &octets(DATA));
    let wrong = |path: &str, value: Value| {
        let mut answer = good.clone();
        *answer.pointer_mut(path).unwrap() = value;
        method().used(&decoded(CHALLENGE), &answer.to_string())
    };
    assert!(wrong("/id", json!("whatever")).is_ok());
    for (path, value) in [
        ("/rawId", json!(7)),
        ("/rawId", json!("not base64url!")),
        ("/rawId", json!(base64url(octets(ID)) + "=")),
        ("/type", json!("password")),
        ("/response", json!(null)),
        ("/response/clientDataJSON", json!("e30")),
        ("/response/clientDataJSON", json!(base64url([0xff, 0xfe]))),
        ("/response/authenticatorData", json!("")),
        ("/response/signature", json!([1, 2, 3])),
        ("/response/userHandle", json!({})),
    ] {
        assert!(wrong(path, value.clone()).is_err(), "{path}: {value}");
    }
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "\u{0}",
        "{\"rawId\":\"AA\",\"rawId\":\"AA\"}",
    ] {
        assert!(
            method().used(&decoded(CHALLENGE), text).is_err(),
            "{text:?}"
        );
    }
}

#[test]
fn the_passkey_that_was_made_is_the_one_that_is_named() {
    let mut answer = attestation(CREATED, &octets(ATTESTATION));
    answer["rawId"] = json!("AAAA");
    let refused = method().made(&decoded(CREATION_CHALLENGE), &answer.to_string());
    let reason = "the answer names another passkey than the one that was made";
    assert_eq!(refused.unwrap_err(), reason);
}

#[test]
fn an_assertion_is_no_attestation() {
    // The flag that says so, and nothing of a credential.
    let mut object = octets("a163617574684461746158");
    object[0] = 0xa1;
    let mut object = [&object[..1], b"\x68authData\x58\x25".as_slice()].concat();
    object.extend(octets(DATA));
    let refused = made(&method(), CREATED, &object).unwrap_err();
    assert_eq!(refused, "the answer has no new passkey in it");
}

#[test]
fn octets_that_are_too_few_or_too_many_are_no_authenticator_data() {
    let attestation = octets(ATTESTATION);
    let attested = attested_data(&attestation).unwrap().to_vec();
    for data in [octets(DATA), attested] {
        assert!(AuthenticatorData::parse(&data).is_ok());
        for length in 0..data.len() {
            assert!(
                AuthenticatorData::parse(&data[..length]).is_err(),
                "{length}"
            );
        }
        assert!(AuthenticatorData::parse(&[&data[..], &[0]].concat()).is_err());
    }
}

#[test]
fn extensions_are_passed_over() {
    let mut data = octets(DATA);
    data[32] |= 0x80;
    assert!(AuthenticatorData::parse(&data).is_err());
    data.extend(octets("a16863726564426c6f62f4"));
    assert!(AuthenticatorData::parse(&data).is_ok());
}

#[test]
fn an_attestation_object_is_one_map() {
    let good = octets(ATTESTATION);
    for length in 0..good.len() {
        assert!(attested_data(&good[..length]).is_err(), "{length}");
    }
    assert!(attested_data(&[&good[..], &[0]].concat()).is_err());
    // Without a length, and with its data twice.
    assert!(attested_data(&octets("bf68617574684461746140ff")).is_err());
    assert!(attested_data(&octets("a2686175746844617461406861757468446174614101")).is_err());
}

#[test]
fn what_a_browser_is_asked() {
    let known = [Kept {
        id: "AQID".into(),
        counter: 4,
        about: About {
            backup_eligible: false,
            transports: vec!["usb".into()],
            user_verified: true,
        },
    }];
    let listed = json!([{ "type": "public-key", "id": "AQID", "transports": ["usb"] }]);
    let method = Webauthn {
        name: Some("The Acme Company".into()),
        user_verification: UserVerification::Required,
        ..method()
    };
    let request = serde_json::to_value(Request::new(&method, &[0xfb; 3], &known)).unwrap();
    assert_eq!(
        request,
        json!({
            "challenge": "-_v7",
            "rpId": "example.org",
            "allowCredentials": listed,
            "userVerification": "required",
            "timeout": 60_000,
        })
    );
    let creation = Creation::new(&method, &[0xfb; 3], "alice", &[1; 32], &known);
    let creation = serde_json::to_value(creation).unwrap();
    assert_eq!(
        creation,
        json!({
            "challenge": "-_v7",
            "rp": { "id": "example.org", "name": "The Acme Company" },
            "user": { "id": base64url([1; 32]), "name": "alice", "displayName": "alice" },
            "pubKeyCredParams": [
                { "type": "public-key", "alg": -7 },
                { "type": "public-key", "alg": -8 },
                { "type": "public-key", "alg": -257 },
            ],
            "excludeCredentials": listed,
            "authenticatorSelection": {
                "residentKey": "preferred",
                "userVerification": "required",
            },
            "attestation": "none",
            "timeout": 60_000,
        })
    );
}

#[test]
fn the_user_is_the_one_whom_the_step_before_has_found() {
    let mut attempt = Attempt::default();
    assert_eq!(User::of(&attempt), None);
    attempt.authid = Some("mallory".into());
    assert_eq!(User::of(&attempt).map(|user| user.authid), Some("mallory"));
    attempt.proven = vec![Proof {
        authmethod: "wampcra".into(),
        authid: "alice".into(),
        authrole: "user".into(),
        authextra: "{}".into(),
    }];
    let alice = User {
        authid: "alice",
        authrole: Some("user"),
    };
    assert_eq!(User::of(&attempt), Some(alice));
}

#[test]
fn a_code_is_text() {
    let attempt = Attempt {
        authid: Some("alice".into()),
        authextra: r#"{"enrolment":1234}"#.into(),
        ..Attempt::default()
    };
    for verdict in [
        method().begin(&attempt),
        method().resume(&attempt, &Answer::default()),
    ] {
        assert!(matches!(verdict, Ok(Verdict::Deny(reason)) if reason.contains("authextra")));
    }
}

#[test]
fn settings_say_where_passkeys_are_used() {
    let check = |rp: &str, origins: &[&str]| {
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        Webauthn {
            rp: rp.into(),
            origins,
            ..method()
        }
        .check()
    };
    for (rp, origin) in [
        ("example.org", "https://example.org"),
        ("example.org", "https://login.example.org:8443"),
        ("localhost", "http://localhost:8081"),
        ("example.org", "android:apk-key-hash:0xABC"),
        ("example.org", "chrome-extension://abcdef"),
    ] {
        assert_eq!(check(rp, &[origin]), Ok(()), "{rp}, {origin}");
    }
    for rp in [
        "",
        "https://example.org",
        "Example.org",
        "example.org:443",
        "a..b",
    ] {
        let error = check(rp, &["https://example.org"]).unwrap_err();
        assert!(error.starts_with("`rp`"), "{error}");
    }
    for origin in [
        "",
        "example.org",
        "https://example.org/",
        "https://example.org:443",
        "https://example.org:0443",
        "https://example.org:+1",
        "https://Example.org",
        "http://example.org",
        "https://example.org/login",
        "://example.org",
    ] {
        let error = check("example.org", &["https://example.org", origin]).unwrap_err();
        assert!(error.starts_with("`origins`"), "{origin}: {error}");
    }
    assert!(check("example.org", &[]).is_err());
}
