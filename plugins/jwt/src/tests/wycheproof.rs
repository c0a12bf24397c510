//! Project Wycheproof's vectors of JSON Web Signatures and Keys. All are run; where we differ, the
//! vector is named here with the reason, and must really differ.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wycheproof_ng_kdf_jose::json_web::{TestName, TestSet};

use crate::{key_set::KeySet, token::Token};

const SHARED_SECRET: &str = "valid, by an algorithm with a shared secret, which is never accepted";
const OTHER_HASH: &str = "valid, by SHA-384 or SHA-512, which are not among our four algorithms";
const OTHER_CURVE: &str = "valid, by P-521, which is not among our curves; and its key says \"ES521\", \
                           an algorithm that does not exist";
const CONTRADICTION: &str = "valid, by PS384 under a key that says it is for PS256";
const QUESTION_MARK: &str =
    "called valid, but it has a \"?\", which is not base64url; and by a shared secret";

/// By the vectors' numbers.
const SIGNATURES: &[(&[usize], &str)] = &[
    (&[1, 348, 352, 357, 358, 359, 376, 377], SHARED_SECRET),
    (&[264, 265, 266, 267, 268, 269, 270, 271], OTHER_HASH),
    (&[320, 321, 322, 323, 325, 326, 327, 328], OTHER_HASH),
    (&[346, 350], CONTRADICTION),
    (&[347, 351], OTHER_CURVE),
    (&[372, 373], QUESTION_MARK),
];

const KEYS: &[(&[usize], &str)] = &[
    (&[2, 13, 14, 15], SHARED_SECRET),
    (
        &[7],
        "the key was made by the weak generator of CVE-2017-15361: keys are the issuer's, which \
         the realm trusts, so it is not looked for",
    ),
];

/// Runs a file of vectors: each is accepted if it is valid, unless it is an exception.
fn run(name: TestName, count: usize, exceptions: &[(&[usize], &str)]) {
    let exceptions: BTreeMap<usize, &str> = exceptions
        .iter()
        .flat_map(|(numbers, why)| numbers.iter().map(move |number| (*number, *why)))
        .collect();
    let (mut run, mut wrong, mut right_after_all) = (0, Vec::new(), Vec::new());
    for group in TestSet::load(name).unwrap().test_groups {
        let keys = group.public_key.or(group.private_key).unwrap();
        let keys = if keys.get("keys").is_some() {
            keys
        } else {
            json!({ "keys": [keys] })
        };
        for test in group.tests {
            let token = match test.jws.unwrap() {
                Value::String(compact) => compact,
                other => other.to_string(),
            };
            let verified = KeySet::parse(&keys.to_string())
                .and_then(|keys| Token::parse(&token)?.verify(&keys));
            let as_expected = verified.is_err() == test.result.must_fail();
            match (as_expected, exceptions.get(&test.tc_id)) {
                (true, None) | (false, Some(_)) => {}
                (true, Some(why)) => right_after_all.push((test.tc_id, *why)),
                (false, None) => wrong.push((test.tc_id, test.comment, verified.err())),
            }
            run += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        right_after_all.is_empty(),
        "no exceptions any more: {right_after_all:#?}"
    );
    assert_eq!(run, count);
}

#[test]
fn t14_json_web_signatures() {
    run(TestName::JsonWebSignature, 401, SIGNATURES);
}

#[test]
fn t14_json_web_keys() {
    run(TestName::JsonWebKey, 26, KEYS);
}
