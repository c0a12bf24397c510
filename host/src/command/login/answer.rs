//! Answers to CHALLENGEs.

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use super::scram::{self, ClientNonce, ServerProof};
use crate::{
    command::{
        output,
        secret::{Prompt, SecretError},
    },
    credential::{
        enrol::derive_key,
        scram::{Kdf, ScramError},
    },
    observe::Printable,
    wamp::{Dict, Value},
};

/// What clients take where the router does not say.
const ITERATIONS: u64 = 1000;
const KEYLEN: u64 = 32;

/// A router could keep a client busy for hours: a million take half a second.
const MOST_ITERATIONS: u64 = 10_000_000;
const MOST_KEYLEN: u64 = 1024;

/// The channel binding that is asked for (RFC 9266).
pub const TLS_EXPORTER: &str = "tls-exporter";

/// How whoever logs in proves it.
pub struct Prover {
    /// For questions to a person.
    pub authid: Option<String>,
    /// For cryptosign.
    pub key: Option<SigningKey>,
    /// For SCRAM: what HELLO had.
    pub nonce: ClientNonce,
    /// What answers are bound to where the method can do that: then HELLO has asked for it.
    pub channel: Option<[u8; 32]>,
    pub prompt: Prompt,
}

/// AUTHENTICATE, and what the router must show in return.
pub struct Proof {
    pub signature: Zeroizing<String>,
    pub extra: Dict,
    pub in_return: Option<ServerProof>,
}

impl From<Zeroizing<String>> for Proof {
    fn from(signature: Zeroizing<String>) -> Self {
        Self {
            signature,
            extra: Dict::new(),
            in_return: None,
        }
    }
}

/// Why a CHALLENGE is left without an answer.
#[derive(Debug, Error)]
pub enum NoAnswer {
    #[error("the router's challenge cannot be answered: {0}")]
    Challenge(&'static str),
    #[error(
        "the router wants the secret to be derived by {iterations} iterations to {keylen} octets; \
         1 to {MOST_ITERATIONS} and 1 to {MOST_KEYLEN} are possible here"
    )]
    Derivation { iterations: u64, keylen: u64 },
    #[error(
        "the router does not bind the login to this TLS connection, so somebody could stand between; \
         if that is only a proxy where the router's TLS ends, add --no-channel-binding"
    )]
    NotBound,
    #[error("the router asks for a signature by cryptosign; give the key with --key FILE")]
    NoKey,
    #[error(
        "the router wants the password to be derived by {0:?}, which is so cheap that it could be \
         guessed from an answer, or dearer than can be borne"
    )]
    Kdf(Kdf),
    #[error(transparent)]
    Password(ScramError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Prover {
    /// What to say in AUTHENTICATE. Waits for a person where a secret is needed.
    pub fn answer(&self, method: &str, extra: &Dict) -> Result<Proof, NoAnswer> {
        if let Some(dialect) = scram::dialect(method) {
            let password = || {
                let password = self.prompt.ask(&self.question("Password"))?;
                Ok(Zeroizing::new(password.expose().to_owned()))
            };
            let authid = self.authid.as_deref();
            return self
                .nonce
                .answer(dialect, authid, self.channel.as_ref(), extra, password);
        }
        self.signature(method, extra).map(Proof::from)
    }

    fn signature(&self, method: &str, extra: &Dict) -> Result<Zeroizing<String>, NoAnswer> {
        match method {
            "ticket" => {
                let ticket = self.prompt.ask(&self.question("Ticket"))?;
                Ok(Zeroizing::new(ticket.expose().to_owned()))
            }
            "wampcra" => {
                let challenge = Cra::read(extra)?;
                let secret = self.prompt.ask(&self.question("Secret"))?;
                Ok(challenge.sign(secret.expose()))
            }
            "totp" => {
                let code = self.prompt.ask(&self.question("Code"))?;
                Ok(Zeroizing::new(code.expose().to_owned()))
            }
            "cryptosign" => {
                let key = self.key.as_ref().ok_or(NoAnswer::NoKey)?;
                Ok(Zeroizing::new(cryptosign(
                    key,
                    self.channel.as_ref(),
                    extra,
                )?))
            }
            other => {
                let asked = extra.to_json();
                output::tell(format_args!(
                    "The router asks by the method {}: {}",
                    Printable(other),
                    Printable(&asked)
                ));
                let answer = self.prompt.ask(&self.question("Answer"))?;
                Ok(Zeroizing::new(answer.expose().to_owned()))
            }
        }
    }

    fn question(&self, what: &str) -> String {
        match &self.authid {
            Some(authid) => format!("{what} for {}:", Printable(authid)),
            None => format!("{what}:"),
        }
    }
}

/// A challenge of WAMP-CRA (`advanced/authentication_cra.md`).
struct Cra<'a> {
    text: &'a str,
    derivation: Option<Derivation<'a>>,
}

struct Derivation<'a> {
    salt: &'a str,
    iterations: u32,
    keylen: usize,
}

impl<'a> Cra<'a> {
    fn read(extra: &'a Dict) -> Result<Self, NoAnswer> {
        let text = extra.text("challenge").ok_or(NoAnswer::Challenge(
            "its \"challenge\" is missing or no text",
        ))?;
        let salt = match extra.value("salt") {
            None | Some(Value::Null) => {
                return Ok(Self {
                    text,
                    derivation: None,
                });
            }
            Some(salt) => salt
                .as_str()
                .ok_or(NoAnswer::Challenge("its \"salt\" is not a text"))?,
        };
        let number = |key, default| match extra.value(key) {
            None => Ok(default),
            Some(value) => value.as_u64().ok_or(NoAnswer::Challenge(
                "its \"iterations\" or \"keylen\" is not a whole number",
            )),
        };
        let (iterations, keylen) = (number("iterations", ITERATIONS)?, number("keylen", KEYLEN)?);
        let possible =
            (1..=MOST_ITERATIONS).contains(&iterations) && (1..=MOST_KEYLEN).contains(&keylen);
        match (u32::try_from(iterations), usize::try_from(keylen)) {
            (Ok(iterations), Ok(keylen)) if possible => Ok(Self {
                text,
                derivation: Some(Derivation {
                    salt,
                    iterations,
                    keylen,
                }),
            }),
            _ => Err(NoAnswer::Derivation { iterations, keylen }),
        }
    }

    fn sign(&self, secret: &str) -> Zeroizing<String> {
        let key = match &self.derivation {
            None => Zeroizing::new(secret.to_owned()),
            Some(Derivation {
                salt,
                iterations,
                keylen,
            }) => derive_key(secret, salt, *iterations, *keylen),
        };
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(self.text.as_bytes());
        Zeroizing::new(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Signs a challenge of cryptosign (`advanced/authentication_cryptosign.md`): the hex of the
/// signature, and of the challenge behind it. Only 32 octets are signed, so that no router gets a
/// signature of a text that has a meaning elsewhere. They are combined (XOR) with what the answer is bound to.
fn cryptosign(
    key: &SigningKey,
    channel: Option<&[u8; 32]>,
    extra: &Dict,
) -> Result<String, NoAnswer> {
    match (extra.value("channel_binding"), channel) {
        (None | Some(Value::Null), None) => {}
        (None | Some(Value::Null), Some(_)) => return Err(NoAnswer::NotBound),
        (Some(Value::Text(name)), Some(_)) if name == TLS_EXPORTER => {}
        _ => {
            let why = "it is bound to a TLS channel in a way that this command has not asked for";
            return Err(NoAnswer::Challenge(why));
        }
    }
    let mut challenge = [0; 32];
    extra
        .text("challenge")
        .and_then(|text| hex::decode_to_slice(text, &mut challenge).ok())
        .ok_or(NoAnswer::Challenge(
            "its \"challenge\" is not 64 hex digits",
        ))?;
    for (octet, channel) in challenge.iter_mut().zip(channel.into_iter().flatten()) {
        *octet ^= channel;
    }
    let signature = key.sign(&challenge);
    Ok(hex::encode(signature.to_bytes()) + &hex::encode(challenge))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The challenge of the nexus router's test of WAMP-CRA.
    const NEXUS: &str = concat!(
        r#"{ "nonce":"LHRTC9zeOIrt_9U3", "authprovider":"userdb", "authid":"peter", "#,
        r#""timestamp":"2014-06-22T16:36:25.448Z", "authrole":"user", "#,
        r#""authmethod":"wampcra", "session":3251278072152162 }"#
    );

    /// That of wampy.js.
    const WAMPY: &str = concat!(
        r#"{"authrole": "commonuser", "authprovider": "static", "authmethod": "wampcra", "#,
        r#""timestamp": "2016-05-19T09:30:32.177Z", "session": 6492709588079659, "authid": "joe", "#,
        r#""nonce": "Z+UXH9Q8htepjpDYGAuwBQgeQTSX2W9eZrEJLFrr1ohVJVHjzIaxgw7niL6CsAQb"}"#
    );

    fn prover(lines: &'static str, seed: Option<&str>) -> Prover {
        let key = seed
            .map(|seed| SigningKey::from_bytes(&hex::decode(seed).unwrap().try_into().unwrap()));
        Prover {
            authid: Some("alice".into()),
            key,
            nonce: ClientNonce::generate().unwrap(),
            channel: None,
            prompt: Prompt::lines(lines.as_bytes()),
        }
    }

    fn answer(lines: &'static str, method: &str, extra: &Dict) -> Result<String, NoAnswer> {
        prover(lines, None)
            .answer(method, extra)
            .map(|answer| answer.signature.to_string())
    }

    fn cra(challenge: &str) -> Dict {
        Dict::new().with("challenge", challenge)
    }

    #[test]
    fn wampcra_is_answered_as_other_clients_do() {
        let salted = cra(NEXUS).with("salt", "salt123");
        let vectors = [
            (
                cra(NEXUS),
                "secret",
                "NWktSrMd4ItBSAKYEwvu1bTY7G/sSyjKbz+pNP9c04A=",
            ),
            (
                cra(WAMPY),
                "secretKey",
                "pKj6AlpNYn7QKqAZD0WctTVO+nxpSG1kT9muLzbv5Mo=",
            ),
            // 1000 and 32 are what counts where the router says nothing.
            (
                salted.clone(),
                "password",
                "hk/2riA2JqydfL5wLoicrYfAt8uNeP6nikk9kqDhsnM=",
            ),
            (
                salted.with("iterations", 1000).with("keylen", 32),
                "password",
                "hk/2riA2JqydfL5wLoicrYfAt8uNeP6nikk9kqDhsnM=",
            ),
            (
                cra(WAMPY)
                    .with("salt", "secretSalt")
                    .with("iterations", 100)
                    .with("keylen", 16),
                "secretKey",
                "W+wnbw5Uo9rkDIrQf1SSJue4JPzkqWQE89sO4qndUs4=",
            ),
        ];
        for (extra, secret, signature) in vectors {
            assert_eq!(
                answer(secret, "wampcra", &extra).unwrap(),
                signature,
                "{extra:?}"
            );
        }
    }

    #[test]
    fn cryptosign_is_answered_as_the_specification_says() {
        let seed = "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd";
        let challenge = "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d";
        let signature = concat!(
            "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372",
            "190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660f"
        );
        let extra = cra(challenge).with("channel_binding", Value::Null);
        let answer = prover("", Some(seed)).answer("cryptosign", &extra).unwrap();
        assert_eq!(*answer.signature, format!("{signature}{challenge}"));
    }

    /// By the specification's test vector, and never by another binding than was asked for.
    #[test]
    fn cryptosign_is_bound_to_the_connection_if_that_was_asked_for() {
        let seed = "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd";
        let challenge = "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d";
        let channel = "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff";
        let mut prover = prover("", Some(seed));
        prover.channel = Some(hex::decode(channel).unwrap().try_into().unwrap());
        let bound = cra(challenge).with("channel_binding", TLS_EXPORTER);
        let answer = prover.answer("cryptosign", &bound).unwrap();
        assert_eq!(
            *answer.signature,
            concat!(
                "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a42",
                "7c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01",
                "d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282"
            )
        );
        let other = cra(challenge).with("channel_binding", "tls-unique");
        assert!(matches!(
            prover.answer("cryptosign", &other),
            Err(NoAnswer::Challenge(_))
        ));
        assert!(matches!(
            prover.answer("cryptosign", &cra(challenge)),
            Err(NoAnswer::NotBound)
        ));
    }

    #[test]
    fn a_key_signs_nothing_but_plain_challenges() {
        let prover = prover("", Some(&"11".repeat(32)));
        for extra in [
            Dict::new(),
            cra("c0ffee"),
            cra(&"ab".repeat(33)),
            cra(&"ab".repeat(32)).with("channel_binding", "tls-unique"),
            cra(&"ab".repeat(32)).with("channel_binding", TLS_EXPORTER),
        ] {
            assert!(
                matches!(
                    prover.answer("cryptosign", &extra),
                    Err(NoAnswer::Challenge(_))
                ),
                "{extra:?}"
            );
        }
    }

    #[test]
    fn everything_else_is_asked() {
        assert_eq!(answer("t0k3n\n", "ticket", &Dict::new()).unwrap(), "t0k3n");
        assert_eq!(answer("287082\n", "totp", &Dict::new()).unwrap(), "287082");
        assert_eq!(answer("42\n", "riddle", &cra("?")).unwrap(), "42");
        assert!(matches!(
            answer("", "ticket", &Dict::new()),
            Err(NoAnswer::Secret(_))
        ));
    }

    #[test]
    fn an_absurd_challenge_costs_nothing() {
        let salted = cra("x").with("salt", "y");
        for extra in [
            salted.clone().with("iterations", 0),
            salted.clone().with("iterations", u64::MAX),
            salted.clone().with("keylen", 0),
            salted.clone().with("keylen", 1_000_000),
        ] {
            let refused = answer("secret", "wampcra", &extra);
            assert!(
                matches!(refused, Err(NoAnswer::Derivation { .. })),
                "{extra:?}"
            );
        }
        for extra in [
            Dict::new(),
            salted.clone().with("salt", 1),
            salted.with("keylen", "32"),
        ] {
            let refused = answer("secret", "wampcra", &extra);
            assert!(matches!(refused, Err(NoAnswer::Challenge(_))), "{extra:?}");
        }
        assert!(matches!(
            answer("", "cryptosign", &cra(&"ab".repeat(32))),
            Err(NoAnswer::NoKey)
        ));
    }
}
