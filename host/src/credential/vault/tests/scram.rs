//! What a method can do with SCRAM's keys.

use super::*;
use crate::credential::scram::{Dialect, Kdf};

const KDF: Kdf = Kdf::Pbkdf2 { iterations: 4096 };
const MESSAGE: &[u8] = b"n=alice,r=one,r=onetwo,s=,i=4096,c=biws,r=onetwo";

/// What a client proves who has these parameters and this password.
fn proof(credential: &Credential, password: &str) -> [u8; 32] {
    let parameters: serde_json::Value = serde_json::from_str(credential.parameters()).unwrap();
    let salt = parameters["salt"].as_str().unwrap();
    let salt = data_encoding::BASE64.decode(salt.as_bytes()).unwrap();
    let salted = KDF.salted_password(Dialect::Wamp, password, &salt);
    salted.unwrap().proof(MESSAGE)
}

fn signature(credential: &Credential, proof: &[u8]) -> Option<[u8; 32]> {
    credential.scram_signature(Dialect::Wamp, MESSAGE, proof)
}

#[test]
fn a_signature_is_given_for_a_right_proof_only() {
    let router = Router::start();
    router.add("alice", &enrol::scram("pencil", KDF).unwrap());
    let alice = router.find(&Kind::scram(), "alice");
    assert!(signature(&alice, &proof(&alice, "pencil")).is_some());
    assert_eq!(signature(&alice, &proof(&alice, "pencils")), None);
    assert_eq!(signature(&alice, &[0; 32]), None);
    assert_eq!(signature(&alice, &[]), None);
}

#[test]
fn the_keys_are_good_for_nothing_else() {
    let router = Router::start();
    router.add("alice", &enrol::scram("pencil", KDF).unwrap());
    let alice = router.find(&Kind::scram(), "alice");
    let Material::Scram(keys) = &alice.answer.record.material else {
        panic!()
    };
    for key in keys.octets().chunks(32).map(crate::credential::Key::new) {
        let tag = key.hmac(Hash::Sha256, MESSAGE);
        assert_ne!(alice.hmac(Hash::Sha256, MESSAGE), tag);
        assert!(!alice.verify_hmac(Hash::Sha256, MESSAGE, &tag));
    }
    assert!(alice.public_keys().is_empty());
}

#[test]
fn no_proof_fits_a_decoy_and_it_looks_like_its_neighbours() {
    let router = Router::start();
    let unseen = router.find(&Kind::scram(), "nobody");
    assert!(unseen.parameters().contains(r#""kdf":"argon2id13""#));

    router.add("alice", &enrol::scram("pencil", KDF).unwrap());
    let (alice, nobody) = (
        router.find(&Kind::scram(), "alice"),
        router.find(&Kind::scram(), "nobody"),
    );
    assert_eq!(shape(&alice), shape(&nobody));
    assert_eq!(signature(&nobody, &proof(&nobody, "pencil")), None);
    assert_eq!(signature(&nobody, &[0; 32]), None);
    // Not even its own keys, of which a method knows nothing, would help.
    let lucky = Record {
        material: alice.answer.record.material.clone(),
        ..nobody.answer.record.clone()
    };
    let lucky = Credential {
        answer: Arc::new(Answer {
            record: lucky,
            decoy: nobody.answer.decoy.clone(),
            is_by_key: false,
        }),
        withheld: None,
        ring: Arc::clone(&nobody.ring),
    };
    assert_eq!(signature(&lucky, &proof(&alice, "pencil")), None);

    let parameters = nobody.parameters().to_owned();
    let router = router.restart();
    assert_eq!(
        router.find(&Kind::scram(), "nobody").parameters(),
        parameters
    );
}

#[test]
fn other_kinds_have_no_such_keys() {
    let router = Router::start();
    router.add("alice", &salted("pencil", "salt"));
    let alice = router.find(&Kind::wampcra(), "alice");
    assert_eq!(signature(&alice, &[0; 32]), None);
}
