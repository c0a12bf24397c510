//! Logins of one realm while another realm's method does its worst.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    Finding, SLICES,
    pace::{lasting, paced},
    pairs::{Pairs, SLICE},
    site::{Site, guest},
};
use crate::{
    client::{Dialer, Target},
    frame::Serializer,
    login::{Login, Method},
    machine::Cores,
};

/// What the method does, by the word for it in the tests' component.
const DEEDS: [(&str, &str); 4] = [
    // What so many attempts cost by themselves.
    ("behave", "behaves"),
    ("loop", "loops"),
    ("eat-memory", "takes all memory that it gets"),
    ("panic", "traps"),
];

/// A second, in the other realm.
const ATTEMPTS: u32 = 500;

/// A second, in the realm that is measured: no divisor of the attempts, or each would meet one at the same
/// point.
const LOGINS: u32 = 197;

pub async fn run(router: &Path, cores: Cores, rounds: u32) -> Result<Vec<Finding>> {
    let site = Site::new(router, "neighbour")?;
    site.component("hostile", &guest("hostile")?)?;
    for (deed, _) in DEEDS {
        site.realm(deed, &hostile_realm(deed))?;
    }
    let (server, _) = site.start(cores)?;
    let login = Arc::new(Login::new(&server.websocket(), Method::WampCra));
    let mut findings = Vec::new();
    for (deed, does) in DEEDS {
        let mut pairs = Pairs::default();
        for _ in 0..rounds * SLICES {
            let quiet = p99(&login).await?;
            let attack = tokio::spawn(attack(server.websocket(), deed));
            pairs.add(quiet, p99(&login).await?);
            attack.await??;
        }
        let what =
            format!("login, p99, while another realm's method {does}, {ATTEMPTS} times a second");
        findings.push(pairs.finding(what)?);
    }
    Ok(findings)
}

async fn p99(login: &Arc<Login>) -> Result<Duration> {
    let once = || {
        let login = Arc::clone(login);
        async move { login.once().await.map(|_| ()) }
    };
    paced(LOGINS, lasting(SLICE), once).await?.p99()
}

/// Begins logins in the hostile realm. How they end is not looked at.
async fn attack(target: Target, realm: &'static str) -> Result<()> {
    let dialer = Arc::new(Dialer::new(&target, Serializer::Json));
    let hello: Arc<[u8]> = Serializer::Json
        .hello(realm, "hostile", Some("mallory"))
        .into();
    let attempt = || {
        let (dialer, hello) = (Arc::clone(&dialer), Arc::clone(&hello));
        async move {
            let mut client = dialer.dial().await?;
            client.send(&hello).await?;
            _ = client.receive().await;
            client.close().await
        }
    };
    paced(ATTEMPTS, lasting(SLICE), attempt).await?;
    Ok(())
}

fn hostile_realm(deed: &str) -> String {
    format!(
        "roles = [\"guest\"]\n[[login]]\nsteps = [\"hostile\"]\n[method.hostile]\nsettings = {{ \
         does = \"{deed}\" }}\n"
    )
}
