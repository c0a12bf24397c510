//! T15: signatures on which libraries differ. Ours is the strictest of them.

use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha512};
use wycheproof_ng_eddsa::{TestName, TestSet};

use super::*;

/// Project Wycheproof's vectors, without an exception. Their messages have any length; a signature
/// that is not 64 octets long does not get as far as to be verified.
#[test]
fn t15_wycheproof() {
    let (mut run, mut accepted) = (0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_octets(&group.key.pk);
        for test in group.tests {
            let is_good = match Signature::from_slice(&test.sig) {
                Ok(signature) => key
                    .as_ref()
                    .is_ok_and(|key| key.signs(&test.msg, &signature)),
                Err(_) => {
                    SignedMessage::from_hex(&hex::encode([&test.sig[..], &[0; 32][..]].concat()))
                        .is_ok()
                }
            };
            assert_eq!(
                is_good,
                !test.result.must_fail(),
                "{}: {}",
                test.tc_id,
                test.comment
            );
            run += 1;
            accepted += u32::from(is_good);
        }
    }
    assert_eq!((run, accepted), (151, 88));
}

fn octets(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn point(text: &str) -> EdwardsPoint {
    VerifyingKey::from_bytes(&octets(text))
        .unwrap()
        .to_edwards()
}

/// The hash that ties a signature to its key and message.
fn hash(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let digest = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(message);
    Scalar::from_bytes_mod_order_wide(&digest.finalize().into())
}

/// A signature as the holder of the private scalar makes it who commits himself to any octets at
/// all. `hidden` is what a signature's R should be the point of.
fn sign(
    key: &[u8; 32],
    private: &Scalar,
    r: &[u8; 32],
    hidden: &Scalar,
    message: &[u8],
) -> Signature {
    let s = hidden + hash(r, key, message) * private;
    Signature::from_components(*r, s.to_bytes())
}

/// What verification means in theory: the two sides are equal, once with all parts of small order
/// taken away, and once as they are.
fn holds(
    key: &EdwardsPoint,
    octets: &[u8; 32],
    signature: &Signature,
    message: &[u8],
) -> [bool; 2] {
    let s = Scalar::from_canonical_bytes(*signature.s_bytes()).unwrap();
    let k = hash(signature.r_bytes(), octets, message);
    let r = VerifyingKey::from_bytes(signature.r_bytes())
        .unwrap()
        .to_edwards();
    let apart = EdwardsPoint::mul_base(&s) - k * key - r;
    [apart.is_small_order(), apart == EdwardsPoint::default()]
}

/// Neither as a key nor as a signature's R is a point of small order good for anything, in whichever
/// spelling, and though the equation holds.
#[test]
fn t15_no_point_of_small_order_is_in_a_good_signature() {
    let genuine = signer(SPECIFICATION_SEEDS[0]);
    let (own, private) = (genuine.verifying_key(), genuine.to_scalar());
    let key = PublicKey::from_octets(own.as_bytes()).unwrap();
    let mut would_hold = [0; 2];
    for spelling in SMALL_ORDER.iter().chain(&OTHER_SPELLINGS) {
        assert!(PublicKey::from_hex(spelling).is_err());
        let r = octets(spelling);
        for number in 0..32 {
            let message = [number; 32];
            let signature = sign(own.as_bytes(), &private, &r, &Scalar::ZERO, &message);
            assert!(!key.signs(&message, &signature), "{spelling}");
            let holding = holds(&own.to_edwards(), own.as_bytes(), &signature, &message);
            for (sum, holds) in would_hold.iter_mut().zip(holding) {
                *sum += u32::from(holds);
            }
        }
    }
    // Every one of them is accepted by some library, and some by most libraries.
    assert_eq!(would_hold[0], 14 * 32);
    assert!(would_hold[1] >= 32);
}

/// Nor does it help to add one to a genuine R: a library that takes away the parts of small order
/// would accept it, so that one message had eight signatures.
#[test]
fn t15_no_part_of_small_order_is_in_a_good_signature() {
    let genuine = signer(SPECIFICATION_SEEDS[0]);
    let (own, private) = (genuine.verifying_key(), genuine.to_scalar());
    let key = PublicKey::from_octets(own.as_bytes()).unwrap();
    let hidden = signer(SPECIFICATION_SEEDS[1]).to_scalar();
    let honest = EdwardsPoint::mul_base(&hidden);
    for small in SMALL_ORDER {
        let r = (honest + point(small)).compress().0;
        let message = [7; 32];
        let signature = sign(own.as_bytes(), &private, &r, &hidden, &message);
        let [loosely, _] = holds(&own.to_edwards(), own.as_bytes(), &signature, &message);
        assert!(loosely);
        let is_none = small == SMALL_ORDER[0];
        assert_eq!(key.signs(&message, &signature), is_none, "{small}");
    }
}

/// A key with such a part verifies what its owner signs where the hash happens to take the part away,
/// by everybody's equation. So the router takes no such key when it is enrolled; here it must only
/// never verify more than the equation does.
#[test]
fn t15_a_mixed_key_verifies_by_chance_only() {
    let genuine = signer(SPECIFICATION_SEEDS[0]);
    let private = genuine.to_scalar();
    let hidden = signer(SPECIFICATION_SEEDS[1]).to_scalar();
    let r = EdwardsPoint::mul_base(&hidden).compress().0;
    let (mut loose, mut good) = (0, 0);
    for small in &SMALL_ORDER[1..] {
        let mixed = genuine.verifying_key().to_edwards() + point(small);
        let spelling = mixed.compress().0;
        let key = PublicKey::from_octets(&spelling).unwrap();
        for number in 0..64 {
            let message = [number; 32];
            let signature = sign(&spelling, &private, &r, &hidden, &message);
            let [loosely, exactly] = holds(&mixed, &spelling, &signature, &message);
            assert_eq!(key.signs(&message, &signature), exactly);
            loose += u32::from(loosely);
            good += u32::from(exactly);
        }
    }
    assert_eq!(loose, 7 * 64);
    // Half of them for the order 2, a quarter for 4, an eighth for 8.
    assert!((60..160).contains(&good), "{good}");
}
