//! The vectors that the specification and clients publish, and what must not pass for an answer.

mod edges;
mod vectors;

use countersign_guest::cryptosign::{SignedMessage, TLS_EXPORTER};
use ed25519_dalek::{Signer, SigningKey};

use self::vectors::*;
use super::*;

const NOT_THE_CHALLENGE: Result<(), &str> = Err("what the client signed is not the challenge");
const NOT_THIS_CHANNEL: Result<(), &str> =
    Err("what the client signed is not the challenge bound to this TLS connection");
const NO_MATCH: Result<(), &str> = Err("the signature does not match");

impl Vector {
    fn key(&self) -> PublicKey {
        PublicKey::from_hex(self.pubkey).unwrap()
    }

    fn verdict(&self) -> Result<(), &'static str> {
        verdict(&self.key(), self.challenge, self.signature)
    }

    fn signed(&self) -> SignedMessage {
        SignedMessage::from_hex(self.signature).unwrap()
    }

    /// The answer's signature with one bit of its 96 octets flipped.
    fn flipped(&self, bit: usize) -> String {
        let mut octets = hex::decode(self.signature).unwrap();
        octets[bit / 8] ^= 1 << (bit % 8);
        hex::encode(octets)
    }
}

fn verdict(key: &PublicKey, challenge: &str, signature: &str) -> Result<(), &'static str> {
    verdict_over(None, key, challenge, signature)
}

/// The verdict on an answer that is to be bound to this.
fn verdict_over(
    channel: Option<&str>,
    key: &PublicKey,
    challenge: &str,
    signature: &str,
) -> Result<(), &'static str> {
    let answer = Answer {
        signature: signature.into(),
        nonce: hex::decode(challenge).unwrap(),
        ..Answer::default()
    };
    let key = PublicKey::from_octets(key.as_octets()).unwrap();
    let channel = channel.map(octets);
    Claim { key, channel }.is_proved_by(&answer)
}

fn octets(digits: &str) -> [u8; 32] {
    hex::decode(digits).unwrap().try_into().unwrap()
}

fn xor(one: &[u8], other: &[u8; 32]) -> Vec<u8> {
    let pairs = one.iter().zip(other);
    pairs.map(|(one, other)| one ^ other).collect()
}

fn signer(seed: &str) -> SigningKey {
    SigningKey::from_bytes(&hex::decode(seed).unwrap().try_into().unwrap())
}

#[test]
fn specification_vectors_without_channel_binding() {
    for (vector, seed) in SPECIFICATION.iter().zip(SPECIFICATION_SEEDS) {
        assert_eq!(hex::encode(signer(seed).verifying_key()), vector.pubkey);
        assert_eq!(vector.verdict(), Ok(()));
    }
}

#[test]
fn specification_vectors_with_channel_binding() {
    for (bound, unbound) in SPECIFICATION_BOUND.iter().zip(&SPECIFICATION) {
        let over = |channel, vector: &Vector| {
            verdict_over(channel, &vector.key(), vector.challenge, vector.signature)
        };
        assert_eq!(over(Some(SPECIFICATION_CHANNEL), bound), Ok(()));
        assert_eq!(over(Some(EXAMPLE_2_CHANNEL), bound), NOT_THIS_CHANNEL);
        assert_eq!(over(None, bound), NOT_THE_CHALLENGE);
        // Somebody between has told the client that its wish was declined.
        assert_eq!(over(Some(SPECIFICATION_CHANNEL), unbound), NOT_THIS_CHANNEL);
    }
}

/// What a binding by XOR cannot do: whoever chooses the client's challenge takes the difference of
/// two connections into it.
#[test]
fn a_relay_that_chooses_the_challenge_is_not_stopped() {
    let signer = signer(SPECIFICATION_SEEDS[0]);
    let key = SPECIFICATION[0].key();
    let (with_client, with_router) = (octets(EXAMPLE_2_CHANNEL), octets(SPECIFICATION_CHANNEL));
    let challenge = octets(EXAMPLE_1.challenge);
    let chosen: [u8; 32] = xor(&xor(&challenge, &with_client), &with_router)
        .try_into()
        .unwrap();
    let message = xor(&chosen, &with_client);
    let signature = hex::encode(signer.sign(&message).to_bytes()) + &hex::encode(&message);
    let verdict = verdict_over(
        Some(SPECIFICATION_CHANNEL),
        &key,
        EXAMPLE_1.challenge,
        &signature,
    );
    assert_eq!(verdict, Ok(()));
}

#[test]
fn specification_example_1() {
    assert_eq!(EXAMPLE_1.verdict(), Ok(()));
}

#[test]
fn specification_examples_with_channel_binding() {
    for vector in [EXAMPLE_2, EXAMPLE_3] {
        let channel = xor(
            &octets(vector.challenge),
            vector.signed().message().try_into().unwrap(),
        );
        let channel = hex::encode(channel);
        let verdict = verdict_over(
            Some(&channel),
            &vector.key(),
            vector.challenge,
            vector.signature,
        );
        assert_eq!(verdict, Ok(()));
        assert_eq!(vector.verdict(), NOT_THE_CHALLENGE);
    }
    let verdict = verdict_over(
        Some(EXAMPLE_2_CHANNEL),
        &EXAMPLE_2.key(),
        EXAMPLE_2.challenge,
        EXAMPLE_2.signature,
    );
    assert_eq!(verdict, Ok(()));
}

#[test]
fn wampproto() {
    let seed = "c7e8c1f8f16ec37f53ed153f8afb7f18469b051f1d24dbea2097a2a104b2e9db";
    assert_eq!(hex::encode(signer(seed).verifying_key()), WAMPPROTO.pubkey);
    assert_eq!(WAMPPROTO.verdict(), Ok(()));
}

#[test]
fn xconn_acceptance_test_key() {
    let seed = "150085398329d255ad69e82bf47ced397bcec5b8fbeecd28a80edbbd85b49081";
    let pubkey = "ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08";
    assert_eq!(hex::encode(signer(seed).verifying_key()), pubkey);
    assert!(PublicKey::from_hex(pubkey).is_ok());
}

#[test]
fn upper_case_hex_is_read_as_well() {
    let Vector {
        pubkey,
        challenge,
        signature,
    } = WAMPPROTO;
    let key = PublicKey::from_hex(&pubkey.to_uppercase()).unwrap();
    assert_eq!(verdict(&key, challenge, &signature.to_uppercase()), Ok(()));
}

#[test]
fn t05_an_old_answer_does_not_fit_a_new_challenge() {
    let fresh = "00".repeat(32);
    assert_eq!(
        verdict(&WAMPPROTO.key(), &fresh, WAMPPROTO.signature),
        NOT_THE_CHALLENGE
    );
}

#[test]
fn t05_an_old_signature_with_the_new_challenge_beside_it_does_not_match() {
    let fresh = "00".repeat(32);
    let forged = format!("{}{fresh}", &WAMPPROTO.signature[..128]);
    assert_eq!(verdict(&WAMPPROTO.key(), &fresh, &forged), NO_MATCH);
}

#[test]
fn an_answer_fits_one_key_only() {
    let other = SPECIFICATION[0].key();
    assert_eq!(
        verdict(&other, WAMPPROTO.challenge, WAMPPROTO.signature),
        NO_MATCH
    );
}

#[test]
fn any_bit_flipped_is_a_denial() {
    for bit in 0..96 * 8 {
        let flipped = WAMPPROTO.flipped(bit);
        assert_eq!(
            verdict(&WAMPPROTO.key(), WAMPPROTO.challenge, &flipped),
            NO_MATCH,
            "bit {bit}"
        );
    }
}

/// Adding the group's order to the scalar gives a second signature that a lax library accepts.
#[test]
fn t15_a_signature_has_one_scalar_only() {
    const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let mut octets = hex::decode(WAMPPROTO.signature).unwrap();
    let mut carry = 0;
    for (octet, order) in octets[32..64].iter_mut().zip(hex::decode(ORDER).unwrap()) {
        let sum = u16::from(*octet) + u16::from(order) + carry;
        *octet = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let second = hex::encode(octets);
    assert_eq!(
        verdict(&WAMPPROTO.key(), WAMPPROTO.challenge, &second),
        NO_MATCH
    );
}

#[test]
fn only_96_octets_in_hex_are_a_signature() {
    let signature = WAMPPROTO.signature;
    for malformed in [
        "",
        // The signature alone, without what was signed.
        &signature[..128],
        &signature[..190],
        &signature[..191],
        &format!("{signature}0"),
        &format!("{signature}00"),
        &format!(" {signature}"),
        &format!("{signature}\n"),
        &format!(" {}", &signature[1..]),
        &format!("0x{}", &signature[2..]),
        &format!("{}g", &signature[1..]),
        &format!("{}ä", &signature[2..]),
        &"A".repeat(128),
    ] {
        assert!(SignedMessage::from_hex(malformed).is_err(), "{malformed:?}");
    }
}

#[test]
fn only_32_octets_in_hex_are_a_public_key() {
    let pubkey = WAMPPROTO.pubkey;
    for malformed in [
        "",
        &pubkey[..62],
        &pubkey[..63],
        &format!("{pubkey}0"),
        &format!("{pubkey}00"),
        &format!(" {pubkey}"),
        &format!("{pubkey}\n"),
        &format!("0x{}", &pubkey[2..]),
        &format!("{}ä", &pubkey[2..]),
    ] {
        assert!(PublicKey::from_hex(malformed).is_err(), "{malformed:?}");
    }
}

/// No point of the curve has this y.
#[test]
fn octets_that_are_no_point_are_no_public_key() {
    assert!(PublicKey::from_hex(&format!("02{}", "00".repeat(31))).is_err());
}

/// The eight points that are of small order, each as its one right spelling.
const SMALL_ORDER: [&str; 8] = [
    // Order 1.
    "0100000000000000000000000000000000000000000000000000000000000000",
    // Order 2.
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    // Order 4.
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    // Order 8.
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

#[test]
fn t15_keys_of_small_order_are_refused() {
    for key in SMALL_ORDER {
        let refused = PublicKey::from_hex(key).unwrap_err();
        assert_eq!(
            refused, "the public key is weak: anyone can sign with it",
            "{key}"
        );
    }
}

/// Other octets that a lax reader takes for one of them.
const OTHER_SPELLINGS: [&str; 6] = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn t15_other_spellings_of_keys_of_small_order_are_refused() {
    for key in OTHER_SPELLINGS {
        assert!(PublicKey::from_hex(key).is_err(), "{key}");
    }
}

#[test]
fn the_challenge_is_the_nonce_and_says_nothing_of_a_binding_that_is_unknown() {
    let attempt = attempt(&format!(
        r#"{{ "pubkey": "{}", "channel_binding": "tls-unique", "challenge": "00" }}"#,
        WAMPPROTO.pubkey
    ));
    let Ok(Verdict::Challenge(challenge)) = Cryptosign::default().begin(&attempt) else {
        panic!("no challenge");
    };
    assert_eq!(
        challenge.extra,
        format!(r#"{{"challenge":"{}"}}"#, "ab".repeat(32))
    );
    assert_eq!(hex::encode(challenge.state), WAMPPROTO.pubkey);
}

#[test]
fn a_client_without_a_key_is_denied() {
    for authextra in [
        "{}",
        r#"{ "pubkey": 1 }"#,
        r#"{ "pubkey": null }"#,
        r#"{ "pubkey": "" }"#,
        &format!(
            r#"{{ "pubkey": "{}", "channel_binding": 1 }}"#,
            WAMPPROTO.pubkey
        ),
    ] {
        let verdict = Cryptosign::default().begin(&attempt(authextra));
        assert!(
            matches!(verdict, Ok(Verdict::Deny(_))),
            "{authextra}: {verdict:?}"
        );
    }
}

#[test]
fn a_client_answers_what_begin_asked() {
    let attempt = attempt(&format!(r#"{{ "pubkey": "{}" }}"#, SPECIFICATION[0].pubkey));
    let Claim { key, channel } = Cryptosign::default().claim(&attempt, || panic!()).unwrap();
    assert_eq!(channel, None);
    let challenge = hex::encode(&attempt.nonce);
    let signature = signer(SPECIFICATION_SEEDS[0]).sign(&attempt.nonce);
    let answer = format!("{}{challenge}", hex::encode(signature.to_bytes()));
    assert_eq!(verdict(&key, &challenge, &answer), Ok(()));
}

#[test]
fn a_binding_is_settled_by_what_client_and_realm_want_and_the_connection_has() {
    let settle =
        |demand: Demand, asked, has: bool| demand.settle(asked, || has.then_some([7; 32])).ok();
    let (exporter, other) = (Some(TLS_EXPORTER), Some("tls-unique"));
    for (demand, asked, has, settled) in [
        (Demand::Optional, exporter, true, Some(Some([7; 32]))),
        (Demand::Optional, exporter, false, Some(None)),
        (Demand::Optional, other, true, Some(None)),
        (Demand::Optional, None, true, Some(None)),
        (Demand::Required, exporter, true, Some(Some([7; 32]))),
        (Demand::Required, exporter, false, None),
        (Demand::Required, other, true, None),
        (Demand::Required, None, true, None),
    ] {
        assert_eq!(
            settle(demand, asked, has),
            settled,
            "{demand:?} {asked:?} {has}"
        );
    }
}

#[test]
fn what_waits_for_the_answer_comes_back_as_it_was() {
    for channel in [None, Some([7; 32])] {
        let claim = Claim {
            key: WAMPPROTO.key(),
            channel,
        };
        let state = claim.to_state();
        let back = Claim::from_state(&state).unwrap();
        assert_eq!((back.to_state(), back.channel), (state.clone(), channel));
        assert!(Claim::from_state(&state[1..]).is_err());
        assert!(Claim::from_state(&[&state[..], &[0]].concat()).is_err());
    }
}

fn attempt(authextra: &str) -> Attempt {
    Attempt {
        authmethod: "cryptosign".into(),
        authextra: authextra.into(),
        nonce: vec![0xab; 32],
        ..Attempt::default()
    }
}
