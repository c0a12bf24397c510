//! What is said about a SCRAM credential when it is made.

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::add::Made;
use crate::{
    command::secret::Prompt,
    credential::{
        enrol,
        scram::{Kdf, prepared_name},
    },
    login::Authid,
};

#[derive(Debug, Args)]
pub(super) struct ScramArgs {
    /// For scram: the function that makes guessing slow [default: argon2id13]
    #[arg(long, value_enum, value_name = "KDF")]
    kdf: Option<KdfName>,

    /// For scram with argon2id13: the memory that the client needs [default: 65536]
    #[arg(long, value_name = "KIB")]
    memory: Option<u32>,
}

/// As clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KdfName {
    Argon2id13,
    Pbkdf2,
}

impl ScramArgs {
    pub(super) const fn is_used(&self) -> bool {
        self.kdf.is_some() || self.memory.is_some()
    }

    pub(super) fn enrol(
        &self,
        authid: &Authid,
        iterations: Option<u32>,
        prompt: &Prompt,
    ) -> anyhow::Result<Made> {
        // Before anybody types a password in vain.
        let kdf = self.kdf(iterations)?;
        kdf.check()?;
        if prepared_name(authid.as_str()).is_none() {
            bail!(
                "no SCRAM client can log in as {authid}: the name has characters that SASLprep (RFC \
                 4013) does not allow"
            );
        }
        let password = prompt.ask_new(&format!("Password for {authid}:"))?;
        let enrolment = enrol::scram(password.expose(), kdf)
            .with_context(|| format!("{authid} got no scram credential"))?;
        Ok(enrolment.into())
    }

    fn kdf(&self, wanted: Option<u32>) -> anyhow::Result<Kdf> {
        let name = self.kdf.unwrap_or(KdfName::Argon2id13);
        if name == KdfName::Pbkdf2 && self.memory.is_some() {
            bail!("--memory is for argon2id13; leave it out");
        }
        let mut kdf = match name {
            KdfName::Argon2id13 => Kdf::default(),
            KdfName::Pbkdf2 => Kdf::pbkdf2(),
        };
        if let Kdf::Argon2id13 { memory, .. } = &mut kdf {
            *memory = self.memory.unwrap_or(*memory);
        }
        let (Kdf::Argon2id13 { iterations, .. } | Kdf::Pbkdf2 { iterations }) = &mut kdf;
        *iterations = wanted.unwrap_or(*iterations);
        Ok(kdf)
    }
}
