//! Enrolling a person's authenticator app.

use std::fmt::Write as _;

use anyhow::Context;
use clap::{Args, ValueEnum};
use qrcode::{QrCode, render::unicode::Dense1x2};
use zeroize::Zeroizing;

use super::{add::Made, store_authid};
use crate::{
    command::secret::{Prompt, Secret},
    config::RealmName,
    credential::{
        Hash, RecoveryCode,
        enrol::{self, Seed, Totp},
    },
    login::Authid,
};

/// How many recovery codes a person gets.
const RECOVERY_CODES: u8 = 10;

#[derive(Debug, Args)]
pub(super) struct TotpArgs {
    /// For totp: the hash [default: sha1, since some apps ignore any other]
    #[arg(long, value_enum, value_name = "HASH")]
    algorithm: Option<Algorithm>,

    /// For totp: the digits of a code [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(6..=8))]
    digits: Option<u8>,

    /// For totp: how long a code is shown [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(10..=300))]
    period: Option<u32>,

    /// For totp: how many recovery codes to make [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=50))]
    recovery: Option<u8>,

    /// For totp: take a seed that exists; its base32 is asked for, or read from standard input
    #[arg(long)]
    import: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl TotpArgs {
    pub(super) const fn is_used(&self) -> bool {
        self.algorithm.is_some()
            || self.digits.is_some()
            || self.period.is_some()
            || self.recovery.is_some()
            || self.import
    }

    pub(super) fn enrol(
        &self,
        realm: &RealmName,
        authid: &Authid,
        prompt: &Prompt,
    ) -> anyhow::Result<Made> {
        let totp = self.totp();
        let seed = if self.import {
            let seed = prompt.ask_new(&format!("Seed of {authid}, in base32:"))?;
            Seed::parse(seed.expose())
                .with_context(|| format!("{authid} got no totp credential"))?
        } else {
            Seed::fresh(totp.algorithm)?
        };
        let codes = (0..self.recovery.unwrap_or(RECOVERY_CODES))
            .map(|_| RecoveryCode::generate())
            .collect::<Result<Vec<_>, _>>()
            .context("the system has no randomness for recovery codes")?;
        let address = totp.address(&seed, &realm.as_str().into(), &store_authid(authid));
        Ok(Made {
            enrolment: enrol::totp(&seed, &totp, &codes)?,
            secret: Some(handout(&address, &codes)),
        })
    }

    fn totp(&self) -> Totp {
        let default = Totp::default();
        Totp {
            algorithm: self.algorithm.map_or(default.algorithm, Into::into),
            digits: self.digits.unwrap_or(default.digits),
            period: self.period.unwrap_or(default.period),
        }
    }
}

impl From<Algorithm> for Hash {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1,
            Algorithm::Sha256 => Self::Sha256,
            Algorithm::Sha512 => Self::Sha512,
        }
    }
}

/// What the person must get, for the screen.
fn handout(address: &str, codes: &[RecoveryCode]) -> Secret {
    // Large enough from the start: text that grows leaves copies behind.
    let mut text = String::with_capacity(16 << 10);
    // Writing to a String does not fail.
    _ = writeln!(
        text,
        "\nFor the authenticator app, once and never again:\n\n{address}\n"
    );
    if let Some(picture) = picture(address) {
        _ = writeln!(text, "{}\n", *picture);
    }
    if !codes.is_empty() {
        text.push_str("Recovery codes, each good once in place of a code from the app:\n\n");
        for code in codes {
            _ = writeln!(text, "  {}", *code.expose());
        }
        text.push('\n');
    }
    Secret::from(text)
}

/// A QR code in half blocks, light on dark as most terminals are. None for an address that is too
/// long for one, which takes a very long name.
fn picture(address: &str) -> Option<Zeroizing<String>> {
    let code = QrCode::new(address).ok()?;
    let picture = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    Some(Zeroizing::new(picture))
}
