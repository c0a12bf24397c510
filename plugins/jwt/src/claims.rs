//! What a verified token says, and whether it says it to us and now.

use serde_json::{Map, Value};

use crate::{Jwt, json, quoted, token::Verified};

/// A token's claims, of which the ones about issuer, audience and time hold.
#[derive(Debug)]
pub struct Claims {
    members: Map<String, Value>,
    /// In milliseconds since the Unix epoch.
    pub expires_at: u64,
}

impl Claims {
    /// Reads them and checks those that say for whom and for when the token is. `now` is in
    /// milliseconds since the Unix epoch.
    pub fn read(token: &Verified, settings: &Jwt, now: u64) -> Result<Self, String> {
        let members = json::object(token.payload())
            .map_err(|error| format!("the token's claims: {error}"))?;
        match members.get("iss") {
            Some(Value::String(issuer)) if *issuer == settings.issuer => {}
            Some(Value::String(issuer)) => {
                return Err(format!(
                    "the token is from another issuer: {}",
                    quoted(issuer)
                ));
            }
            _ => return Err("the token does not say who issued it (\"iss\")".into()),
        }
        check_audience(&members, &settings.audience)?;

        let leeway = settings.leeway.saturating_mul(1000);
        let expires_at =
            time(&members, "exp")?.ok_or("the token does not say when it expires (\"exp\")")?;
        // No leeway: the session would end at once.
        if now >= expires_at {
            return Err("the token has expired".into());
        }
        if time(&members, "nbf")?.is_some_and(|start| start > now.saturating_add(leeway)) {
            return Err("the token is not good yet (\"nbf\")".into());
        }
        if time(&members, "iat")?.is_some_and(|issued| issued > now.saturating_add(leeway)) {
            return Err("the token was issued in the future (\"iat\"); is a clock wrong?".into());
        }
        Ok(Self {
            members,
            expires_at,
        })
    }

    /// Who the token's owner is here.
    pub fn authid(&self, settings: &Jwt) -> Result<&str, String> {
        match settings.authid.find(&self.members) {
            Some(Value::String(authid)) if !authid.is_empty() => Ok(authid),
            Some(_) => Err(format!(
                "the token's claim {} is no text that could be an authid",
                settings.authid
            )),
            None => Err(format!("the token has no claim {}", settings.authid)),
        }
    }

    /// The role of the first rule that fits, or else the one that everybody has.
    pub fn role<'a>(&self, settings: &'a Jwt) -> Result<&'a str, &'static str> {
        let rule = settings.roles.iter().find(|rule| rule.fits(&self.members));
        rule.map(|rule| &*rule.role)
            .or(settings.role.as_deref())
            .ok_or("no claim of the token gives a role")
    }
}

fn check_audience(claims: &Map<String, Value>, audience: &str) -> Result<(), String> {
    let is_us = match claims.get("aud") {
        None => return Err("the token does not say for whom it is (\"aud\")".into()),
        Some(Value::String(theirs)) => theirs == audience,
        Some(Value::Array(theirs)) => theirs.iter().any(|theirs| theirs == audience),
        Some(_) => false,
    };
    if !is_us {
        return Err("the token is for another audience".into());
    }
    Ok(())
}

/// A claim that is a time, in milliseconds since the Unix epoch. Seconds can have fractions (RFC
/// 7519, section 2).
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, String> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(seconds.saturating_mul(1000)));
    }
    match value.as_f64() {
        // `as` keeps within what fits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "see above"
        )]
        Some(seconds) if seconds >= 0.0 => Ok(Some((seconds * 1000.0) as u64)),
        _ => Err(format!("the token's {name:?} is not a time")),
    }
}
