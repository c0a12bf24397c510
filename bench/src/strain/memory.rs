//! Octets that the router takes for each of what it has many of.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use nix::unistd::Pid;

use super::{Finding, site::Site};
use crate::{
    client::{AUTHID, Client, Dialer, REALM, Target},
    frame::{CHALLENGE, Serializer, WELCOME},
    machine::Cores,
};

/// Realms of two routers: what the first ones leave behind, as allocators do, is in both.
const FEW_REALMS: usize = 1000;
const MANY_REALMS: usize = 4000;

pub async fn run(router: &Path, cores: Cores, sessions: usize) -> Result<Vec<Finding>> {
    let few = Site::new(router, "memory")?;
    let (server, _) = few.start(cores)?;
    let process = server.process.pid();
    // What the first ones leave behind, as allocators do, is not what the next ones cost.
    let warm_up = sessions / 10;
    let warm = waiting(&server.websocket(), warm_up).await?;
    let before = resident(process)?;
    let clients = waiting(&server.websocket(), sessions - warm_up).await?;
    let each_login = (resident(process)? - before) / (sessions - warm_up);
    drop((clients, warm));
    drop(server);

    let (server, _) = few.start(cores)?;
    let process = server.process.pid();
    let warm = joined(&server.websocket(), warm_up).await?;
    let before = resident(process)?;
    let clients = joined(&server.websocket(), sessions - warm_up).await?;
    let each_session = (resident(process)? - before) / (sessions - warm_up);
    drop((clients, warm));
    drop(server);

    let few = with_realms(router, cores, FEW_REALMS).await?;
    let many = with_realms(router, cores, MANY_REALMS).await?;
    let each_realm = many.saturating_sub(few) / (MANY_REALMS - FEW_REALMS);
    Ok(vec![
        Finding::single(
            "memory of a login that waits for its client",
            kib(each_login),
        ),
        Finding::single("memory of an idle session", kib(each_session)),
        Finding::single("memory of one more realm", kib(each_realm)),
    ])
}

/// What a router takes that has so many realms.
async fn with_realms(router: &Path, cores: Cores, number: usize) -> Result<usize> {
    let site = Site::new(router, "memory-realms")?;
    for number in 0..number {
        site.realm(
            &format!("realm{number}"),
            "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n[method.anonymous]\n\
             settings = { role = \"guest\" }\n",
        )?;
    }
    let (server, _) = site.start(cores)?;
    let warm = joined(&server.websocket(), 100).await?;
    let octets = resident(server.process.pid())?;
    drop(warm);
    Ok(octets)
}

/// Clients that do not answer their CHALLENGE.
async fn waiting(target: &Target, number: usize) -> Result<Vec<Client>> {
    clients(target, number, "wampcra", Some(AUTHID), CHALLENGE).await
}

pub async fn joined(target: &Target, number: usize) -> Result<Vec<Client>> {
    clients(target, number, "anonymous", None, WELCOME).await
}

async fn clients(
    target: &Target,
    number: usize,
    method: &str,
    authid: Option<&str>,
    until: u64,
) -> Result<Vec<Client>> {
    let dialer = Dialer::new(target, Serializer::Json);
    let hello = Serializer::Json.hello(REALM, method, authid);
    let mut clients = Vec::with_capacity(number);
    for _ in 0..number {
        let mut client = dialer.dial().await?;
        client.send(&hello).await?;
        client.expect(until).await?;
        clients.push(client);
    }
    Ok(clients)
}

/// Octets of a process that are in memory.
fn resident(process: Pid) -> Result<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let size = line.and_then(|line| line.split_whitespace().next());
    let kib: usize = size
        .context("/proc/PID/status is not understood")?
        .parse()?;
    Ok(kib * 1024)
}

fn kib(octets: usize) -> String {
    format!("{}.{} KiB", octets / 1024, octets % 1024 * 10 / 1024)
}
