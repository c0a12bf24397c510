//! Public keys as authenticators write them (COSE: RFC 9052 and RFC 9053), and their signatures.

use ed25519_dalek::VerifyingKey as Ed25519;
use minicbor::{Decoder, data::Type};
use p256::ecdsa::{Signature as EcdsaSignature, VerifyingKey as P256, signature::Verifier as _};
use rsa::{BoxedUint, Pkcs1v15Sign, PublicKey as Rsa};
use sha2::{Digest, Sha256};

/// The algorithms that are understood, the preferred one first. `ES256` is what nearly all
/// authenticators have, and what the keys of decoys are for.
pub(crate) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Shorter moduli can be factored by those who care; longer ones take longer than a login should.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key that proves something.
#[derive(Debug)]
pub(crate) enum PublicKey {
    Es256(P256),
    EdDsa(Ed25519),
    Rs256(Rsa),
}

/// The members of a key's map, by their labels. Those of -1, -2 and -3 depend on the type of key.
#[derive(Default)]
struct Members<'a> {
    kty: Option<i64>,
    alg: Option<i64>,
    minus_1: Option<Member<'a>>,
    minus_2: Option<Member<'a>>,
    minus_3: Option<Member<'a>>,
}

#[derive(Clone, Copy)]
enum Member<'a> {
    Number(i64),
    Octets(&'a [u8]),
}

impl<'a> Member<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Self, minicbor::decode::Error> {
        match decoder.datatype()? {
            Type::Bytes => decoder.bytes().map(Self::Octets),
            _ => decoder.i64().map(Self::Number),
        }
    }

    fn octets(member: Option<Self>) -> Result<&'a [u8], &'static str> {
        match member {
            Some(Member::Octets(octets)) => Ok(octets),
            _ => Err("the public key lacks a part"),
        }
    }
}

impl<'a> Members<'a> {
    fn read(octets: &'a [u8]) -> Result<Self, minicbor::decode::Error> {
        let mut decoder = Decoder::new(octets);
        let mut members = Self::default();
        let count = crate::cbor::definite(decoder.map()?)?;
        for _ in 0..count {
            let twice = match decoder.i64()? {
                1 => members.kty.replace(decoder.i64()?).is_some(),
                3 => members.alg.replace(decoder.i64()?).is_some(),
                -1 => members
                    .minus_1
                    .replace(Member::read(&mut decoder)?)
                    .is_some(),
                -2 => members
                    .minus_2
                    .replace(Member::read(&mut decoder)?)
                    .is_some(),
                -3 => members
                    .minus_3
                    .replace(Member::read(&mut decoder)?)
                    .is_some(),
                _ => {
                    decoder.skip()?;
                    false
                }
            };
            if twice {
                return Err(minicbor::decode::Error::message("a label is there twice"));
            }
        }
        crate::cbor::end(&decoder)?;
        Ok(members)
    }
}

impl PublicKey {
    /// Reads a key of one of the [`ALGORITHMS`].
    pub(crate) fn parse(octets: &[u8]) -> Result<Self, &'static str> {
        const TYPE: &str = "the public key's type does not fit its algorithm";
        let members = Members::read(octets).map_err(|_| "the public key is not a COSE key")?;
        let curve = match members.minus_1 {
            Some(Member::Number(number)) => Some(number),
            _ => None,
        };
        let [minus_2, minus_3] = [members.minus_2, members.minus_3].map(Member::octets);
        match (members.alg, members.kty, curve) {
            (Some(ES256), Some(2), Some(1)) => Self::es256(minus_2?, minus_3?),
            (Some(EDDSA), Some(1), Some(6)) => Self::eddsa(minus_2?),
            (Some(RS256), Some(3), None) => Self::rs256(Member::octets(members.minus_1)?, minus_2?),
            (Some(ES256 | EDDSA | RS256), _, _) => Err(TYPE),
            _ => Err("the public key is for an algorithm that was not asked for"),
        }
    }

    fn es256(x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        const NO_POINT: &str = "the public key is no point of P-256";
        if (x.len(), y.len()) != (32, 32) {
            return Err(NO_POINT);
        }
        P256::from_sec1_bytes(&[&[4], x, y].concat())
            .map(Self::Es256)
            .map_err(|_| NO_POINT)
    }

    fn eddsa(x: &[u8]) -> Result<Self, &'static str> {
        let key = Ed25519::try_from(x).map_err(|_| "the public key is no Ed25519 key")?;
        if key.is_weak() {
            return Err("the public key is weak: anyone can sign with it");
        }
        Ok(Self::EdDsa(key))
    }

    fn rs256(n: &[u8], e: &[u8]) -> Result<Self, &'static str> {
        // Before any arithmetic with it.
        if n.len() > RSA_BITS.end() / 8 || e.len() > 8 {
            return Err("the RSA key is too large");
        }
        let [n, e] = [n, e].map(BoxedUint::from_be_slice_vartime);
        Rsa::new_with_size_limits(n, e, RSA_BITS)
            .map(Self::Rs256)
            .map_err(|_| "the RSA key is none of 2048 to 4096 bits")
    }

    /// Whether the signature is this key's. That of an Ed25519 key is taken by the strictest reading
    /// of RFC 8032.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), &'static str> {
        let fits = match self {
            Self::Es256(key) => EcdsaSignature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Rs256(key) => {
                let scheme = Pkcs1v15Sign::new::<Sha256>();
                key.verify(scheme, &Sha256::digest(message), signature)
                    .is_ok()
            }
        };
        if fits {
            Ok(())
        } else {
            Err("the signature does not match")
        }
    }
}
