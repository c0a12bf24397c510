//! What a realm's file says.

use serde::{Deserialize, Serialize};

/// Whether an authenticator must verify its user, as by a PIN or a finger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UserVerification {
    #[default]
    Required,
    Preferred,
    Discouraged,
}

/// The id of a relying party is a domain: letters, digits and hyphens between dots.
pub(crate) fn check_rp(rp: &str) -> Result<(), String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    if rp.len() <= 253 && rp.split('.').all(is_label) {
        return Ok(());
    }
    Err(format!(
        "`rp`: {rp:?} is not a domain in lower case, such as \"example.com\" or \"localhost\""
    ))
}

/// Browsers write an origin in one way, and it is compared as it is.
pub(crate) fn check_origins(origins: &[String]) -> Result<(), String> {
    if origins.is_empty() {
        return Err("`origins`: at least one is needed, such as \"https://example.com\"".into());
    }
    let wrong = origins.iter().find(|origin| !is_origin(origin));
    wrong.map_or(Ok(()), |wrong| {
        Err(format!(
            "`origins`: {wrong:?} is not one as browsers write it: \"https://\", a host in lower \
             case, a port unless it is 443, and nothing behind it. \"http://\" is for localhost"
        ))
    })
}

fn is_origin(origin: &str) -> bool {
    let Some((scheme, place)) = origin.split_once("://") else {
        // That of an app, such as "android:apk-key-hash:…".
        return origin
            .split_once(':')
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    };
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    let port_fits = port.is_none_or(|port| {
        let usual = if scheme == "https" { "443" } else { "80" };
        port.parse::<u16>().is_ok() && port != usual && !port.starts_with(['0', '+'])
    });
    let is_local = host == "localhost" || host.ends_with(".localhost");
    let scheme_fits = match scheme {
        "https" => true,
        "http" => is_local,
        // Browsers' extensions.
        _ => !scheme.is_empty() && port.is_none(),
    };
    port_fits && scheme_fits && check_rp(host).is_ok()
}
