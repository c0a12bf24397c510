use super::{
    octets,
    openssl::{ED25519, MESSAGE, P256, RSA_1024, RSA_2048, RSA_4096, Signed},
};
use crate::cose::PublicKey;

fn refused(hex: &str) -> &'static str {
    PublicKey::parse(&octets(hex)).unwrap_err()
}

#[test]
fn each_algorithm_takes_what_openssl_signs() {
    let all = [P256, ED25519, RSA_2048, RSA_4096];
    for (at, Signed { key, signature }) in all.iter().enumerate() {
        let key = PublicKey::parse(&octets(key)).unwrap();
        assert_eq!(key.verify(MESSAGE, &octets(signature)), Ok(()));
        assert!(key.verify(b"another message", &octets(signature)).is_err());
        for (other, Signed { signature, .. }) in all.iter().enumerate() {
            assert_eq!(key.verify(MESSAGE, &octets(signature)).is_ok(), at == other);
        }
        let mut wrong = octets(signature);
        for at in [0, wrong.len() / 2, wrong.len() - 1] {
            wrong[at] ^= 1;
            assert!(key.verify(MESSAGE, &wrong).is_err(), "octet {at}");
            wrong[at] ^= 1;
        }
        assert!(key.verify(MESSAGE, &wrong[1..]).is_err());
        assert!(key.verify(MESSAGE, &[]).is_err());
        wrong.push(0);
        assert!(key.verify(MESSAGE, &wrong).is_err());
    }
}

#[test]
fn keys_that_prove_nothing_are_refused() {
    assert_eq!(
        refused(RSA_1024.key),
        "the RSA key is none of 2048 to 4096 bits"
    );
    // The point of order 1.
    let weak = format!("a4010103272006215820{:0<64}", "01");
    assert_eq!(
        refused(&weak),
        "the public key is weak: anyone can sign with it"
    );
    // A point beside the curve.
    let beside = P256.key.replace("225820", "225820ff");
    let beside = &beside[..P256.key.len()];
    assert_eq!(refused(beside), "the public key is no point of P-256");
    // A public exponent of 1 makes every message its own signature.
    let unsigned = RSA_2048.key.replace("2143010001", "214101");
    assert_ne!(unsigned, RSA_2048.key);
    assert_eq!(
        refused(&unsigned),
        "the RSA key is none of 2048 to 4096 bits"
    );
    // An even modulus.
    let mut even = octets(RSA_2048.key);
    let last_of_modulus = even.len() - 6;
    even[last_of_modulus] &= 0xfe;
    assert!(PublicKey::parse(&even).is_err());
}

#[test]
fn a_key_is_of_the_type_that_its_algorithm_has() {
    const TYPE: &str = "the public key's type does not fit its algorithm";
    const NOT_ASKED: &str = "the public key is for an algorithm that was not asked for";
    const NO_KEY: &str = "the public key is not a COSE key";
    let p256 = |old: &str, new: &str| {
        assert!(P256.key.starts_with("a50102032620012158"), "{}", P256.key);
        refused(&P256.key.replacen(old, new, 1))
    };
    // kty OKP; alg EdDSA; crv P-384.
    assert_eq!(p256("a50102", "a50101"), TYPE);
    assert_eq!(p256("a501020326", "a501020327"), TYPE);
    assert_eq!(p256("a5010203262001", "a5010203262002"), TYPE);
    // ES384, ES256K, none.
    assert_eq!(p256("a501020326", "a50102033822"), NOT_ASKED);
    assert_eq!(p256("a501020326", "a5010203382e"), NOT_ASKED);
    assert_eq!(refused("a0"), NOT_ASKED);
    // alg twice; a length that is not given; something behind it; text for a label.
    assert_eq!(p256("a501020326", "a6010203260326"), NO_KEY);
    assert_eq!(refused(&format!("bf{}ff", &P256.key[2..])), NO_KEY);
    assert_eq!(refused(&format!("{}00", P256.key)), NO_KEY);
    assert_eq!(refused("a1616101"), NO_KEY);
    assert_eq!(refused(""), NO_KEY);
    assert_eq!(refused("a50102032620012101"), NO_KEY);
    // No y.
    assert_eq!(
        refused(&format!("a4{}", &P256.key[2..84])),
        "the public key lacks a part"
    );
    // Labels that say something else are passed over.
    let more = P256.key.replacen("a50102", "a602416b0102", 1);
    assert!(PublicKey::parse(&octets(&more)).is_ok());
}
