use std::fmt;
use std::time::SystemTime;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Authid, Authrole, Kind};

/// What a browser shows in order to be known again, or exchanges for such: 256 random bits.
pub struct CookieValue(Zeroizing<[u8; Self::LEN]>);

/// A [`CookieValue`] as it is kept: its SHA-256. Nobody can guess 256 random bits, so it needs neither
/// salt nor slowness; and whoever looks for a hash can be timed without telling a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CookieHash([u8; 32]);

/// All cookies that go back to one login by another method: each replaced the one before it. They are
/// ended together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FamilyId([u8; 16]);

/// A credential as it was when somebody logged in with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialVersion {
    pub kind: Kind,
    pub authid: Authid,
    pub version: u64,
}

/// Who is known again by a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub authid: Authid,
    pub authrole: Authrole,
    pub family: FamilyId,
    /// When the family ends, however often it is renewed.
    pub ends: SystemTime,
    /// What the login was made with. If one of them changes, the cookies of the family are gone.
    pub rests_on: Vec<CredentialVersion>,
}

/// A cookie as a store keeps it.
#[derive(Clone, Debug)]
pub struct StoredCookie {
    pub remembered: Remembered,
    /// When it ends by itself.
    pub expires: SystemTime,
    /// Since when there is one that takes its place.
    pub replaced: Option<SystemTime>,
}

/// A cookie that is to be kept.
#[derive(Clone, Debug)]
pub struct NewCookie {
    pub hash: CookieHash,
    pub remembered: Remembered,
    /// Whether there must be a cookie of this family already: it may have been ended.
    pub continues: bool,
    pub expires: SystemTime,
    /// Those whose place it takes, in the browser too.
    pub replaces: Vec<CookieHash>,
}

/// What became of looking for a cookie.
#[derive(Clone, Debug)]
pub enum CookieLook {
    Good(Remembered),
    /// It was never made, or its credential has changed, or it was ended: no trace is left of it.
    Unknown,
    Expired,
    /// It was replaced, and comes back long after. Either two have had it, or the browser never got
    /// the new one.
    Replayed(FamilyId),
}

impl CookieValue {
    const LEN: usize = 32;

    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut value = Zeroizing::new([0; Self::LEN]);
        getrandom::fill(&mut *value)?;
        Ok(Self(value))
    }

    /// None if the text is no value that was ever made.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // 43 letters. Decoding no more than those bounds what a stranger can make us do.
        if text.len() != 43 {
            return None;
        }
        let octets = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        let octets = <[u8; Self::LEN]>::try_from(octets.as_slice()).ok()?;
        Some(Self(Zeroizing::new(octets)))
    }

    /// 43 letters, digits, `-` and `_`.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*self.0))
    }

    #[must_use]
    pub fn hash(&self) -> CookieHash {
        CookieHash(Sha256::digest(*self.0).into())
    }
}

impl CookieHash {
    /// The cookie that a browser brought, from the values of all that have the realm's name for it.
    ///
    /// # Errors
    /// Why there is none, for the operator's log.
    pub fn presented<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut values = values.into_iter();
        let value = values
            .next()
            .ok_or("the browser has no cookie of this realm")?;
        // A browser has one cookie of a `__Host-` name.
        if values.next().is_some() {
            return Err("there are two cookies of one name");
        }
        CookieValue::parse(value)
            .map(|value| value.hash())
            .ok_or("the cookie is none that this router ever made")
    }

    pub(super) const fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FamilyId {
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        Ok(Self(id))
    }

    pub(super) const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    pub(super) const fn octets(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieValue(_)")
    }
}

impl fmt::Debug for CookieHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieHash(_)")
    }
}

/// For logs: whoever knows it can do nothing with it.
impl fmt::Display for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written_and_nothing_else_is() {
        let value = CookieValue::generate().unwrap();
        let text = value.expose();
        assert_eq!(text.len(), 43);
        let hash = value.hash();
        assert_eq!(CookieValue::parse(&text).map(|it| it.hash()), Some(hash));
        assert!(CookieValue::generate().unwrap().hash() != hash);
        let almost = format!("{}=", &text[..42]);
        for garbage in [
            "",
            "x",
            &text[..42],
            &almost,
            &"ü".repeat(43),
            &"A".repeat(44),
        ] {
            assert!(CookieValue::parse(garbage).is_none(), "{garbage}");
        }
    }

    #[test]
    fn a_browser_has_one_cookie() {
        let value = CookieValue::generate().unwrap();
        let text = value.expose();
        assert_eq!(CookieHash::presented([&**text]), Ok(value.hash()));
        for none in [vec![], vec![&**text, &**text], vec!["garbage"], vec![""]] {
            assert!(
                CookieHash::presented(none.iter().copied()).is_err(),
                "{}",
                none.len()
            );
        }
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let value = CookieValue::generate().unwrap();
        assert_eq!(
            format!("{value:?} {:?}", value.hash()),
            "CookieValue(_) CookieHash(_)"
        );
    }
}
