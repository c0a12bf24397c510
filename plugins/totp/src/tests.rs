//! RFC 6238's vectors, and what must not pass for a code. What needs a host (each code once, recovery
//! codes, decoys) is in the tests of the whole router.

use countersign_guest::Proof;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::*;

/// RFC 6238, appendix B: seconds since the Unix epoch, then the codes by SHA-1, SHA-256, SHA-512.
const VECTORS: [(u64, [&str; 3]); 6] = [
    (59, ["94287082", "46119246", "90693936"]),
    (1_111_111_109, ["07081804", "68084774", "25091201"]),
    (1_111_111_111, ["14050471", "67062674", "99943326"]),
    (1_234_567_890, ["89005924", "91819424", "93441116"]),
    (2_000_000_000, ["69279037", "90698825", "38618901"]),
    (20_000_000_000, ["65353130", "77737706", "47863826"]),
];

/// The appendix speaks of one seed of 20 octets. Its numbers are those of seeds as long as the hash.
const SEED: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

/// What the host does.
fn hmac(algorithm: &str, step: u64) -> Vec<u8> {
    fn tag<M: Mac + KeyInit>(seed: &[u8], step: u64) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(seed).unwrap();
        mac.update(&step.to_be_bytes());
        mac.finalize().into_bytes().to_vec()
    }
    match algorithm {
        "SHA1" => tag::<Hmac<Sha1>>(&SEED[..20], step),
        "SHA256" => tag::<Hmac<Sha256>>(&SEED[..32], step),
        _ => tag::<Hmac<Sha512>>(&SEED[..64], step),
    }
}

/// The step that a code is accepted for, at a time in Unix seconds.
fn accepted(algorithm: &str, digits: u8, code: &str, time: u64, window: u8) -> Option<u64> {
    let text = format!(r#"{{"algorithm":"{algorithm}","digits":{digits},"period":30}}"#);
    let parameters = Parameters::parse(&text).unwrap();
    let steps = parameters.steps(time * 1000, window);
    Code::parse(code, digits)?.step_among(steps, |step| hmac(algorithm, step))
}

#[test]
fn rfc_6238() {
    for (time, codes) in VECTORS {
        for (algorithm, code) in ["SHA1", "SHA256", "SHA512"].into_iter().zip(codes) {
            let step = accepted(algorithm, 8, code, time, 0);
            assert_eq!(step, Some(time / 30), "{algorithm} at {time}");
            // Fewer digits are the last ones.
            for digits in [6, 7] {
                let last = &code[8 - usize::from(digits)..];
                assert!(accepted(algorithm, digits, last, time, 0).is_some());
            }
        }
    }
}

#[test]
fn a_code_fits_its_own_hash_only() {
    for (time, [sha1, sha256, sha512]) in VECTORS {
        for (algorithm, code) in [("SHA1", sha256), ("SHA256", sha512), ("SHA512", sha1)] {
            assert_eq!(accepted(algorithm, 8, code, time, 1), None);
        }
    }
}

#[test]
fn the_window_ends_where_it_says() {
    // The code of step 37037036, which is shown from 1111111080 on, for 30 s.
    let (code, step, from) = ("07081804", 37_037_036, 1_111_111_080);
    for (window, first, last) in [
        (0, from, from + 29),
        (1, from - 30, from + 59),
        (3, from - 90, from + 119),
    ] {
        for time in [first, from, last] {
            assert_eq!(accepted("SHA1", 8, code, time, window), Some(step));
        }
        for time in [first - 1, last + 1] {
            assert_eq!(accepted("SHA1", 8, code, time, window), None);
        }
    }
}

#[test]
fn the_first_and_the_last_steps_of_all_have_a_window_too() {
    let text = r#"{"algorithm":"SHA1","digits":6,"period":1}"#;
    let parameters = Parameters::parse(text).unwrap();
    assert_eq!(parameters.steps(0, 1), 0..=1);
    let last = u64::MAX / 1000;
    assert_eq!(parameters.steps(u64::MAX, 1), last - 1..=last + 1);
}

#[test]
fn a_code_has_one_spelling() {
    assert!(accepted("SHA1", 8, "94287082", 59, 1).is_some());
    for code in [
        "",
        "9428708",
        "942870820",
        " 94287082",
        "94287082 ",
        "9428 7082",
        "94287082\n",
        "9428708\u{ff12}",
        // Eight octets, and digits in their scripts.
        "9\u{664}287\u{660}8",
        "\u{ff19}\u{ff14}\u{ff12}\u{ff18}\u{ff17}\u{ff10}\u{ff18}\u{ff12}",
        "+4287082",
        "-4287082",
        "0x5A0A2A",
        "9428708\0",
    ] {
        assert_eq!(accepted("SHA1", 8, code, 59, 1), None, "{code:?}");
    }
    assert_eq!(accepted("SHA1", 6, "94287082", 59, 1), None);
    // A leading zero counts.
    assert_eq!(accepted("SHA1", 8, "7081804", 1_111_111_109, 1), None);
}

#[test]
fn of_two_steps_with_one_code_the_later_counts() {
    // So that when it is used up, the code is.
    let code = Code::parse("287082", 6).unwrap();
    assert_eq!(code.step_among(5..=7, |_| hmac("SHA1", 1)), Some(7));
}

#[test]
fn octets_that_are_no_hmac_have_no_code() {
    let code = Code::parse("000000", 6).unwrap();
    for hmac in [vec![], vec![0; 3], vec![0xff; 16]] {
        assert_eq!(code.step_among(0..=0, |_| hmac.clone()), None);
    }
}

#[test]
fn a_credential_that_no_app_can_have_is_the_operators_business() {
    for text in [
        "{}",
        r#"{"algorithm":"MD5","digits":6,"period":30}"#,
        r#"{"algorithm":"SHA1","digits":5,"period":30}"#,
        r#"{"algorithm":"SHA1","digits":200,"period":30}"#,
        r#"{"algorithm":"SHA1","digits":6,"period":0}"#,
    ] {
        assert!(Parameters::parse(text).is_err(), "{text}");
    }
}

fn proven(authid: &str, authrole: &str) -> Proof {
    Proof {
        authmethod: "wampcra".into(),
        authid: authid.into(),
        authrole: authrole.into(),
        authextra: "{}".into(),
    }
}

#[test]
fn the_user_is_the_one_whom_the_step_before_has_found() {
    let attempt = Attempt {
        authid: Some("mallory".into()),
        proven: vec![proven("alice", "user")],
        ..Attempt::default()
    };
    for alone in [false, true] {
        let method = Totp { alone, window: 1 };
        let alice = User {
            authid: "alice",
            authrole: Some("user"),
        };
        assert_eq!(method.user(&attempt), Ok(alice));
    }
}

#[test]
fn it_is_no_first_step_unless_the_realm_says_so() {
    let attempt = Attempt {
        authid: Some("alice".into()),
        authextra: r#"{"totp":"123456"}"#.into(),
        ..Attempt::default()
    };
    let verdict = Totp::default().begin(&attempt);
    assert!(matches!(verdict, Ok(Verdict::Deny(reason)) if reason.contains("alone = true")));
    let verdict = Totp::default().resume(&attempt, &Answer::default());
    assert!(matches!(verdict, Ok(Verdict::Deny(_))));

    let alone = Totp {
        alone: true,
        ..Totp::default()
    };
    assert_eq!(alone.user(&attempt).map(|user| user.authid), Ok("alice"));
    assert!(alone.user(&Attempt::default()).is_err());
}

#[test]
fn what_is_sent_along_must_be_text() {
    for authextra in [r#"{"totp":123456}"#, r#"{"totp":["123456"]}"#] {
        let attempt = Attempt {
            authextra: authextra.into(),
            proven: vec![proven("alice", "user")],
            ..Attempt::default()
        };
        let verdict = Totp::default().begin(&attempt);
        assert!(matches!(verdict, Ok(Verdict::Deny(reason)) if reason.contains("authextra")));
    }
}

#[test]
fn a_window_is_bounded() {
    let check = |window| {
        Totp {
            window,
            alone: false,
        }
        .check()
    };
    assert_eq!(check(0), Ok(()));
    assert_eq!(check(10), Ok(()));
    assert!(check(11).unwrap_err().contains("`window`"));
}
