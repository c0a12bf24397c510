//! From the program's start to the first login.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

use super::{Finding, median, site::Site};
use crate::{
    login::{Login, Method},
    machine::Cores,
};

/// Realms, each with a file of its own.
const REALMS: usize = 1000;

/// Methods, each another component.
const METHODS: usize = 10;

pub async fn run(router: &Path, cores: Cores, rounds: u32) -> Result<Vec<Finding>> {
    let site = Site::new(router, "start")?;
    let (_, component) = xtask::methods()?
        .into_iter()
        .find(|(name, _)| *name == "anonymous")
        .context("the demo has a method anonymous")?;
    let component = std::fs::read(component)?;
    for number in 0..METHODS {
        site.component(&format!("anonymous{number}"), &remarked(&component, number))?;
    }
    for number in 0..REALMS {
        let method = format!("anonymous{}", number % METHODS);
        site.realm(
            &format!("realm{number}"),
            &format!(
                "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n[method.anonymous]\n\
                 component = \"{method}.wasm\"\nsettings = {{ role = \"guest\" }}\n"
            ),
        )?;
    }
    let first = until_a_login(&site, cores).await?;
    let mut later = Vec::new();
    for _ in 0..rounds {
        later.push(until_a_login(&site, cores).await?);
    }
    let later = median(later).context("the router was started")?;
    let what = format!("start with {METHODS} methods and {REALMS} realms, to the first login");
    Ok(vec![
        Finding::single(format!("{what}: for the first time"), super::written(first)),
        Finding::single(format!("{what}: again, median"), super::written(later)),
    ])
}

async fn until_a_login(site: &Site, cores: Cores) -> Result<Duration> {
    let (server, listens) = site.start(cores)?;
    let login = Login::new(&server.websocket(), Method::WampCra)
        .once()
        .await?;
    Ok(listens + login)
}

/// The same component with a custom section, which makes it another revision.
fn remarked(component: &[u8], number: usize) -> Vec<u8> {
    let mut octets = component.to_vec();
    let name = format!("{number:04}");
    // Section 0, the length of all, the length of the name, the name, and nothing in it.
    octets.extend([0, 5, 4]);
    octets.extend(name.as_bytes());
    octets
}
