//! What a login costs where there is much of everything.

use std::{path::Path, time::Duration};

use anyhow::Result;

use super::{Finding, SLICES, memory, pairs::Pairs, site::Site};
use crate::{
    client::Transport,
    compare::{self, Measured},
    load::{self, Case, Scenario},
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
    let mut of_realms = Pairs::default();
    // A second each: there is time for more of them.
    for _ in 0..rounds * SLICES {
        of_realms.add(cost(&one)?, cost(&many)?);
    }
    drop(many);

    let mut of_sessions = Pairs::default();
    for _ in 0..rounds {
        let few = cost(&one)?;
        let runtime = load::runtime()?;
        let clients = runtime.block_on(memory::joined(&one.websocket(), sessions))?;
        of_sessions.add(few, cost(&one)?);
        drop(clients);
    }
    Ok(vec![
        of_realms.finding(format!("login, CPU, with 1 and with {realms} realms"))?,
        of_sessions.finding(format!(
            "login, CPU, with 0 and with {sessions} open sessions"
        ))?,
    ])
}

fn cost(server: &Server) -> Result<Duration> {
    let case = Case::over(Transport::WebSocket, Scenario::WampCra);
    let Measured { cpu, .. } = compare::quietly(server, case, CONNECTIONS, LENGTH)?;
    Ok(cpu)
}
