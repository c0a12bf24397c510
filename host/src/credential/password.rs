use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// An Argon2id hash of a password, which is what a PHC string (`$argon2id$v=19$m=19456,t=2,p=1$…`)
/// says.
///
/// A stored hash says itself what checking it costs, and hashes are imported from elsewhere. So
/// costs are bounded when it is read: a hash that exists as a value of this type is safe to check.
#[derive(Clone)]
pub struct PasswordHash {
    params: Params,
    salt: Vec<u8>,
    output: Zeroizing<Vec<u8>>,
}

/// Why a PHC string is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    #[error("not a password hash in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")]
    Malformed,
    #[error("the password hash is {0}; only argon2id is supported")]
    Algorithm(String),
    #[error("the password hash is not of Argon2's version 19 (v=19)")]
    Version,
    #[error("the password hash has a pepper's key id or associated data, which is not supported")]
    Extras,
    #[error(
        "checking the password hash would cost m={m} KiB, t={t}, p={p}; the limits are m={}, t={}, p={}",
        PasswordHash::MAX_M,
        PasswordHash::MAX_T,
        PasswordHash::MAX_P
    )]
    TooCostly { m: u32, t: u32, p: u32 },
    #[error("the password hash has {0} octets of output; 16 to 64 are supported")]
    Output(usize),
}

/// The machine has no memory for the computation, or its numbers have no meaning.
#[derive(Debug, thiserror::Error)]
#[error("Argon2 failed: {0}")]
pub struct Argon2Error(pub(super) argon2::Error);

impl PasswordHash {
    /// Memory in KiB: 128 MiB, since every check that runs at the same time needs its own.
    pub const MAX_M: u32 = 128 * 1024;
    /// Passes over that memory.
    pub const MAX_T: u32 = 10;
    /// Lanes.
    pub const MAX_P: u32 = 16;

    /// What checking a hash with the parameters for new ones takes, in octets.
    pub(super) const USUAL_MEMORY: usize = 19 << 20;

    const SALT_LEN: usize = 16;
    const OUTPUT_LEN: usize = 32;

    /// Hashes a password with the parameters for new hashes: m = 19 MiB, t = 2, p = 1, the least
    /// that OWASP's password storage cheat sheet recommends. 27 ms of one core.
    pub(super) fn new(password: &str, salt: [u8; Self::SALT_LEN]) -> Result<Self, Argon2Error> {
        let mut hash = Self::template();
        hash.salt = salt.to_vec();
        hash.output = hash.compute(password)?;
        Ok(hash)
    }

    /// A hash of the shape of new ones, of no password.
    pub(super) fn template() -> Self {
        let params = Params::new(19 * 1024, 2, 1, Some(Self::OUTPUT_LEN))
            .expect("m ≥ 8p and t ≥ 1: Argon2 allows them");
        Self {
            params,
            salt: vec![0; Self::SALT_LEN],
            output: Zeroizing::new(vec![0; Self::OUTPUT_LEN]),
        }
    }

    /// A hash with the same costs and lengths, and other contents.
    pub(super) fn with_contents(&self, derive: impl Fn(&'static str, usize) -> Vec<u8>) -> Self {
        Self {
            params: self.params.clone(),
            salt: derive("password salt", self.salt.len()),
            output: Zeroizing::new(derive("password hash", self.output.len())),
        }
    }

    /// What checking it takes, in octets.
    pub(super) fn memory(&self) -> usize {
        (self.params.m_cost() as usize).saturating_mul(1024)
    }

    /// Whether this is the password. Slow on purpose: it belongs on the queue.
    pub(super) fn verify(&self, candidate: &str) -> Result<bool, Argon2Error> {
        let output = self.compute(candidate)?;
        Ok(output.ct_eq(&self.output).into())
    }

    fn compute(&self, password: &str) -> Result<Zeroizing<Vec<u8>>, Argon2Error> {
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
            .hash_password_into(password.as_bytes(), &self.salt, &mut output)
            .map_err(Argon2Error)?;
        Ok(output)
    }

    /// The PHC string: what a store keeps.
    pub(super) fn to_phc(&self) -> Zeroizing<String> {
        let hash = phc::PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: phc::ParamsString::try_from(&self.params)
                .expect("three short numbers fit into a PHC string"),
            salt: Some(phc::Salt::new(&self.salt).expect("a PHC salt has this length")),
            hash: Some(phc::Output::new(&self.output).expect("a PHC output has this length")),
        };
        Zeroizing::new(hash.to_string())
    }
}

impl FromStr for PasswordHash {
    type Err = PasswordHashError;

    fn from_str(text: &str) -> Result<Self, PasswordHashError> {
        let phc = phc::PasswordHash::new(text).map_err(|_| PasswordHashError::Malformed)?;
        if phc.algorithm != argon2::ARGON2ID_IDENT {
            return Err(PasswordHashError::Algorithm(phc.algorithm.to_string()));
        }
        if phc.version != Some(Version::V0x13.into()) {
            return Err(PasswordHashError::Version);
        }
        let params = Params::try_from(&phc).map_err(|_| PasswordHashError::Malformed)?;
        if !params.keyid().is_empty() || !params.data().is_empty() {
            return Err(PasswordHashError::Extras);
        }
        let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
        if m > Self::MAX_M || t > Self::MAX_T || p > Self::MAX_P {
            return Err(PasswordHashError::TooCostly { m, t, p });
        }
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(PasswordHashError::Malformed);
        };
        if !(16..=64).contains(&output.len()) {
            return Err(PasswordHashError::Output(output.len()));
        }
        Ok(Self {
            params,
            salt: salt.to_vec(),
            output: Zeroizing::new(output.as_bytes().to_vec()),
        })
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PasswordHash(argon2id m={} t={} p={})",
            self.params.m_cost(),
            self.params.t_cost(),
            self.params.p_cost()
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From the tests of the reference implementation: password `password`, salt `somesalt`.
    const REFERENCE: &str =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    fn refusal(text: &str) -> PasswordHashError {
        text.parse::<PasswordHash>().unwrap_err()
    }

    #[test]
    fn checks_a_hash_that_another_program_made() {
        let hash: PasswordHash = REFERENCE.parse().unwrap();
        assert!(hash.verify("password").unwrap());
        assert!(!hash.verify("Password").unwrap());
        assert!(!hash.verify("").unwrap());
        assert_eq!(*hash.to_phc(), REFERENCE);
    }

    #[test]
    fn a_new_hash_has_the_costs_that_we_promise() {
        let hash = PasswordHash::new("wonderland", [7; 16]).unwrap();
        let text = hash.to_phc();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            *text
        );
        assert!(
            text.parse::<PasswordHash>()
                .unwrap()
                .verify("wonderland")
                .unwrap()
        );
    }

    #[test]
    fn hostile_costs_are_refused_before_anything_runs() {
        let with = |costs: &str| REFERENCE.replace("m=256,t=2,p=1", costs);
        for costs in [
            "m=131073,t=2,p=1",
            "m=256,t=11,p=1",
            "m=256,t=2,p=17",
            "m=4294967295,t=4294967295,p=16777215",
        ] {
            assert!(
                matches!(refusal(&with(costs)), PasswordHashError::TooCostly { .. }),
                "{costs}"
            );
        }
        assert!(with("m=131072,t=10,p=16").parse::<PasswordHash>().is_ok());
        for costs in [
            "m=0,t=2,p=1",
            "m=7,t=2,p=1",
            "m=256,t=0,p=1",
            "m=256,t=2,p=0",
            "m=x,t=2,p=1",
        ] {
            assert_eq!(
                refusal(&with(costs)),
                PasswordHashError::Malformed,
                "{costs}"
            );
        }
    }

    #[test]
    fn other_functions_and_versions_are_refused() {
        let argon2i = refusal(&REFERENCE.replace("argon2id", "argon2i"));
        assert_eq!(argon2i, PasswordHashError::Algorithm("argon2i".into()));
        assert_eq!(
            refusal(&REFERENCE.replace("v=19", "v=16")),
            PasswordHashError::Version
        );
        assert_eq!(
            refusal(&REFERENCE.replace("$v=19", "")),
            PasswordHashError::Version
        );
        let keyed = REFERENCE.replace("p=1", "p=1,keyid=c29tZQ");
        assert_eq!(refusal(&keyed), PasswordHashError::Extras);
        let (without_output, _) = REFERENCE.rsplit_once('$').unwrap();
        assert_eq!(refusal(without_output), PasswordHashError::Malformed);
        let short = format!("{without_output}$MTIzNDU2Nzg5MDEy");
        assert_eq!(refusal(&short), PasswordHashError::Output(12));
    }

    #[test]
    fn only_the_costs_are_printed() {
        let hash: PasswordHash = REFERENCE.parse().unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash(argon2id m=256 t=2 p=1)");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in r"(\$argon2id\$v=19\$)?[$a-zA-Z0-9=,+/]{0,80}") {
            if let Ok(hash) = text.parse::<PasswordHash>() {
                prop_assert!(hash.params.m_cost() <= PasswordHash::MAX_M);
            }
        }
    }
}
