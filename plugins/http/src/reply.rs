use countersign_guest::{Attempt, Challenge, Identity, Verdict};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::JSON;

/// The last second of the year 9999. Who says more has counted milliseconds, and means a session
/// that ends.
const LAST_SECOND: u64 = 253_402_300_799;

/// The service's verdict. A member that does not belong there is an error: it may be one that
/// does, misspelt, and mean that a session ends.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Reply {
    Accept {
        role: String,
        /// None: whom the login is for already.
        authid: Option<String>,
        /// For WELCOME.
        #[serde(default)]
        authextra: Map<String, Value>,
        /// In seconds since the Unix epoch.
        expires_at: Option<u64>,
    },
    Deny {
        reason: Option<String>,
    },
    Challenge {
        #[serde(default)]
        extra: Map<String, Value>,
        #[serde(default)]
        state: Value,
    },
}

impl Reply {
    pub(crate) fn read(
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, String> {
        if status != 200 {
            return Err(format!("the service answered with status {status}"));
        }
        let media_type = content_type.and_then(|text| text.split(';').next());
        if !media_type.is_some_and(|text| text.trim().eq_ignore_ascii_case(JSON)) {
            return Err(format!(
                "the service answered with the content type {:?} instead of {JSON}",
                content_type.unwrap_or_default()
            ));
        }
        // What it sent is not repeated: there may be something in it that no log should have.
        serde_json::from_slice(body)
            .map_err(|error| format!("the service's answer is not a verdict: {error}"))
    }

    pub(crate) fn verdict(self, attempt: &Attempt) -> Result<Verdict, String> {
        match self {
            Self::Deny { reason: None } => Ok(Verdict::deny("the service denies it")),
            Self::Deny {
                reason: Some(reason),
            } => Ok(Verdict::deny(format!("the service denies it: {reason}"))),
            Self::Challenge { extra, state } => {
                let state = match state {
                    Value::Null => String::new(),
                    state => state.to_string(),
                };
                Ok(Challenge::new(&extra)?.with_state(state).into())
            }
            Self::Accept {
                role,
                authid,
                authextra,
                expires_at,
            } => {
                let authid = authid
                    .or_else(|| Some(attempt.proven.last()?.authid.clone()))
                    .or_else(|| attempt.authid.clone())
                    .ok_or("the service accepts somebody without an authid")?;
                let identity = Identity {
                    authextra: Value::Object(authextra).to_string(),
                    expires_at: expires_at.map(milliseconds).transpose()?,
                    ..Identity::new(authid, role).from_provider("http")
                };
                if identity.expires_at.is_some_and(|end| end <= attempt.now) {
                    return Err("the service accepts with an \"expires_at\" that has passed".into());
                }
                Ok(identity.into())
            }
        }
    }
}

fn milliseconds(seconds: u64) -> Result<u64, String> {
    if seconds > LAST_SECOND {
        return Err(format!(
            "the service's \"expires_at\" is {seconds}, after the year 9999; it must be in seconds"
        ));
    }
    Ok(seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        Attempt {
            authid: Some("alice".into()),
            now: 1_700_000_000_000,
            ..Attempt::default()
        }
    }

    fn verdict(body: &str) -> Result<Verdict, String> {
        Reply::read(200, Some(JSON), body.as_bytes())?.verdict(&attempt())
    }

    fn accepted(body: &str) -> Identity {
        match verdict(body) {
            Ok(Verdict::Accept(identity)) => identity,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn accepting_needs_a_role_and_may_say_more() {
        let identity = accepted(r#"{"verdict":"accept","role":"user"}"#);
        assert_eq!((&*identity.authid, &*identity.authrole), ("alice", "user"));
        assert_eq!((&*identity.authextra, identity.expires_at), ("{}", None));

        let identity = accepted(
            r#"{"verdict":"accept","role":"user","authid":"a.liddell","authextra":{"team":7},
                "expires_at":1700000001}"#,
        );
        assert_eq!(identity.authid, "a.liddell");
        assert_eq!(identity.authextra, r#"{"team":7}"#);
        assert_eq!(identity.expires_at, Some(1_700_000_001_000));
    }

    #[test]
    fn a_denial_has_the_services_reason() {
        for (body, expected) in [
            (
                r#"{"verdict":"deny","reason":"wrong password"}"#,
                "the service denies it: wrong password",
            ),
            (r#"{"verdict":"deny"}"#, "the service denies it"),
        ] {
            let Ok(Verdict::Deny(reason)) = verdict(body) else {
                panic!("{body}")
            };
            assert_eq!(reason, expected);
        }
    }

    #[test]
    fn a_challenge_has_what_the_client_is_asked_and_what_comes_back() {
        let challenged = |body| match verdict(body) {
            Ok(Verdict::Challenge(challenge)) => challenge,
            other => panic!("{other:?}"),
        };
        let challenge =
            challenged(r#"{"verdict":"challenge","extra":{"prompt":"PIN?"},"state":["x",1]}"#);
        assert_eq!(challenge.extra, r#"{"prompt":"PIN?"}"#);
        assert_eq!(challenge.state, br#"["x",1]"#);
        let challenge = challenged(r#"{"verdict":"challenge"}"#);
        assert_eq!((&*challenge.extra, challenge.state.len()), ("{}", 0));
    }

    #[test]
    fn whatever_else_it_says_decides_nothing() {
        for body in [
            "",
            "null",
            "true",
            "\"accept\"",
            "[]",
            "{}",
            "<html>",
            "{\"verdict\":\"accept\"",
            r#"{"verdict":"accept"}"#,
            r#"{"verdict":"ACCEPT","role":"user"}"#,
            r#"{"verdict":"not-mine"}"#,
            r#"{"verdict":true,"role":"user"}"#,
            r#"{"verdict":["accept"],"role":"user"}"#,
            r#"{"role":"user"}"#,
            r#"{"verdict":"accept","role":null}"#,
            r#"{"verdict":"accept","role":["user"]}"#,
            r#"{"verdict":"accept","role":"user","authid":7}"#,
            r#"{"verdict":"accept","role":"user","authextra":[]}"#,
            // A member that is misspelt, or another verdict's.
            r#"{"verdict":"accept","role":"user","expires":1700000001}"#,
            r#"{"verdict":"accept","role":"user","reason":"locked"}"#,
            r#"{"verdict":"deny","role":"user"}"#,
            // Two at once.
            r#"{"verdict":"deny","verdict":"accept","role":"user"}"#,
            r#"{"verdict":"accept","role":"guest","role":"admin"}"#,
            r#"{"verdict":"accept","role":"user"}{"verdict":"deny"}"#,
            // No time, one that has passed, and one in milliseconds.
            r#"{"verdict":"accept","role":"user","expires_at":"2030-01-01"}"#,
            r#"{"verdict":"accept","role":"user","expires_at":-1}"#,
            r#"{"verdict":"accept","role":"user","expires_at":1.7e9}"#,
            r#"{"verdict":"accept","role":"user","expires_at":1700000000}"#,
            r#"{"verdict":"accept","role":"user","expires_at":1900000000000}"#,
        ] {
            assert!(verdict(body).is_err(), "{body}");
        }
    }

    #[test]
    fn only_a_response_that_says_it_is_one_is_read() {
        let body = br#"{"verdict":"accept","role":"user"}"#;
        assert!(Reply::read(200, Some("Application/JSON; charset=utf-8"), body).is_ok());
        for (status, content_type) in [
            (201, Some(JSON)),
            (204, Some(JSON)),
            (401, Some(JSON)),
            (500, Some(JSON)),
            (200, Some("text/html")),
            (200, Some("application/jsonp")),
            (200, None),
        ] {
            assert!(
                Reply::read(status, content_type, body).is_err(),
                "{status} {content_type:?}"
            );
        }
    }

    #[test]
    fn somebody_must_be_accepted() {
        let accept = || Reply::read(200, Some(JSON), br#"{"verdict":"accept","role":"user"}"#);
        let nobody = Attempt::default();
        assert!(accept().unwrap().verdict(&nobody).is_err());
        let proven = Attempt {
            proven: vec![countersign_guest::Proof {
                authmethod: "wampcra".into(),
                authid: "bob".into(),
                authrole: "user".into(),
                authextra: "{}".into(),
            }],
            ..attempt()
        };
        let Ok(Verdict::Accept(identity)) = accept().unwrap().verdict(&proven) else {
            panic!()
        };
        assert_eq!(identity.authid, "bob", "not whom the client claims to be");
    }
}
