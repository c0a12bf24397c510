use std::ops::RangeInclusive;

use countersign_guest::credentials::Hash;
use serde::Deserialize;

/// How the credential's app makes its codes.
#[derive(Clone, Copy, Debug)]
pub struct Parameters {
    pub hash: Hash,
    pub digits: u8,
    /// Milliseconds that a code is shown for.
    period: u64,
}

/// As the host keeps them.
#[derive(Deserialize)]
struct Kept {
    algorithm: Algorithm,
    digits: u8,
    /// Seconds.
    period: u64,
}

#[derive(Deserialize)]
enum Algorithm {
    #[serde(rename = "SHA1")]
    Sha1,
    #[serde(rename = "SHA256")]
    Sha256,
    #[serde(rename = "SHA512")]
    Sha512,
}

impl Parameters {
    /// Reads a credential's parameters. The error is for the operator, whose store holds them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Kept {
            algorithm,
            digits,
            period,
        } = serde_json::from_str(text).map_err(|error| format!("the credential: {error}"))?;
        if !(6..=8).contains(&digits) || period == 0 {
            return Err(format!(
                "the credential: {digits} digits, each for {period} s: no app can do that"
            ));
        }
        Ok(Self {
            hash: match algorithm {
                Algorithm::Sha1 => Hash::Sha1,
                Algorithm::Sha256 => Hash::Sha256,
                Algorithm::Sha512 => Hash::Sha512,
            },
            digits,
            period: period.saturating_mul(1000),
        })
    }

    /// The time steps whose codes fit at a time in Unix milliseconds: the present one, and `window`
    /// before and after it.
    pub fn steps(&self, now: u64, window: u8) -> RangeInclusive<u64> {
        let present = now / self.period;
        let window = u64::from(window);
        present.saturating_sub(window)..=present.saturating_add(window)
    }
}
