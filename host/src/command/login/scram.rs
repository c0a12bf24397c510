//! Answers to the CHALLENGEs of SCRAM, in both dialects, and what the router must show in return.

use base64::{Engine, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::answer::{NoAnswer, Proof, TLS_EXPORTER};
use crate::{
    credential::scram::{Dialect, Kdf, SaltedPassword, ScramError, prepared_name},
    wamp::{Dict, Value},
};

/// Octets of our nonce. A multiple of three: then the base64 of our octets and the router's, which is
/// what Crossbar sends, begins with the base64 of ours.
const NONCE_OCTETS: usize = 24;

/// The client's half of what makes an exchange unique, in base64. It goes along in HELLO.
#[derive(Clone, Debug)]
pub struct ClientNonce(String);

/// What the router must send in WELCOME, to show that it has the keys of the password: a router that
/// only pretends does not know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerProof {
    /// The member of authextra.
    member: &'static str,
    signature: [u8; 32],
}

/// What the router asks, read from CHALLENGE.Extra.
#[derive(Debug)]
struct Question<'a> {
    dialect: Dialect,
    /// Ours, then the router's.
    nonce: &'a str,
    /// As the router wrote it.
    salt: &'a str,
    kdf: Kdf,
}

/// Which dialect a method's name stands for.
pub fn dialect(method: &str) -> Option<Dialect> {
    match method {
        "wamp-scram" => Some(Dialect::Wamp),
        "scram" => Some(Dialect::Autobahn),
        _ => None,
    }
}

impl ClientNonce {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut octets = [0; NONCE_OCTETS];
        getrandom::fill(&mut octets)?;
        Ok(Self(BASE64_STANDARD.encode(octets)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Answers a CHALLENGE, bound to `channel` if that was asked for. The password is asked for once the challenge is found to be in order.
    pub fn answer(
        &self,
        dialect: Dialect,
        authid: Option<&str>,
        channel: Option<&[u8; 32]>,
        extra: &Dict,
        password: impl FnOnce() -> Result<Zeroizing<String>, NoAnswer>,
    ) -> Result<Proof, NoAnswer> {
        let authid = authid.ok_or(NoAnswer::Challenge(
            "it asks by SCRAM, which needs a name; give it with --authid",
        ))?;
        let question = Question::read(dialect, &self.0, extra)?;
        let message = question.auth_message(authid, &self.0, channel)?;
        let salted = question.salted_password(&password()?)?;
        let (member, extra) = match dialect {
            Dialect::Wamp => ("verifier", {
                let (name, data) = match channel {
                    None => (Value::Null, Value::Null),
                    Some(channel) => (TLS_EXPORTER.into(), BASE64_STANDARD.encode(channel).into()),
                };
                Dict::new()
                    .with("nonce", question.nonce)
                    .with("channel_binding", name)
                    .with("cbind_data", data)
            }),
            Dialect::Autobahn => ("scram_server_signature", Dict::new()),
        };
        Ok(Proof {
            signature: Zeroizing::new(BASE64_STANDARD.encode(salted.proof(message.as_bytes()))),
            extra,
            in_return: Some(ServerProof {
                member,
                signature: salted.server_signature(message.as_bytes()),
            }),
        })
    }
}

impl ServerProof {
    /// Whether WELCOME's details hold it. The specification has the signature by itself in its text,
    /// and in its example behind "v=", as Bondy sends it.
    pub fn is_in(&self, details: &Dict) -> bool {
        let Some(Value::Dict(authextra)) = details.value("authextra") else {
            return false;
        };
        let Some(text) = authextra.text(self.member) else {
            return false;
        };
        BASE64_STANDARD
            .decode(text.strip_prefix("v=").unwrap_or(text))
            .is_ok_and(|shown| shown.ct_eq(&self.signature).into())
    }
}

impl<'a> Question<'a> {
    fn read(dialect: Dialect, our_nonce: &str, extra: &'a Dict) -> Result<Self, NoAnswer> {
        let text = |key, why| extra.text(key).ok_or(NoAnswer::Challenge(why));
        let nonce = text("nonce", "its \"nonce\" is missing or no text")?;
        // Without the router's half it could be an exchange that was overheard; with a comma in it
        // something else could be meant by our answer.
        let its_own = nonce.strip_prefix(our_nonce).is_some_and(|theirs| {
            !theirs.is_empty() && theirs.bytes().all(|c| c.is_ascii_graphic() && c != b',')
        });
        if !its_own {
            let why = "its \"nonce\" is not ours with the router's behind it";
            return Err(NoAnswer::Challenge(why));
        }
        match extra.value("channel_binding") {
            None | Some(Value::Null) => {}
            Some(Value::Text(text)) if text.is_empty() => {}
            Some(_) => {
                let why = "it is bound to a TLS channel, which was not asked for";
                return Err(NoAnswer::Challenge(why));
            }
        }
        let number = |key| {
            extra
                .value(key)
                .and_then(Value::as_u64)
                .and_then(|number| u32::try_from(number).ok())
                .ok_or(NoAnswer::Challenge(
                    "its \"iterations\" or \"memory\" is missing or no possible number",
                ))
        };
        let iterations = number("iterations")?;
        let kdf = match (text("kdf", "its \"kdf\" is missing or no text")?, dialect) {
            ("argon2id13", Dialect::Wamp) | ("argon2id-13", Dialect::Autobahn) => Kdf::Argon2id13 {
                iterations,
                memory: number("memory")?,
            },
            ("pbkdf2", _) => Kdf::Pbkdf2 { iterations },
            _ => return Err(NoAnswer::Challenge("its \"kdf\" is not known here")),
        };
        bearable(kdf)?;
        Ok(Self {
            dialect,
            nonce,
            salt: text("salt", "its \"salt\" is missing or no text")?,
            kdf,
        })
    }

    /// RFC 5802's `AuthMessage`. autobahn-python neither escapes the name nor says "n,,", which stands
    /// for a client without channel binding; it knows none. What `wamp-scram` is bound to is a part of
    /// the message, so a router at the end of another connection finds that the proof does not fit.
    fn auth_message(
        &self,
        authid: &str,
        our_nonce: &str,
        channel: Option<&[u8; 32]>,
    ) -> Result<String, NoAnswer> {
        let name = prepared_name(authid).ok_or(NoAnswer::Challenge(
            "it asks by SCRAM, where a name cannot have the characters of this one",
        ))?;
        let (name, binding) = match self.dialect {
            Dialect::Wamp => (
                name.replace('=', "=3D").replace(',', "=2C"),
                match channel {
                    None => "biws".to_owned(),
                    Some(channel) => BASE64_STANDARD
                        .encode([format!("p={TLS_EXPORTER},,").as_bytes(), channel].concat()),
                },
            ),
            Dialect::Autobahn => (name.into_owned(), String::new()),
        };
        let Self { nonce, salt, .. } = self;
        let (Kdf::Argon2id13 { iterations, .. } | Kdf::Pbkdf2 { iterations }) = self.kdf;
        Ok(format!(
            "n={name},r={our_nonce},r={nonce},s={salt},i={iterations},c={binding},r={nonce}"
        ))
    }

    fn salted_password(&self, password: &str) -> Result<SaltedPassword, NoAnswer> {
        let salt = BASE64_STANDARD
            .decode(self.salt)
            .map_err(|_| NoAnswer::Challenge("its \"salt\" is not base64"))?;
        self.kdf
            .salted_password(self.dialect, password, &salt)
            .map_err(|error| match error {
                ScramError::Unprepared => NoAnswer::Password(error),
                ScramError::Argon2(_) => NoAnswer::Challenge(
                    "Argon2 cannot be computed by its \"salt\", \"iterations\" and \"memory\"",
                ),
            })
    }
}

/// A router that asks for little could want to find the password from our answer; one that asks for
/// much could want to keep us busy. Crossbar's examples have half a MiB of memory and 4096 passes.
fn bearable(kdf: Kdf) -> Result<(), NoAnswer> {
    let bearable = match kdf {
        Kdf::Pbkdf2 { iterations } => (Kdf::LEAST_PBKDF2..=Kdf::MOST_PBKDF2).contains(&iterations),
        Kdf::Argon2id13 { iterations, memory } => {
            let work = u64::from(iterations) * u64::from(memory);
            memory <= Kdf::MOST_MEMORY && (Kdf::LEAST_WORK..=Kdf::MOST_WORK).contains(&work)
        }
    };
    if bearable {
        Ok(())
    } else {
        Err(NoAnswer::Kdf(kdf))
    }
}

#[cfg(test)]
mod tests;
