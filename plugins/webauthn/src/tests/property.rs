//! Whatever a client sends, there is an answer to it.

use proptest::prelude::*;

use super::{ATTESTATION, CHALLENGE, CREATED, CREATION_CHALLENGE, DATA, GOT, SIGNATURE};
use super::{assertion, attestation, decoded, method, octets, openssl};
use crate::{
    authenticator::{AuthenticatorData, attested_data},
    cose::PublicKey,
    response::ClientData,
};

/// Something valid with a few octets changed, left out or put in.
fn nearly(valid: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0_u8..4, any::<u8>());
    prop::collection::vec(change, 0..6).prop_map(move |changes| {
        changes
            .iter()
            .fold(valid.clone(), |mut octets, (at, how, octet)| {
                let at = at.index(octets.len() + 1);
                match how {
                    0 => octets.insert(at, *octet),
                    1 => octets.truncate(at.max(1)),
                    _ if at == octets.len() => octets.push(*octet),
                    2 => drop(octets.remove(at)),
                    _ => octets[at] = *octet,
                }
                octets
            })
    })
}

fn cose_keys() -> impl Strategy<Value = Vec<u8>> {
    let keys = [openssl::P256, openssl::ED25519, openssl::RSA_2048];
    let keys = keys.map(|signed| octets(signed.key)).to_vec();
    prop::sample::select(keys).prop_flat_map(nearly)
}

proptest! {
    #[test]
    fn any_octets_have_an_answer(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = AuthenticatorData::parse(&octets);
        let _ = attested_data(&octets);
        let _ = PublicKey::parse(&octets);
        let _ = ClientData::parse(&octets);
    }

    #[test]
    fn any_text_has_an_answer(text in ".{0,300}") {
        prop_assert!(method().used(&decoded(CHALLENGE), &text).is_err());
        prop_assert!(method().made(&decoded(CREATION_CHALLENGE), &text).is_err());
    }

    #[test]
    fn any_attestation_has_an_answer(object in nearly(octets(ATTESTATION))) {
        let answer = attestation(CREATED, &object).to_string();
        if let Ok(made) = method().made(&decoded(CREATION_CHALLENGE), &answer) {
            // Then what would be kept can be used.
            prop_assert!(PublicKey::parse(&made.public_key).is_ok());
        }
    }

    #[test]
    fn any_assertion_has_an_answer(
        data in nearly(octets(DATA)), client_data in nearly(GOT.into()), key in cose_keys(),
    ) {
        let client_data = String::from_utf8_lossy(&client_data).into_owned();
        let answer = assertion(&client_data, &data).to_string();
        if let Ok(used) = method().used(&decoded(CHALLENGE), &answer) {
            prop_assert!(used.verify(&key).is_err());
        }
    }

    #[test]
    fn any_key_and_any_signature_have_an_answer(
        key in cose_keys(), signature in nearly(octets(SIGNATURE)),
    ) {
        if let Ok(key) = PublicKey::parse(&key) {
            prop_assert!(key.verify(b"a message that nobody signed", &signature).is_err());
        }
    }
}
