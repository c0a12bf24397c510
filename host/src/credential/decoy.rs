//! Making up credentials for those who have none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::enrol::{Derivation, SCRAM_SALT_LEN, Totp};
use super::scram::Kdf;
use super::store::DecoyKey;
use super::{
    Authid, Authrole, EnrolledKey, Key, Kind, Material, Parameters, PasswordHash, PublicKey, Realm,
    Record, ScramKeys, Validity,
};

/// What the decoys of a kind look like in a realm: everything but what differs from one credential
/// to the next.
#[derive(Clone, Debug)]
pub(super) struct Template {
    authrole: Authrole,
    parameters: Parameters,
    material: Material,
}

impl Template {
    /// Like a credential that exists.
    pub(super) fn like(record: Record) -> Self {
        let Record {
            authrole,
            parameters,
            material,
            ..
        } = record;
        Self {
            authrole,
            parameters,
            material,
        }
    }

    /// Like the first credential of its kind will be, if it is enrolled as this program does it.
    pub(super) fn of_new(kind: &Kind, authrole: Authrole) -> Self {
        let (parameters, material) = match kind.as_str() {
            "ticket" => (
                Parameters::none(),
                Material::Password(PasswordHash::template()),
            ),
            "wampcra" => {
                let derivation = Derivation::with_salt(&[0; Derivation::SALT_LEN]);
                // The base64 text of a derived key has 44 octets.
                (derivation.parameters(), Material::Key(Key::new(&[0; 44])))
            }
            "cryptosign" => (Parameters::none(), Material::PublicKeys(Vec::new())),
            "webauthn" => (Parameters::none(), Material::EnrolledKeys(Vec::new())),
            "totp" => {
                let totp = Totp::default();
                let seed = vec![0; totp.algorithm.octets()];
                (totp.parameters(), Material::Key(Key::new(&seed)))
            }
            "scram" => (
                Kdf::default().parameters(&[0; SCRAM_SALT_LEN]),
                Material::Scram(ScramKeys::template()),
            ),
            _ => (Parameters::none(), Material::Key(Key::new(&[0; 32]))),
        };
        Self {
            authrole,
            parameters,
            material,
        }
    }
}

/// Makes the decoys of one realm.
#[derive(Clone)]
pub(super) struct Decoys {
    /// Keyed with the decoy key, the realm's name already taken in.
    mac: Hmac<Sha256>,
}

impl Decoys {
    pub(super) fn new(key: &DecoyKey, realm: &Realm) -> Self {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.octets())
            .expect("HMAC takes keys of any length");
        absorb(&mut mac, realm.as_str());
        Self { mac }
    }

    /// The credential that an authid without one seems to have. Enrolled keys in it have these ids;
    /// without any there is one key, with an id that is made up as well.
    pub(super) fn make(
        &self,
        kind: &Kind,
        authid: &Authid,
        ids: &[&[u8]],
        template: &Template,
    ) -> Record {
        let source = self.source(kind, authid);
        let material = match &template.material {
            Material::Password(hash) => {
                Material::Password(hash.with_contents(|label, len| source.octets(label, len)))
            }
            Material::Key(key) => {
                let octets = Zeroizing::new(source.octets("key", key.octets().len()));
                Material::Key(Key::new(&octets))
            }
            Material::PublicKeys(_) => Material::PublicKeys(vec![source.public_key()]),
            Material::Scram(keys) => {
                Material::Scram(keys.with_contents(|label, len| source.octets(label, len)))
            }
            Material::EnrolledKeys(keys) => {
                Material::EnrolledKeys(source.enrolled_keys(keys.first(), ids))
            }
        };
        let parameters = match &material {
            Material::EnrolledKeys(keys) => EnrolledKey::parameters(keys),
            _ => template.parameters.with_salt(|salt| source.salt_like(salt)),
        };
        Record {
            kind: kind.clone(),
            authid: authid.clone(),
            authrole: template.authrole.clone(),
            parameters,
            material,
            version: 0,
            validity: Validity::default(),
        }
    }

    /// A key that nobody knows, for whom has none.
    pub(super) fn unknown_key(&self, kind: &Kind, authid: &Authid) -> Key {
        Key::new(&Zeroizing::new(
            self.source(kind, authid).octets("no key", 32),
        ))
    }

    fn source(&self, kind: &Kind, authid: &Authid) -> Source {
        let mut mac = self.mac.clone();
        absorb(&mut mac, kind.as_str());
        absorb(&mut mac, authid.as_str());
        Source { mac }
    }
}

/// Takes in a text behind its length, so that no two sequences of texts are the same octets.
fn absorb(mac: &mut Hmac<Sha256>, text: &str) {
    mac.update(&(text.len() as u64).to_be_bytes());
    mac.update(text.as_bytes());
}

/// Octets that belong to one realm, kind and authid, and that look random to whoever lacks the
/// decoy key.
struct Source {
    mac: Hmac<Sha256>,
}

/// What salts are made of that are neither hex nor base64.
const LETTERS_AND_DIGITS: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Source {
    /// HMAC-SHA256(decoy key, realm ‖ kind ‖ authid ‖ label ‖ n) for n = 0, 1, …, as many octets as
    /// are needed.
    fn octets(&self, label: &'static str, len: usize) -> Vec<u8> {
        self.blocks(label).flatten().take(len).collect()
    }

    fn blocks(&self, label: &'static str) -> impl Iterator<Item = [u8; 32]> {
        let mut mac = self.mac.clone();
        absorb(&mut mac, label);
        (0_u64..).map(move |n| {
            let mut mac = mac.clone();
            mac.update(&n.to_be_bytes());
            mac.finalize().into_bytes().into()
        })
    }

    /// A genuine key, as a client would have it.
    fn public_key(&self) -> PublicKey {
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(&Zeroizing::new(self.octets("ed25519 seed", 32)));
        PublicKey::trusted(SigningKey::from_bytes(&seed).verifying_key().to_bytes())
    }

    /// Passkeys that authenticators could have made, at least one: ids, and keys for ES256, which
    /// nearly all of them make. The points are found without their private keys, which therefore
    /// nobody has.
    fn enrolled_keys(&self, like: Option<&EnrolledKey>, ids: &[&[u8]]) -> Vec<EnrolledKey> {
        let first = || EnrolledKey::new(&[0; PASSKEY_ID_LEN], &[0], 0, PASSKEY_ABOUT);
        let like = like.cloned().or_else(|| first().ok());
        let like = like.expect("the constants lie within the bounds of a key");
        let made_up = self.octets("key id", like.id().len());
        let ids = match ids {
            [] | [[]] => &[&made_up[..]],
            ids => ids,
        };
        ids.iter()
            .zip(self.points())
            .map(|(id, point)| {
                // Longer ones are nobody's, and are not looked at.
                let id = id.get(..EnrolledKey::LONGEST_ID).unwrap_or(id);
                like.with(id, &cose_es256(&point))
            })
            .collect()
    }

    /// Points of the curve P-256, without an end. Half of all numbers are the x of one.
    fn points(&self) -> impl Iterator<Item = p256::Sec1Point> {
        self.blocks("p-256 x").filter_map(|x| {
            let compressed = [&[2], &x[..]].concat();
            let key = p256::PublicKey::from_sec1_bytes(&compressed).ok()?;
            Some(key.to_sec1_point(false))
        })
    }

    /// A salt of the same length and in the same notation: hex, base64, or letters and digits.
    fn salt_like(&self, salt: &str) -> String {
        if let Ok(octets) = hex::decode(salt)
            && hex::encode(&octets) == salt
        {
            return hex::encode(self.octets("salt", octets.len()));
        }
        if let Ok(octets) = BASE64.decode(salt) {
            return BASE64.encode(self.octets("salt", octets.len()));
        }
        // Four octets for each, which makes all about equally likely.
        self.octets("salt", 4 * salt.chars().count())
            .chunks_exact(4)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |n, octet| (n * 256 + usize::from(*octet)) % 62)
            })
            .filter_map(|n| LETTERS_AND_DIGITS.get(n).copied().map(char::from))
            .collect()
    }
}

/// What is most usual for a passkey that no realm has yet: the octets of its id, and what the method
/// `webauthn` says of it.
const PASSKEY_ID_LEN: usize = 16;
const PASSKEY_ABOUT: &str =
    r#"{"backup_eligible":true,"transports":["hybrid","internal"],"user_verified":true}"#;

/// A key as authenticators write it (RFC 9053, section 7.1.1).
fn cose_es256(point: &p256::Sec1Point) -> Vec<u8> {
    // A map of five: kty EC2, alg ES256, crv P-256, and then x and y.
    let mut key = vec![0xa5, 1, 2, 3, 0x26, 0x20, 1];
    for (label, coordinate) in [(0x21, point.x()), (0x22, point.y())] {
        key.extend([label, 0x58, 32]);
        key.extend(coordinate.into_iter().flatten());
    }
    key
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::VerifyingKey;
    use proptest::prelude::*;

    use super::*;

    fn decoys(realm: &str) -> Decoys {
        Decoys::new(&DecoyKey::new([7; 32]), &Realm::from(realm))
    }

    fn key(record: &Record) -> &[u8] {
        match &record.material {
            Material::Key(key) => key.octets(),
            other => panic!("{other:?}"),
        }
    }

    fn make(realm: &str, kind: &str, authid: &str) -> Record {
        let template = Template::of_new(&Kind::wampcra(), "user".into());
        decoys(realm).make(&kind.into(), &authid.into(), &[], &template)
    }

    #[test]
    fn what_is_derived_never_changes() {
        // Were this to change, decoys would change with an upgrade and real credentials would not.
        let decoy = make("realm1", "wampcra", "alice");
        assert_eq!(
            decoy.parameters.as_str(),
            r#"{"iterations":10000,"keylen":32,"salt":"a0f6aa2af51a5412c3a6642cbfeb0699"}"#
        );
    }

    #[test]
    fn a_public_key_is_a_genuine_one() {
        let template = Template::of_new(&Kind::cryptosign(), "user".into());
        let decoy = decoys("realm1").make(&Kind::cryptosign(), &"alice".into(), &[], &template);
        let Material::PublicKeys(keys) = decoy.material else {
            panic!()
        };
        let [key] = keys[..] else { panic!("{keys:?}") };
        assert_eq!(PublicKey::new(*key.octets()), Ok(key));
        assert!(!VerifyingKey::from_bytes(key.octets()).unwrap().is_weak());
    }

    #[test]
    fn an_enrolled_key_looks_like_its_neighbours() {
        let neighbour = EnrolledKey::new(&[1; 20], b"key", 3, r#"{"transports":["usb"]}"#).unwrap();
        let template = Template {
            authrole: "user".into(),
            parameters: Parameters::none(),
            material: Material::EnrolledKeys(vec![neighbour.clone(), neighbour]),
        };
        let asked =
            |ids: &[_]| decoys("realm1").make(&Kind::webauthn(), &"alice".into(), ids, &template);
        let decoy = asked(&[]);
        let Material::EnrolledKeys(keys) = &decoy.material else {
            panic!("{decoy:?}")
        };
        let [key] = &keys[..] else { panic!("{keys:?}") };
        assert_eq!((key.id().len(), key.counter()), (20, 3));
        assert_eq!(key.about(), r#"{"transports":["usb"]}"#);
        assert_eq!(decoy.parameters, EnrolledKey::parameters(keys));

        let ids: [&[u8]; 2] = [&[9; 5], &[8; 6]];
        let Material::EnrolledKeys(two) = asked(&ids).material else {
            panic!()
        };
        assert_eq!([two[0].id(), two[1].id()], ids);
        assert_eq!(two[0].public_key(), key.public_key());
        assert_ne!(two[0].public_key(), two[1].public_key());
    }

    #[test]
    fn an_enrolled_key_is_a_genuine_one() {
        let template = Template::of_new(&Kind::webauthn(), "user".into());
        for authid in ["alice", "bob", "carol", "dave"] {
            let decoy = decoys("realm1").make(&Kind::webauthn(), &authid.into(), &[], &template);
            let Material::EnrolledKeys(keys) = decoy.material else {
                panic!()
            };
            let key = keys[0].public_key();
            assert_eq!(key.len(), 77);
            let point = [&[4], &key[10..42], &key[45..]].concat();
            p256::PublicKey::from_sec1_bytes(&point).unwrap();
        }
    }

    #[test]
    fn salts_are_written_like_their_neighbours() {
        let source = decoys("realm1").source(&Kind::wampcra(), &"alice".into());
        let hex = source.salt_like("00112233445566778899aabbccddeeff");
        assert_eq!(hex::decode(&hex).unwrap().len(), 16);
        let base64 = source.salt_like("MTIzNDU2Nzg5MGFiY2RlZg==");
        assert_eq!(BASE64.decode(&base64).unwrap().len(), 16);
        let words = source.salt_like("salt123");
        assert!(
            words.len() == 7 && words.chars().all(|c| c.is_ascii_alphanumeric()),
            "{words}"
        );
        assert_eq!(source.salt_like(""), "");
        assert_eq!(source.salt_like("pfeffer-für-alice").len(), 17);
    }

    #[test]
    fn parameters_are_the_neighbours_but_for_the_salt() {
        let parameters = r#"{"kdf":"argon2id13","salt":"MTIzNDU2Nzg5MGFiY2RlZg==","memory":512}"#;
        let template = Template {
            authrole: "user".into(),
            parameters: Parameters::parse(parameters).unwrap(),
            material: Material::Key(Key::new(b"key")),
        };
        let decoy = decoys("realm1").make(&"wamp-scram".into(), &"alice".into(), &[], &template);
        let text = decoy.parameters.as_str();
        assert!(
            text.starts_with(r#"{"kdf":"argon2id13","memory":512,"salt":""#),
            "{text}"
        );
        assert!(!text.contains("MTIzNDU2Nzg5MGFiY2RlZg=="));
    }

    proptest! {
        #[test]
        fn the_same_question_has_the_same_decoy(
            realm in ".{0,12}", kind in ".{0,12}", authid in ".{0,12}",
        ) {
            let (one, two) = (make(&realm, &kind, &authid), make(&realm, &kind, &authid));
            prop_assert_eq!(key(&one), key(&two));
            prop_assert_eq!(one.parameters, two.parameters);
        }

        /// Few letters and short names: where one ends and the next begins is all that differs.
        #[test]
        fn other_questions_have_other_decoys(
            one in ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"),
            two in ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"),
        ) {
            prop_assume!(one != two);
            let (one, two) = (make(&one.0, &one.1, &one.2), make(&two.0, &two.1, &two.2));
            prop_assert_ne!(key(&one), key(&two));
            prop_assert_ne!(one.parameters, two.parameters);
        }

        #[test]
        fn a_salt_keeps_its_length(salt in ".{0,40}") {
            let source = decoys("realm1").source(&Kind::wampcra(), &"alice".into());
            prop_assert_eq!(source.salt_like(&salt).chars().count(), salt.chars().count());
        }
    }
}
