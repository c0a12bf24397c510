//! What a login costs where there is much of everything.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

use super::{Finding, median, memory, site::Site};
use crate::{
    compare::{self, Measured},
    load::{self, Scenario},
    machine::Cores,
    server::Server,
};

/// How long one measurement takes.
const LENGTH: Duration = Duration::from_secs(1);

/// Logins under way at one time.
const CONNECTIONS: usize = 32;

pub fn run(
    router: &Path,
    cores: Cores,
    realms: usize,
    sessions: usize,
    rounds: u32,
) -> Result<Vec<Finding>> {
    let one = Site::new(router, "scale-one")?;
    let many = Site::new(router, "scale-many")?;
    for number in 1..realms {
        many.realm(
            &format!("realm{number}"),
            "roles = [\"guest\"]\n[[login]]\nsteps = [\"anonymous\"]\n[method.anonymous]\n\
             settings = { role = \"guest\" }\n",
        )?;
    }
    let (one, _) = one.start(cores)?;
    let (many, _) = many.start(cores)?;
    let (mut few_realms, mut many_realms) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        few_realms.push(cost(&one)?);
        many_realms.push(cost(&many)?);
    }
    drop(many);

    let (mut few_sessions, mut many_sessions) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        few_sessions.push(cost(&one)?);
        let runtime = load::runtime()?;
        let clients = runtime.block_on(memory::joined(&one.target, sessions))?;
        many_sessions.push(cost(&one)?);
        drop(clients);
    }
    Ok(vec![
        finding(
            format!("login, CPU, with 1 and with {realms} realms"),
            few_realms,
            many_realms,
        )?,
        finding(
            format!("login, CPU, with 0 and with {sessions} open sessions"),
            few_sessions,
            many_sessions,
        )?,
    ])
}

fn cost(server: &Server) -> Result<Duration> {
    let Measured { cpu, .. } = compare::quietly(server, Scenario::WampCra, CONNECTIONS, LENGTH)?;
    Ok(cpu)
}

fn finding(what: String, few: Vec<Duration>, many: Vec<Duration>) -> Result<Finding> {
    let few = median(few).context("it was measured")?;
    let many = median(many).context("it was measured")?;
    Ok(Finding::of_times(what, few, many))
}
