use base64::prelude::BASE64_STANDARD as BASE64;

use super::*;

/// A whole exchange, and what must come out.
struct Exchange {
    dialect: Dialect,
    kdf: Kdf,
    password: &'static str,
    /// In base64.
    salt: &'static str,
    auth_message: &'static str,
    proof: &'static str,
    signature: &'static str,
}

const ARGON2: Kdf = Kdf::Argon2id13 {
    iterations: 4096,
    memory: 512,
};
const PBKDF2: Kdf = Kdf::Pbkdf2 { iterations: 4096 };

/// RFC 7677 section 3. Its nonces are no base64, which does not matter here.
const RFC_7677: Exchange = Exchange {
    dialect: Dialect::Wamp,
    kdf: PBKDF2,
    password: "pencil",
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    auth_message: concat!(
        "n=user,r=rOprNGfwEbeRWgbNEkqO,",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    ),
    proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

/// The inputs of the WAMP specification's example. The proof and the verifier that it prints are
/// those of RFC 7677 and fit its own inputs as little as they should.
const SPECIFICATION: Exchange = Exchange {
    dialect: Dialect::Wamp,
    kdf: PBKDF2,
    password: "pencil",
    salt: "aBc+fx0NAVA=",
    auth_message: concat!(
        "n=user,r=egVDf3DMJh0=,r=egVDf3DMJh0=SBmkFIh7sSo=,s=aBc+fx0NAVA=,i=4096,",
        "c=biws,r=egVDf3DMJh0=SBmkFIh7sSo="
    ),
    proof: "L1uwjEEL7BdbtlWMKxNcQ1A/CmNjct+7xdAguB/rpnA=",
    signature: "AyTAljdPHv74Zx+gn+6DqiFnl4XOZUXpC7k/pSkjBOg=",
};

/// Computed with Python's hmac and argon2-cffi.
const SPECIFICATION_ARGON2: Exchange = Exchange {
    dialect: Dialect::Wamp,
    kdf: ARGON2,
    password: "pencil",
    salt: "MTIzNDU2Nzg5MGFiY2RlZg==",
    auth_message: concat!(
        "n=user,r=MDEyMzQ1Njc4OWFiY2RlZg==,",
        "r=MDEyMzQ1Njc4OWFiY2RlZg==ZmVkY2JhOTg3NjU0MzIxMA==,s=MTIzNDU2Nzg5MGFiY2RlZg==,i=4096,",
        "c=biws,r=MDEyMzQ1Njc4OWFiY2RlZg==ZmVkY2JhOTg3NjU0MzIxMA=="
    ),
    proof: "nqZVG4ILsenTywXG9V8LSetMlobEs9lyLpkvhanBVIs=",
    signature: "C7t6UL++rj7jmTciShvfiT0+R9yGkqdouQBO59Pj98g=",
};

/// autobahn-python's `test_basic`.
const AUTOBAHN: Exchange = Exchange {
    dialect: Dialect::Autobahn,
    kdf: Kdf::Argon2id13 {
        iterations: 32,
        memory: 512,
    },
    password: "p4ssw0rd",
    salt: "31323334353637383930616263646566",
    auth_message: concat!(
        "n=username,r=31323334353637383930616263646566,",
        "r=1234567890abcdeffedcba0987654321,s=31323334353637383930616263646566,i=32,",
        "c=,r=1234567890abcdeffedcba0987654321"
    ),
    proof: "f5r3loERzGVSuimE+lvO0bWna2zyswBo0HrZkaaEy38=",
    signature: "hNxIqEr5aKBN23w/LWOZ7s71mf5zfEIIE9Rn2baeXck=",
};

/// A run of autobahn-python 26.10.2.
const AUTOBAHN_RUN: Exchange = Exchange {
    dialect: Dialect::Autobahn,
    kdf: ARGON2,
    password: "pencil",
    salt: "MTIzNDU2Nzg5MGFiY2RlZg==",
    auth_message: concat!(
        "n=user,r=MDEyMzQ1Njc4OWFiY2RlZg==,",
        "r=MDEyMzQ1Njc4OWFiY2RlZmZlZGNiYTk4NzY1NDMyMTA=,s=MTIzNDU2Nzg5MGFiY2RlZg==,i=4096,",
        "c=,r=MDEyMzQ1Njc4OWFiY2RlZmZlZGNiYTk4NzY1NDMyMTA="
    ),
    proof: "cHZv9AwVaOeaWjNDLwqailKfoBMwhzrLquCKs/1w1Tk=",
    signature: "tB/XBwgr6y++GtmkJIC5ew9QdX1owe+dd6ouBPEuyJE=",
};

impl Exchange {
    fn salt(&self) -> Vec<u8> {
        BASE64.decode(self.salt).unwrap()
    }

    fn salted_password(&self) -> SaltedPassword {
        self.kdf
            .salted_password(self.dialect, self.password, &self.salt())
            .unwrap()
    }

    fn keys(&self) -> ScramKeys {
        ScramKeys::derive(self.kdf, self.password, &self.salt()).unwrap()
    }

    fn verify(&self, keys: &ScramKeys) -> Option<String> {
        let proof = BASE64.decode(self.proof).unwrap();
        keys.verify(self.dialect, self.auth_message.as_bytes(), &proof)
            .map(|signature| BASE64.encode(signature))
    }
}

#[track_caller]
fn check(exchange: &Exchange) {
    let message = exchange.auth_message.as_bytes();
    let salted = exchange.salted_password();
    assert_eq!(BASE64.encode(salted.proof(message)), exchange.proof);
    assert_eq!(
        BASE64.encode(salted.server_signature(message)),
        exchange.signature
    );
    let verified = exchange.verify(&exchange.keys());
    assert_eq!(verified.as_deref(), Some(exchange.signature));
}

#[test]
fn rfc_7677() {
    check(&RFC_7677);
}

#[test]
fn the_specifications_example_by_its_own_inputs() {
    check(&SPECIFICATION);
    let octets = SPECIFICATION.keys().octets();
    let (stored_key, server_key) = octets[..64].split_at(OCTETS);
    assert_eq!(
        BASE64.encode(stored_key),
        "0fCr7EYY8YwoS0VQMtES7YBGB7DlELfCsFIeOvlTzkc="
    );
    assert_eq!(
        BASE64.encode(server_key),
        "aCtxeIoGuHVmsyd50QLzSXZWPgYI9rjZqGZ7ldyNmc4="
    );
    let misprinted = Exchange {
        proof: RFC_7677.proof,
        ..SPECIFICATION
    };
    assert_eq!(misprinted.verify(&SPECIFICATION.keys()), None);
}

#[test]
fn argon2_in_both_dialects() {
    for exchange in [SPECIFICATION_ARGON2, AUTOBAHN, AUTOBAHN_RUN] {
        check(&exchange);
    }
}

#[test]
fn autobahns_hashes() {
    let salt = b"1234567890abcdef";
    let hash = |kdf: Kdf| {
        let salted = kdf.salted_password(Dialect::Wamp, "p4ssw0rd", salt);
        hex::encode(&*salted.unwrap().0)
    };
    let argon2 = Kdf::Argon2id13 {
        iterations: 32,
        memory: 512,
    };
    assert_eq!(
        hash(argon2),
        "ee4a8acf9d5958354fb79a95ae20692d05e42591ba49fae85eb6700e8b0ed293"
    );
    assert_eq!(
        hash(Kdf::Pbkdf2 { iterations: 8 }),
        "f6991a28c75f43751e0d75499fd7b8649f659118ddc1d61cee5883af547d15f5"
    );
}

/// autobahn-python's `derive_scram_credential`: what a Crossbar configuration holds.
#[test]
fn crossbars_keys() {
    let vectors = [
        (
            "3bc3ca01dd1d501ca1c22e1c5d7d16fe",
            "e796c2f0a51770303ee4616bc630a66774d51a55003154aff2a54ec7c4ac0e38",
            "8de7864c316f3c2356fd76cfdab696db55bc70e680fe5180e2f731e2345acca2",
        ),
        (
            "ae1f0d2f422757809077785e660b62c6",
            "5f19358ff6f38e267b6ef1ea1d862514ec4e8745a84682259fd3894be09febb5",
            "0d8e7e9222a7c0e54c9e979aa342115699ff5696c45dc379b5ee241338a5861d",
        ),
    ];
    for (salt, stored_key, server_key) in vectors {
        let keys = ScramKeys::derive(ARGON2, "secret123", &hex::decode(salt).unwrap()).unwrap();
        assert_eq!(
            hex::encode(&keys.octets()[64..]),
            format!("{stored_key}{server_key}")
        );
    }
}

#[test]
fn a_proof_is_good_for_its_own_exchange_keys_and_dialect_only() {
    let keys = AUTOBAHN.keys();
    assert!(AUTOBAHN.verify(&keys).is_some());
    let other_dialect = Exchange {
        dialect: Dialect::Wamp,
        ..AUTOBAHN
    };
    assert_eq!(other_dialect.verify(&keys), None);
    let other_message = Exchange {
        auth_message: SPECIFICATION_ARGON2.auth_message,
        ..AUTOBAHN
    };
    assert_eq!(other_message.verify(&keys), None);
    assert_eq!(AUTOBAHN.verify(&RFC_7677.keys()), None);
}

#[test]
fn a_proof_is_every_bit_of_its_32_octets() {
    let keys = RFC_7677.keys();
    let message = RFC_7677.auth_message.as_bytes();
    let verify = |proof: &[u8]| keys.verify(Dialect::Wamp, message, proof);
    let proof = BASE64.decode(RFC_7677.proof).unwrap();
    assert!(verify(&proof).is_some());
    for bit in 0..256 {
        let mut wrong = proof.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(verify(&wrong), None, "bit {bit}");
    }
    let longer = [proof.as_slice(), &[0]].concat();
    for wrong in [&[], &proof[..31], &longer] {
        assert_eq!(verify(wrong), None);
    }
}

/// What is stored is no proof, and proves nothing.
#[test]
fn the_keys_alone_let_nobody_in() {
    let keys = RFC_7677.keys();
    let message = RFC_7677.auth_message.as_bytes();
    let (stored, server) = (&*keys.wamp.stored_key, &*keys.wamp.server_key);
    let signature = hmac(stored, message);
    for attempt in [*stored, *server, signature, xor(stored, &signature)] {
        assert_eq!(keys.verify(Dialect::Wamp, message, &attempt), None);
    }
}

#[test]
fn keys_are_kept_as_octets_and_not_printed() {
    let keys = AUTOBAHN.keys();
    let octets = keys.octets();
    assert_eq!(octets.len(), ScramKeys::LEN);
    let read = ScramKeys::from_octets(&octets).unwrap();
    assert!(AUTOBAHN.verify(&read).is_some());
    for wrong in [&octets[..127], &octets[..96], &[]] {
        assert!(ScramKeys::from_octets(wrong).is_none());
    }
    assert_eq!(format!("{keys:?}"), "ScramKeys(_)");
    let salted = AUTOBAHN.salted_password();
    assert_eq!(format!("{salted:?}"), "SaltedPassword(_)");
}

/// RFC 4013 section 3.
#[test]
fn passwords_and_names_are_prepared() {
    let name = |text| prepared_name(text).map(Cow::into_owned);
    assert_eq!(name("I\u{ad}X").as_deref(), Some("IX"));
    assert_eq!(name("user").as_deref(), Some("user"));
    assert_eq!(name("USER").as_deref(), Some("USER"));
    assert_eq!(name("\u{aa}").as_deref(), Some("a"));
    assert_eq!(name("\u{2168}").as_deref(), Some("IX"));
    assert_eq!(name("\u{7}"), None);
    assert_eq!(name("\u{627}1"), None);
    assert_eq!(name("\u{ad}"), None);

    let salted = |dialect, password| {
        let salted = PBKDF2.salted_password(dialect, password, b"saltsalt");
        salted.map(|salted| salted.0)
    };
    let wamp = salted(Dialect::Wamp, "I\u{ad}X").unwrap();
    assert_eq!(wamp, salted(Dialect::Wamp, "IX").unwrap());
    let autobahn = salted(Dialect::Autobahn, "I\u{ad}X").unwrap();
    assert_ne!(autobahn, wamp);
    for password in ["", "\u{ad}", "\u{7}", "\u{627}1"] {
        let refused = salted(Dialect::Wamp, password);
        assert!(
            matches!(refused, Err(ScramError::Unprepared)),
            "{password:?}"
        );
    }
}
