//! What a browser says of the page that it acts for.

use std::{fmt, pin::Pin, time::Duration};

use hyper::{
    HeaderMap,
    header::{COOKIE, HeaderValue, ORIGIN},
};
use zeroize::Zeroizing;

use crate::config::WebOrigin;

/// A page of a site that the listener names, on a connection that nobody can read along: the only
/// ones that get cookies, and whose cookies are looked at.
///
/// A page of any other site could connect in the name of whoever is looking at it: browsers send a
/// cookie along, whoever makes the request.
#[derive(Clone, Debug)]
pub struct Page {
    pub origin: WebOrigin,
    pub cookies: BrowserCookies,
}

/// The cookies that came with a request. Their values are not printed.
#[derive(Clone, Default)]
pub struct BrowserCookies(Vec<HeaderValue>);

impl Page {
    pub(super) fn of(
        headers: &HeaderMap,
        origins: Option<&[WebOrigin]>,
        confidential: bool,
    ) -> Option<Self> {
        let mut named = headers.get_all(ORIGIN).iter();
        let (name, more) = (named.next()?, named.next());
        if more.is_some() || !confidential {
            return None;
        }
        let origin = origins?
            .iter()
            .find(|origin| origin.as_str().as_bytes() == name.as_bytes())?;
        Some(Self {
            origin: origin.clone(),
            cookies: BrowserCookies(headers.get_all(COOKIE).iter().cloned().collect()),
        })
    }
}

impl BrowserCookies {
    /// The values of all cookies of a name. RFC 6265, section 5.4, says how browsers write them.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
            .filter(move |(found, _)| *found == name)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for BrowserCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserCookies(_)")
    }
}

/// Gives a page the cookie that it has a code for.
pub trait CookieExchange: fmt::Debug + Send + Sync {
    /// None: the code is not good, for this page or at all.
    fn exchange<'a>(
        &'a self,
        code: Zeroizing<String>,
        page: Page,
        peer: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<FreshCookie>> + Send + 'a>>;
}

/// A cookie that a browser shall keep.
#[derive(Debug)]
pub struct FreshCookie {
    pub name: String,
    pub value: Zeroizing<String>,
    pub lifetime: Duration,
}

impl FreshCookie {
    /// `Set-Cookie`. `__Host-` names need `Secure`, `Path=/` and no `Domain`, and then no other host
    /// can have set the cookie. `HttpOnly`: no script reads it. `SameSite=Strict`: a browser does not
    /// send it when another site's page asks.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let Self {
            name,
            value,
            lifetime,
        } = self;
        let seconds = lifetime.as_secs();
        let text = Zeroizing::new(format!(
            "{name}={}; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}",
            **value
        ));
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Operator;

    fn origins() -> Vec<WebOrigin> {
        let text =
            "[[listener]]\naddress = \"127.0.0.1:1\"\norigins = [\"https://app.example.com\"]\n";
        let operator = Operator::parse(text, std::path::Path::new("countersign.toml")).unwrap();
        let origins = operator.listeners.into_iter().next().unwrap().origins;
        origins.unwrap().into_iter().collect()
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append::<hyper::header::HeaderName>(name, value);
                headers
            })
    }

    #[test]
    fn t27_only_a_named_site_on_a_confidential_connection_is_a_page() {
        let (origins, good) = (origins(), ("origin", "https://app.example.com"));
        let page = |lines: &[_], confidential| {
            Page::of(&headers(lines), Some(&origins), confidential).is_some()
        };
        assert!(page(&[good], true));
        assert!(!page(&[good], false));
        assert!(!page(&[], true));
        assert!(!page(&[("origin", "https://evil.example")], true));
        assert!(!page(&[("origin", "null")], true));
        assert!(!page(&[good, good], true));
        assert!(Page::of(&headers(&[good]), None, true).is_none());
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let lines = [
            ("cookie", "a=1; __Host-x=2=3;b=; =4; __Host-x2=5"),
            ("cookie", "__Host-x=6"),
        ];
        let cookies = BrowserCookies(headers(&lines).get_all(COOKIE).iter().cloned().collect());
        let named = |name: &str| cookies.named(name).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(named("__Host-x"), ["2=3", "6"]);
        assert_eq!(named("b"), [""]);
        assert_eq!(named("host-x"), [""; 0]);
        assert_eq!(named("__host-x"), [""; 0]);
        assert_eq!(format!("{cookies:?}"), "BrowserCookies(_)");
    }

    #[test]
    fn a_fresh_cookie_has_every_attribute() {
        let fresh = FreshCookie {
            name: "__Host-x".into(),
            value: Zeroizing::new("y".into()),
            lifetime: Duration::from_secs(90),
        };
        let header = fresh.header().unwrap();
        let text = "__Host-x=y; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=90";
        assert_eq!(header.to_str().unwrap(), text);
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
