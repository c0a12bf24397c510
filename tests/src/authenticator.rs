//! An app that shows codes, for steps of `totp`.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use xtask::Identity;

use crate::{Component, Deployment};

/// Everybody's seed: the octets, and their base32.
const SEED: &[u8; 32] = b"12345678901234567890123456789012";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA";

/// Seconds. So long that no test gets near the end of a step and of the window behind it.
const PERIOD: u64 = 300;

/// The code of this moment, or of some steps later.
pub fn code(later: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    let step = (now.as_secs() / PERIOD).saturating_add_signed(later);
    let mut hmac = Hmac::<Sha256>::new_from_slice(SEED).expect("keys of any length");
    hmac.update(&step.to_be_bytes());
    let tag = hmac.finalize().into_bytes();
    let offset = usize::from(tag[31] & 0xf);
    let octets = tag[offset..offset + 4].try_into().expect("four octets");
    format!(
        "{:06}",
        (u32::from_be_bytes(octets) & 0x7fff_ffff) % 1_000_000
    )
}

/// A code that fits at no time near this one.
pub fn wrong_code() -> String {
    let near: Vec<String> = (-3..=3).map(code).collect();
    let mut all = (0..).map(|number| format!("{number:06}"));
    all.find(|code| !near.contains(code))
        .expect("there are more codes than seven")
}

impl Deployment {
    /// Puts the method `totp` in its place.
    pub fn totp(&self) {
        self.component("totp", &Component::method("totp"));
    }

    /// Gives somebody an app, which shows [`code`].
    pub fn enrol_app(&self, realm: &str, authid: &str, role: &str) {
        let period = PERIOD.to_string();
        self.enrol(&Identity {
            realm,
            kind: "totp",
            authid,
            role,
            secret: BASE32,
            options: &["--import", "--algorithm", "sha256", "--period", &period],
        });
    }
}
