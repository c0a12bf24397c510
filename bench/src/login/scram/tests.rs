use super::*;

/// Cheap, and as good for a test.
const CHEAP: Argon2id = Argon2id {
    iterations: 1,
    memory: 8,
};

fn challenge(nonce: &str, memory: u32) -> Vec<u8> {
    let salt = BASE64_STANDARD.encode("0123456789abcdef");
    let extra = json!({
        "nonce": nonce, "salt": salt, "kdf": "argon2id-13", "iterations": 1, "memory": memory,
    });
    json!([4, "scram", extra]).to_string().into_bytes()
}

/// autobahn-python's test of its own client.
#[test]
fn a_proof_is_the_one_of_autobahn() {
    let attempt = Attempt {
        nonce: "31323334353637383930616263646566".into(),
    };
    let extra = Extra {
        nonce: "1234567890abcdeffedcba0987654321".into(),
        salt: "31323334353637383930616263646566".into(),
        kdf: "argon2id-13".into(),
        iterations: 32,
        memory: Some(512),
    };
    let salt = BASE64_STANDARD.decode(&extra.salt).unwrap();
    let keys = extra.kdf().unwrap().keys("p4ssw0rd", &salt).unwrap();
    let proof = keys.proof(&attempt.message("username", &extra)).unwrap();
    assert_eq!(
        BASE64_STANDARD.encode(proof),
        "f5r3loERzGVSuimE+lvO0bWna2zyswBo0HrZkaaEy38="
    );
}

#[test]
fn a_server_must_have_the_keys() {
    let prover = Prover::new("scram");
    let attempt = prover.attempt();
    let nonce = attempt.nonce.clone() + "its own";
    let answer = prover.answer(&attempt, &challenge(&nonce, 8)).unwrap();
    let keys = Keys::derive(CHEAP, SECRET, b"0123456789abcdef").unwrap();
    let salt = BASE64_STANDARD.encode("0123456789abcdef");
    let message = format!(
        "n={AUTHID},r={},r={nonce},s={salt},i=1,c=,r={nonce}",
        attempt.nonce
    );
    let welcome = |signature: [u8; OCTETS]| {
        let signature = BASE64_STANDARD.encode(signature);
        json!([2, 1, {"roles": {}, "authextra": {"scram_server_signature": signature, "x": 1}}])
            .to_string()
            .into_bytes()
    };
    let right = hmac(&keys.server, &message).unwrap();
    answer.check(&welcome(right)).unwrap();
    assert!(answer.check(&welcome([0; OCTETS])).is_err());
    assert!(answer.check(b"[2,1,{}]").is_err());
    // What a server makes of the proof: the client's key, of which it keeps the hash.
    let proof = BASE64_STANDARD.decode(&answer.proof).unwrap();
    let mask = hmac(&keys.stored, &message).unwrap();
    let client: Vec<u8> = proof.iter().zip(mask).map(|(p, m)| p ^ m).collect();
    assert_eq!(Sha256::digest(client)[..], keys.stored);
}

#[test]
fn each_login_has_a_nonce_of_its_own() {
    let prover = Prover::new("scram");
    let (one, another) = (prover.attempt(), prover.attempt());
    assert_ne!(one.nonce, another.nonce);
    // Nothing is padded, and so nothing between ours and the server's.
    assert!(!one.nonce.contains('='));
    let hello = String::from_utf8(prover.hello(&one)).unwrap();
    assert!(hello.contains(&one.nonce) && hello.contains("\"authid\":\"alice\""));
}

#[test]
fn a_challenge_that_cannot_be_right_is_an_error() {
    let prover = Prover::new("scram");
    let attempt = prover.attempt();
    let ours = attempt.nonce.clone();
    for challenge in [
        challenge(&ours, 8),
        challenge("somebody else's", 8),
        challenge(&(ours.clone() + "x"), u32::MAX),
        // Less than Argon2 can do with.
        challenge(&(ours + "x"), 1),
        b"[4,\"scram\",{}]".to_vec(),
    ] {
        assert!(prover.answer(&attempt, &challenge).is_err());
    }
}
