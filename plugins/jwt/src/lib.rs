//! Login by a token that somebody else has issued: a JSON Web Token (RFC 7519), signed by a key that
//! the realm trusts.
//!
//! The client sends the token as its answer to an empty CHALLENGE, as with `ticket`, or in HELLO, as
//! the member `token` of `authextra`; then nothing is asked. The step may have any name: the client
//! announces the one that the realm's policy has.
//!
//! What is believed, and in which order:
//!
//! - The key decides. It is named by the token's `kid`, found among the realm's keys by that name
//!   alone, and it has said itself which algorithm it is for; the token must say the same. Keys that
//!   come along in a token, and addresses of keys, are not read. There is no algorithm here that
//!   works with a shared secret, so no public key can be used as one.
//! - Then the claims: `iss` and `aud` are the realm's, `exp` is there and has not come, `nbf` and
//!   `iat` have. Nothing that is read before the signature has been checked decides anything but
//!   which key checks it.
//! - Then who it is, and in which role: by claims that the realm's settings name. The session ends
//!   at `exp`.
//!
//! Whoever has the token can log in with it, any number of times until it expires. That is how such
//! tokens work; issuers should make them short-lived, and nobody should send them where others can
//! read along.

mod claims;
mod json;
mod key;
mod key_set;
mod settings;
mod token;

use countersign_guest::key_sets::{self, Problem};
use countersign_guest::{Answer, Attempt, Challenge, Identity, Manifest, Method, Verdict};
use serde::Deserialize;

use crate::{
    claims::Claims,
    key_set::KeySet,
    settings::{Keys, Path, Rule},
    token::Token,
};

/// The longest piece of a token that the log repeats, in characters.
const LONGEST_QUOTE: usize = 64;

/// The method with its settings.
#[derive(Debug, Deserialize)]
pub struct Jwt {
    /// Whose tokens they must be: `iss`.
    issuer: String,
    /// For whom they must be: among `aud`.
    audience: String,
    keys: Keys,
    /// The claim that says who it is.
    #[serde(default = "Path::subject")]
    authid: Path,
    /// The role of those whom no rule gives another.
    role: Option<String>,
    /// The first that fits counts.
    #[serde(default)]
    roles: Vec<Rule>,
    /// What `typ` must be. None: what issuers write who mean nothing by it.
    typ: Option<String>,
    /// Seconds that the issuer's clock may be before the host's.
    #[serde(default = "usual_leeway")]
    leeway: u64,
}

const fn usual_leeway() -> u64 {
    30
}

/// What there may be for this method in HELLO's authextra.
#[derive(Deserialize)]
struct Sent {
    token: Option<String>,
}

impl Method for Jwt {
    const MANIFEST: Manifest = Manifest {
        name: "jwt",
        version: env!("CARGO_PKG_VERSION"),
        summary: "asks for a signed token (JWT) of an issuer that the realm trusts",
        credential_kinds: &[],
    };

    const CLEAR_SECRET: bool = true;

    fn check(&self) -> Result<(), String> {
        settings::check(self)?;
        let Keys::Named(name) = &self.keys else {
            return Ok(());
        };
        match key_sets::get(name, None) {
            Ok(text) => {
                let set = KeySet::parse(&text).and_then(|set| set.check());
                set.map_err(|why| format!("`keys`: {name}: {why}"))
            }
            Err(Problem::NotNamed) => Err(format!(
                "`keys`: the realm has no key set {}; add [key_set.NAME] to its file",
                quoted(name)
            )),
            // It will be there when somebody logs in, or not.
            Err(Problem::Unavailable(_)) => Ok(()),
        }
    }

    fn begin(&self, attempt: &Attempt) -> Result<Verdict, String> {
        match attempt.authextra() {
            Ok(Sent { token: Some(token) }) => self.decide(attempt, &token),
            Ok(Sent { token: None }) => Ok(Challenge::default().into()),
            Err(reason) => Ok(Verdict::deny(reason)),
        }
    }

    fn resume(&self, attempt: &Attempt, answer: &Answer) -> Result<Verdict, String> {
        self.decide(attempt, &answer.signature)
    }
}

impl Jwt {
    fn decide(&self, attempt: &Attempt, text: &str) -> Result<Verdict, String> {
        let token = match Token::parse(text) {
            Ok(token) => token,
            Err(reason) => return Ok(Verdict::Deny(reason)),
        };
        let keys = self.key_set(token.header.kid.as_deref())?;
        Ok(match self.identity(attempt, token, &keys) {
            Ok(identity) => identity.into(),
            Err(reason) => Verdict::Deny(reason),
        })
    }

    /// The error is for the operator: it is nothing that the client has done.
    fn key_set(&self, kid: Option<&str>) -> Result<KeySet, String> {
        let name = match &self.keys {
            Keys::Inline(set) => return KeySet::read(set.clone()),
            Keys::Named(name) => name,
        };
        match key_sets::get(name, kid) {
            Ok(text) => KeySet::parse(&text),
            Err(Problem::Unavailable(why)) => Err(format!("the keys cannot be had: {why}")),
            Err(Problem::NotNamed) => Err(format!("the realm has no key set {}", quoted(name))),
        }
    }

    /// The error is why the client is denied.
    fn identity(&self, attempt: &Attempt, token: Token, keys: &KeySet) -> Result<Identity, String> {
        self.check_type(token.header.typ.as_deref())?;
        let claims = Claims::read(&token.verify(keys)?, self, attempt.now)?;
        let authid = claims.authid(self)?;
        if let Some(claimed) = &attempt.authid
            && claimed != authid
        {
            return Err(format!(
                "the token is {}'s, and the client says it is {}",
                quoted(authid),
                quoted(claimed)
            ));
        }
        Ok(Identity::new(authid, claims.role(self)?)
            .from_provider(&*self.issuer)
            .expiring_at(claims.expires_at))
    }

    /// Issuers sign other things too with the same keys: proofs, events, requests to log out. Their
    /// `typ` tells them apart (RFC 8725, section 3.11).
    fn check_type(&self, typ: Option<&str>) -> Result<(), String> {
        // A media type, which may be written without its first half (RFC 7515, section 4.1.9).
        fn short(typ: &str) -> &str {
            match typ.split_at_checked("application/".len()) {
                Some((start, rest)) if start.eq_ignore_ascii_case("application/") => rest,
                _ => typ,
            }
        }
        let is =
            |wanted: &str| typ.is_some_and(|typ| short(typ).eq_ignore_ascii_case(short(wanted)));
        let fits = match &self.typ {
            Some(wanted) => is(wanted),
            None => typ.is_none() || is("JWT") || is("at+jwt"),
        };
        if fits {
            return Ok(());
        }
        Err(match typ {
            Some(typ) => format!("the token is of another type: {}", quoted(typ)),
            None => "the token does not say its type (\"typ\")".into(),
        })
    }
}

/// Somebody else's text for the log: escaped, and not too long.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{:?}…", text.split_at(end).0),
        None => format!("{text:?}"),
    }
}

countersign_guest::export!(Jwt);

#[cfg(test)]
mod tests;
