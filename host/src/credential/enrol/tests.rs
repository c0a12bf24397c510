use super::*;
use crate::credential::Hash;

/// The challenge of the nexus router's test of WAMP-CRA.
const NEXUS: &str = concat!(
    r#"{ "nonce":"LHRTC9zeOIrt_9U3", "authprovider":"userdb", "authid":"peter", "#,
    r#""timestamp":"2014-06-22T16:36:25.448Z", "authrole":"user", "#,
    r#""authmethod":"wampcra", "session":3251278072152162 }"#
);

/// That of wampy.js.
const WAMPY: &str = concat!(
    r#"{"authrole": "commonuser", "authprovider": "static", "authmethod": "wampcra", "#,
    r#""timestamp": "2016-05-19T09:30:32.177Z", "session": 6492709588079659, "authid": "joe", "#,
    r#""nonce": "Z+UXH9Q8htepjpDYGAuwBQgeQTSX2W9eZrEJLFrr1ohVJVHjzIaxgw7niL6CsAQb"}"#
);

/// That of wampproto's Python implementation.
const WAMPPROTO: &str = concat!(
    r#"{"nonce":"cdcb3b12d56e12825be99f38f55ba43f","authprovider":"provider","authid":"foo","#,
    r#""authrole":"admin","authmethod":"wampcra","session":123,"#,
    r#""timestamp":"2024-05-07T09:25:13.307Z"}"#
);

fn salted(salt: &str, iterations: u32, keylen: u16) -> Derivation {
    Derivation::Salted {
        salt: salt.into(),
        iterations,
        keylen,
    }
}

fn key(secret: &str, derivation: &Derivation) -> Key {
    match wampcra(secret, derivation).unwrap().material {
        Material::Key(key) => key,
        other => panic!("{other:?}"),
    }
}

fn signature(key: &Key, challenge: &str) -> String {
    BASE64.encode(key.hmac(Hash::Sha256, challenge.as_bytes()))
}

#[test]
fn keys_are_derived_as_wamp_clients_do() {
    let vectors = [
        (
            "password",
            "salt123",
            1000,
            32,
            "XX9AIwVx2pYcnIAm+U69vjdUImcvNehHD5atN4rwDb0=",
        ),
        (
            "L3L1YUE8Txlw",
            "salt123",
            1000,
            32,
            "qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=",
        ),
        (
            "secretKey",
            "secretSalt",
            1000,
            32,
            "PjhbMq82TzEZgl7/qKoUrk2ZdYl3sBciwBVSnE7ZCYM=",
        ),
        (
            "secretKey",
            "secretSalt",
            500,
            32,
            "t/+iDiMZLt/mFSzbtq7vJHdExA3FtBu0LukzpTFYBpI=",
        ),
        (
            "secretKey",
            "secretSalt",
            2000,
            16,
            "ER8wnMRXtdNgY8tJ37FkhQ==",
        ),
    ];
    for (secret, salt, iterations, keylen, expected) in vectors {
        let key = key(secret, &salted(salt, iterations, keylen));
        assert_eq!(String::from_utf8_lossy(key.octets()), expected);
    }
}

#[test]
fn signatures_are_those_of_wamp_clients() {
    let plain = |secret| key(secret, &Derivation::Plain);
    let vectors = [
        (
            plain("secret"),
            NEXUS,
            "NWktSrMd4ItBSAKYEwvu1bTY7G/sSyjKbz+pNP9c04A=",
        ),
        (
            key("password", &salted("salt123", 1000, 32)),
            NEXUS,
            "hk/2riA2JqydfL5wLoicrYfAt8uNeP6nikk9kqDhsnM=",
        ),
        (
            plain("L3L1YUE8Txlw"),
            "[1, 2, 3]",
            "1njQtmmeYO41N5EWEzD2kAjjEKRZ5kPZt/TzpYXOzR0=",
        ),
        (
            plain("secretKey"),
            WAMPY,
            "pKj6AlpNYn7QKqAZD0WctTVO+nxpSG1kT9muLzbv5Mo=",
        ),
        (
            key("secretKey", &salted("secretSalt", 100, 16)),
            WAMPY,
            "W+wnbw5Uo9rkDIrQf1SSJue4JPzkqWQE89sO4qndUs4=",
        ),
        (
            plain("6d9b906ad60d1f4dd796dbadcc2e2252310565ccdc6fe10b289df5684faf2a46"),
            WAMPPROTO,
            "DIVL3bKs/Ei91eQyYznzUqEsiTmX705BNEXuicNpi8A=",
        ),
    ];
    for (key, challenge, expected) in vectors {
        assert_eq!(signature(&key, challenge), expected);
    }
}

#[test]
fn the_client_is_told_how_to_derive_its_key_and_nothing_else() {
    let enrolment = wampcra("wonderland", &salted("salt123", 1000, 32)).unwrap();
    assert_eq!(
        enrolment.parameters.as_str(),
        r#"{"iterations":1000,"keylen":32,"salt":"salt123"}"#
    );
    let plain = wampcra("wonderland", &Derivation::Plain).unwrap();
    assert_eq!(plain.parameters.as_str(), "{}");
    assert!(!format!("{enrolment:?}{plain:?}").contains("wonderland"));
}

#[test]
fn salts_are_fresh() {
    assert_ne!(Derivation::fresh().unwrap(), Derivation::fresh().unwrap());
}

#[test]
fn a_ticket_is_kept_as_a_hash() {
    let Material::Password(hash) = ticket("wonderland").unwrap().material else {
        panic!()
    };
    assert!(hash.verify("wonderland").unwrap());
    assert!(!hash.verify("Wonderland").unwrap());
    assert!(!hash.to_phc().contains("wonderland"));
}

#[test]
fn what_cannot_be_a_credential_is_refused() {
    assert!(matches!(ticket(""), Err(EnrolError::Empty)));
    assert!(matches!(
        wampcra("", &Derivation::Plain),
        Err(EnrolError::Empty)
    ));
    for (iterations, keylen) in [(0, 32), (1_000_001, 32), (1000, 15), (1000, 65)] {
        assert!(wampcra("secret", &salted("salt", iterations, keylen)).is_err());
    }
    assert!(matches!(
        cryptosign::<&str>(&[]),
        Err(EnrolError::KeyCount(0))
    ));
    let weak = "00".repeat(32);
    let error = cryptosign(&[&weak]).unwrap_err().to_string();
    assert!(error.contains(&weak) && error.contains("weak"), "{error}");
}

#[test]
fn cryptosign_keeps_all_keys_in_their_order() {
    let keys = [
        "ddc2838ede4304c1082c503f0af4f0c5ea7dea9fe436127643364c0670b69b08",
        "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d",
    ];
    let Material::PublicKeys(kept) = cryptosign(&keys).unwrap().material else {
        panic!()
    };
    assert_eq!(
        kept.iter().map(ToString::to_string).collect::<Vec<_>>(),
        keys
    );
}
