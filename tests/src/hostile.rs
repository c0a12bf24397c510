//! Realms where logins do what no method should.

use crate::{Component, Deployment};

/// A misdeed of the hostile guest, which is the name of the step too, and the limits of its calls as
/// the realm's file has them.
pub type Deed<'a> = (&'a str, &'a str);

impl Deployment {
    /// Writes the file of a realm where each of these is a way to log in, and `more` after it; and
    /// the guest that does them.
    pub fn hostile(&self, realm: &str, deeds: &[Deed<'_>], more: &str) {
        let ways = deeds.iter().map(|(deed, limits)| {
            format!(
                "[[login]]\nsteps = [\"{deed}\"]\n[method.{deed}]\ncomponent = \"hostile.wasm\"\n\
                 settings = {{ does = \"{deed}\" }}\nlimits = {{ {limits} }}\n"
            )
        });
        let ways: String = ways.collect();
        self.realm(realm, &format!("roles = [\"user\"]\n{ways}{more}\n"));
        if !self.path("methods/hostile.wasm").exists() {
            self.component("hostile", &Component::guest("hostile"));
        }
    }
}
