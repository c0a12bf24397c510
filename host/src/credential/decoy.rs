//! Making up credentials for those who have none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::enrol::{Derivation, SCRAM_SALT_LEN, Totp};
use super::scram::Kdf;
use super::store::DecoyKey;
use super::{
    Authid, Authrole, Key, Kind, Material, Parameters, PasswordHash, PublicKey, Realm, Record,
    ScramKeys, Validity,
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

    /// The credential that an authid without one seems to have.
    pub(super) fn make(&self, kind: &Kind, authid: &Authid, template: &Template) -> Record {
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
        };
        Record {
            kind: kind.clone(),
            authid: authid.clone(),
            authrole: template.authrole.clone(),
            parameters: template.parameters.with_salt(|salt| source.salt_like(salt)),
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
        let mut mac = self.mac.clone();
        absorb(&mut mac, label);
        let block = |n: u64| {
            let mut mac = mac.clone();
            mac.update(&n.to_be_bytes());
            mac.finalize().into_bytes()
        };
        (0..).flat_map(block).take(len).collect()
    }

    /// A genuine key, as a client would have it.
    fn public_key(&self) -> PublicKey {
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(&Zeroizing::new(self.octets("ed25519 seed", 32)));
        PublicKey::trusted(SigningKey::from_bytes(&seed).verifying_key().to_bytes())
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
        decoys(realm).make(&kind.into(), &authid.into(), &template)
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
        let decoy = decoys("realm1").make(&Kind::cryptosign(), &"alice".into(), &template);
        let Material::PublicKeys(keys) = decoy.material else {
            panic!()
        };
        let [key] = keys[..] else { panic!("{keys:?}") };
        assert_eq!(PublicKey::new(*key.octets()), Ok(key));
        assert!(!VerifyingKey::from_bytes(key.octets()).unwrap().is_weak());
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
        let decoy = decoys("realm1").make(&"wamp-scram".into(), &"alice".into(), &template);
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
