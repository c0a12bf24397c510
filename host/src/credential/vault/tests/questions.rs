//! R14: whose an answer is.

use std::collections::BTreeMap;

use super::*;

/// Few letters, and what names could be glued together with.
const NAME: &str = "[ab:/|@ \\x00\u{1f}]{0,3}";

fn salt_of(credential: &Credential) -> String {
    let parameters: serde_json::Value = serde_json::from_str(credential.parameters()).unwrap();
    parameters["salt"].as_str().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Everybody gets his own credential, or a decoy where he has none: when the store is asked, and
    /// again when the answer is remembered.
    #[test]
    fn r14_no_two_questions_share_an_answer(
        enrolled in prop::collection::btree_set((NAME, NAME, NAME), 1..6),
        others in prop::collection::btree_set((NAME, NAME, NAME), 1..6),
    ) {
        let directory = TempDir::new().unwrap();
        let store = Arc::new(Sqlite::open(directory.path().join("credentials.db")).unwrap());
        let vault = Vault::open(Arc::clone(&store) as _, PasswordQueue::default()).unwrap();
        let salts: BTreeMap<_, _> = enrolled
            .iter()
            .enumerate()
            .map(|(number, triple)| (triple, format!("salt {number}")))
            .collect();
        for ((realm, kind, authid), salt) in &salts {
            let mut enrolment = salted("secret", salt);
            enrolment.kind = kind.as_str().into();
            let added = store.add(
                &realm.as_str().into(),
                &authid.as_str().into(),
                &"user".into(),
                &enrolment,
                Existing::Refuse,
            );
            prop_assert!(added.is_ok());
        }
        let realms: BTreeMap<_, _> = enrolled
            .iter()
            .chain(&others)
            .map(|(realm, ..)| (realm, vault.keyring(realm.as_str().into(), "guest".into())))
            .collect();
        let mut decoys = BTreeMap::new();
        for again in [false, true] {
            for triple @ (realm, kind, authid) in enrolled.iter().chain(&others) {
                let (kind, authid) = (Kind::from(kind.as_str()), Authid::from(authid.as_str()));
                let found = realms[realm].find(&kind, &authid).unwrap();
                prop_assert_eq!((found.kind(), found.authid()), (&kind, &authid));
                if let Some(salt) = salts.get(triple) {
                    prop_assert_eq!(&salt_of(&found), salt);
                    continue;
                }
                let tag = found.hmac(Hash::Sha256, b"message");
                if again {
                    prop_assert_eq!(decoys.get(&tag), Some(&triple));
                } else if let Some(other) = decoys.insert(tag, triple) {
                    prop_assert_eq!(other, triple);
                }
            }
        }
    }
}
