use std::time::{SystemTime, UNIX_EPOCH};

use wasmtime::component::{HasSelf, Linker};

use crate::{
    credential::{CookieHash, CookieLook, Remembered},
    method::{
        HostCall,
        bindings::countersign::auth::cookies,
        guest::{Guest, Label},
    },
};

pub(super) const INTERFACES: &[&str] = &["countersign:auth/cookies"];

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    cookies::add_to_linker::<_, HasSelf<_>>(linker, |guest| guest)
}

impl cookies::Host for Guest {
    fn presented(&mut self) -> wasmtime::Result<Option<cookies::Remembered>> {
        self.host_call(HostCall::Cookie)?;
        let Some(page) = &self.connection.page else {
            self.no_cookie(
                "the connection is not confidential, or not from a page of a site that the \
                 listener's origins name",
            )?;
            return Ok(None);
        };
        let values = page.cookies.named(self.keyring.cookie_name());
        let hash = match CookieHash::presented(values) {
            Ok(hash) => hash,
            Err(why) => {
                self.no_cookie(why)?;
                return Ok(None);
            }
        };
        Ok(match self.keyring.cookie(&hash, SystemTime::now())? {
            CookieLook::Good(remembered) => {
                let told = told(&remembered);
                self.evidence.cookie(remembered);
                Some(told)
            }
            CookieLook::Unknown => {
                self.no_cookie(
                    "the cookie was ended by a logout, by a changed credential or by the operator, \
                     or it is not of this realm",
                )?;
                None
            }
            CookieLook::Expired => {
                self.no_cookie("the cookie has expired")?;
                None
            }
            CookieLook::Replayed(family) => {
                self.no_cookie(
                    "the cookie was replaced long ago: somebody else may have it, so the browser's \
                     later ones are ended too",
                )?;
                self.evidence.replayed(family);
                None
            }
        })
    }
}

impl Guest {
    /// Charged like a line of the guest's own, since a guest has it written.
    fn no_cookie(&self, why: &str) -> wasmtime::Result<()> {
        self.log.charge(why)?;
        let Label { realm, step, .. } = self.log.label();
        let peer = &self.connection.peer;
        tracing::info!(target: "login", %realm, %step, peer, why, "no cookie is accepted");
        Ok(())
    }
}

fn told(remembered: &Remembered) -> cookies::Remembered {
    let ends = remembered
        .ends
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    cookies::Remembered {
        authid: remembered.authid.as_str().to_owned(),
        authrole: remembered.authrole.as_str().to_owned(),
        ends_at: u64::try_from(ends.as_millis()).unwrap_or(u64::MAX),
    }
}
