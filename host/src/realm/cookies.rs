//! How a browser comes to be known again.
//!
//! ```text
//! login ──code in WELCOME──▶ page ──code, by HTTPS──▶ exchange ──Set-Cookie──▶ browser ──▶ login
//! ```
//!
//! A WebSocket cannot set a cookie once it is open, and one that was set before the login could be
//! somebody else's doing. So the cookie is a new one, made after the login, and its value never passes
//! through a script. Each login by cookie brings a code for the next: a cookie that was replaced is of
//! no use soon after, and gives a thief away when it comes back.
//!
//! Codes are kept here, in memory; cookies in the store.

mod codes;
mod family;

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use zeroize::Zeroizing;

use self::{
    codes::{Codes, Promise},
    family::{Families, Family},
};
use super::{Generation, Realm, Realms};
use crate::{
    config::CookieTerms,
    credential::{
        Authid, Authrole, CookieHash, CookieLook, CookieValue, CredentialVersion, FamilyId,
        NewCookie, Remembered, StoreError,
    },
    login::Accepted,
    method::Seen,
    transport::{Connection, CookieExchange, FreshCookie, Page},
};

/// For the operator of a realm whose cookies nobody can get.
pub const UNSERVED: &str = "the realm remembers browsers by cookie, but no listener hands any out, nor \
    looks at one: that takes a [[listener]] for WebSockets with \"origins\", which name the sites, and \
    with TLS or a proxy that has it";

/// What a realm knows of the browsers that it remembers, beside what is in the store.
#[derive(Debug, Default)]
pub struct Cookies {
    codes: Codes,
    families: Families,
}

/// How a client that is let in came.
#[derive(Debug)]
pub struct Came<'a> {
    pub accepted: &'a Accepted,
    pub seen: Seen,
    pub connection: &'a Connection,
}

/// What ties a session to a browser's cookies.
#[derive(Debug, Default)]
pub struct Ties {
    /// Of the cookie that it came by, or that it has a code for.
    family: Option<Arc<Family>>,
    /// What the browser brought, whether the login was by it or not.
    presented: Option<CookieHash>,
}

impl Ties {
    /// Returns when the browser has logged out elsewhere.
    pub async fn ended(&self) {
        match &self.family {
            Some(family) => family.ended().await,
            None => std::future::pending().await,
        }
    }
}

impl Realm {
    /// What a client that is let in has to do with cookies: its ties, and a code if it gets one.
    pub fn remember(&self, generation: &Generation, came: Came<'_>) -> (Ties, Option<CookieValue>) {
        let (Some(terms), Some(page)) = (generation.cookie, &came.connection.page) else {
            if came.accepted.wants_cookie {
                self.no_code("the realm remembers nobody, or the connection is not for cookies");
            }
            return (Ties::default(), None);
        };
        let values = page.cookies.named(generation.keyring.cookie_name());
        let mut ties = Ties {
            family: None,
            presented: CookieHash::presented(values).ok(),
        };
        let now = SystemTime::now();
        let Some(remembered) = remembered(terms, came.accepted, came.seen, now) else {
            if came.accepted.wants_cookie {
                self.no_code("the login went by no credential of the store");
            }
            return (ties, None);
        };
        let (remembered, by_cookie) = match remembered {
            Found::Continues(remembered) => (remembered, true),
            Found::Begins(_) if !came.accepted.wants_cookie => return (ties, None),
            Found::Begins(remembered) => (remembered, false),
        };
        let family = self.cookies.families.join(remembered.family);
        if by_cookie && !still_good(generation, ties.presented, now) {
            // It was ended since the method looked.
            family.end();
        }
        ties.family = Some(Arc::clone(&family));
        let promise = Promise {
            origin: page.origin.clone(),
            continues: by_cookie,
            replaces: ties.presented,
            remembered,
            family,
        };
        let code = self.cookies.codes.issue(promise, Instant::now());
        if code.is_none() {
            self.no_code("too many codes wait to be exchanged");
        }
        (ties, code)
    }

    fn no_code(&self, why: &str) {
        tracing::info!(realm = %self.name, why, "a client that wants a cookie gets no code");
    }

    /// Ends the cookies that a session is tied to, and the other sessions that came by them.
    pub async fn log_out(&self, ties: &Ties, authid: &str) {
        let keyring = &self.generation().keyring;
        if let Some(family) = &ties.family {
            self.end_family(family.id).await;
        }
        // The browser of a session that did not come by cookie may have one all the same.
        let presented = ties
            .presented
            .map(|hash| keyring.cookie(&hash, SystemTime::now()));
        if let Some(Ok(CookieLook::Good(remembered))) = presented
            && remembered.authid.as_str() == authid
        {
            self.end_family(remembered.family).await;
        }
    }

    /// Ends a family: its cookies, the codes for more, and the sessions that came by them.
    pub async fn end_family(&self, family: FamilyId) {
        // First the sessions and the codes: an exchange that goes on meanwhile looks again whether
        // the family has ended, after it has put its cookie into the store.
        self.cookies.families.end(family);
        self.cookies.codes.forget(family);
        let keyring = self.generation().keyring.clone();
        match keyring.end_family(family).await {
            Ok(cookies) => {
                tracing::info!(realm = %self.name, %family, cookies, "a browser's cookies are ended");
            }
            Err(error) => {
                tracing::error!(realm = %self.name, %family, %error, "cookies could not be ended");
            }
        }
    }

    /// Makes a cookie of what a code promises.
    async fn redeem(&self, promise: Promise, page: &Page) -> Result<FreshCookie, Refused> {
        if promise.origin != page.origin {
            return Err(Refused::Origin);
        }
        let generation = self.generation();
        let terms = generation.cookie.ok_or(Refused::NoCookies)?;
        let now = SystemTime::now();
        let ends = promise.remembered.ends;
        let expires = ends.min(now.checked_add(terms.lifetime).unwrap_or(ends));
        let lifetime = expires.duration_since(now).map_err(|_| Refused::Ended)?;
        let value = CookieValue::generate().map_err(|_| Refused::NoRandomness)?;
        // What the browser has now gives way too: another tab may have got it meanwhile.
        let keyring = &generation.keyring;
        let values = page.cookies.named(keyring.cookie_name());
        let held = CookieHash::presented(values).ok();
        let new = NewCookie {
            hash: value.hash(),
            remembered: promise.remembered,
            continues: promise.continues,
            expires,
            replaces: promise.replaces.into_iter().chain(held).collect(),
        };
        if !keyring.keep_cookie(new, now).await? {
            return Err(Refused::Ended);
        }
        if promise.family.has_ended() {
            keyring.end_family(promise.family.id).await?;
            return Err(Refused::Ended);
        }
        Ok(FreshCookie {
            name: keyring.cookie_name().to_owned(),
            value: value.expose(),
            lifetime,
        })
    }
}

/// Why a code is not exchanged.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("it is none, or it was used, or its time is over")]
    Unknown,
    #[error("it comes from a page of another site than the login")]
    Origin,
    #[error("the realm remembers nobody any more")]
    NoCookies,
    #[error("what it stands for has ended: by a logout, or since a credential has changed")]
    Ended,
    #[error("the system has no randomness")]
    NoRandomness,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CookieExchange for Realms {
    fn exchange<'a>(
        &'a self,
        code: Zeroizing<String>,
        page: Page,
        peer: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<FreshCookie>> + Send + 'a>> {
        Box::pin(async move {
            let hash = CookieValue::parse(&code).map(|code| code.hash());
            let now = Instant::now();
            let found = hash.and_then(|hash| {
                let promised = |realm: Arc<Realm>| {
                    let promise = realm.cookies.codes.take(hash, now)?;
                    Some((realm, promise))
                };
                self.all().into_iter().find_map(promised)
            });
            let Some((realm, promise)) = found else {
                let why = Refused::Unknown;
                tracing::info!(target: "login", peer, %why, "a code for a cookie is refused");
                return None;
            };
            let authid = promise.remembered.authid.clone();
            let realm_name = Arc::clone(&realm.name);
            match realm.redeem(promise, &page).await {
                Ok(cookie) => {
                    tracing::info!(
                        target: "login", peer, realm = %realm_name, %authid,
                        "a browser gets a cookie"
                    );
                    Some(cookie)
                }
                Err(why) => {
                    tracing::info!(
                        target: "login", peer, realm = %realm_name, %authid, %why,
                        "a code for a cookie is refused"
                    );
                    None
                }
            }
        })
    }
}

/// Who a cookie would be for.
enum Found {
    /// A family that the login came by.
    Continues(Remembered),
    /// A new one.
    Begins(Remembered),
}

/// None where there is nothing that a cookie could end with: whoever logs in by something that the
/// store does not keep is not remembered here.
fn remembered(
    terms: CookieTerms,
    accepted: &Accepted,
    seen: Seen,
    now: SystemTime,
) -> Option<Found> {
    let authid = Authid::from(accepted.authid.as_str());
    let authrole = Authrole::from(&*accepted.authrole);
    let mut rests_on: Vec<CredentialVersion> = seen.credentials;
    rests_on.retain(|credential| credential.authid == authid);
    let by_cookie = seen
        .cookie
        .filter(|cookie| cookie.authid == authid && cookie.authrole == authrole);
    if let Some(mut remembered) = by_cookie {
        rests_on.retain(|credential| !remembered.rests_on.contains(credential));
        remembered.rests_on.extend(rests_on);
        return Some(Found::Continues(remembered));
    }
    if rests_on.is_empty() {
        return None;
    }
    let ends = now.checked_add(terms.longest)?;
    let session_ends = accepted
        .expires_at
        .and_then(|since: Duration| UNIX_EPOCH.checked_add(since));
    Some(Found::Begins(Remembered {
        authid,
        authrole,
        family: FamilyId::generate().ok()?,
        ends: session_ends.map_or(ends, |session| ends.min(session)),
        rests_on,
    }))
}

fn still_good(generation: &Generation, cookie: Option<CookieHash>, now: SystemTime) -> bool {
    let look = cookie.map(|hash| generation.keyring.cookie(&hash, now));
    matches!(look, Some(Ok(CookieLook::Good(_))))
}
