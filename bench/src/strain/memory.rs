//! Octets that the router takes for each of what it has many of.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use nix::unistd::Pid;

use super::{Finding, site::Site};
use crate::{
    client::{AUTHID, Client, REALM, Target, upgrade},
    frame::{CHALLENGE, Serializer, WELCOME},
    machine::Cores,
};

/// Realms that one router has and the other has not.
const REALMS: usize = 1000;

pub async fn run(router: &Path, cores: Cores, sessions: usize) -> Result<Vec<Finding>> {
    let few = Site::new(router, "memory")?;
    let (server, _) = few.start(cores)?;
    let process = server.process.pid();
    // What the first ones leave behind, as allocators do, is not what the next ones cost.
    let warm_up = sessions / 10;
    let warm = waiting(&server.target, warm_up).await?;
    let before = resident(process)?;
    let clients = waiting(&server.target, sessions - warm_up).await?;
    let each_login = (resident(process)? - before) / (sessions - warm_up);
    drop((clients, warm));
    drop(server);

    let (server, _) = few.start(cores)?;
    let process = server.process.pid();
    let warm = joined(&server.target, warm_up).await?;
    let before = resident(process)?;
    let clients = joined(&server.target, sessions - warm_up).await?;
    let each_session = (resident(process)? - before) / (sessions - warm_up);
    drop((clients, warm));
    let one_realm = before;
    drop(server);

    let many = Site::new(router, "memory-realms")?;
    for number in 0..REALMS {
        many.realm(
            &format!("realm{number}"),
            "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n[method.anonymous]\n\
             settings = { role = \"guest\" }\n",
        )?;
    }
    let (server, _) = many.start(cores)?;
    let warm = joined(&server.target, warm_up).await?;
    let each_realm = resident(server.process.pid())?.saturating_sub(one_realm) / REALMS;
    drop(warm);
    Ok(vec![
        Finding::single(
            "memory of a login that waits for its client",
            kib(each_login),
        ),
        Finding::single("memory of an idle session", kib(each_session)),
        Finding::single("memory of one more realm", kib(each_realm)),
    ])
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
    let upgrade = upgrade(target, Serializer::Json);
    let hello = Serializer::Json.hello(REALM, method, authid);
    let mut clients = Vec::with_capacity(number);
    for _ in 0..number {
        let mut client = Client::open(target.address, &upgrade, Serializer::Json).await?;
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
