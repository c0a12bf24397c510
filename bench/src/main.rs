//! `cargo bench-router` measures Countersign beside the cheapest servers that could do its work and
//! beside Crossbar, and prints a table. `.cargo/config.toml` has the alias.
//!
//! `cargo bench-router strain` measures it while somebody strains it.
//!
//! Its parts can be run by themselves: the servers (`floor`, `relay`), and the load against any WAMP
//! router (`load`), which is what a profile is taken under.

mod client;
mod compare;
mod events;
mod floor;
mod frame;
mod load;
mod login;
mod machine;
mod process;
mod relay;
mod rpc;
mod server;
mod strain;
mod table;

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};

use self::{client::Target, compare::CompareArgs, load::Scenario, strain::StrainArgs};

#[derive(Debug, Parser)]
#[command(about = "What a login, a call and an event cost")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: CompareArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves logins by WAMP-CRA and anonymous ones, and does nothing else
    Floor { address: SocketAddr },
    /// Passes calls and events on, and does nothing else
    Relay { address: SocketAddr },
    /// Puts load on a router
    Load(LoadArgs),
    /// Measures the router while somebody strains it
    Strain(StrainArgs),
}

/// What a router must have that was not set up here.
const EXPECTED: &str = "\
The router's realm is `bench`. For calls and events anybody may log in by `anonymous`, and call, \
register, publish and subscribe in `com.example.`. The person in it is `alice`, with the secret \
`correct horse battery staple` for `ticket`, `wampcra` and `scram`, and for `cryptosign` with the key \
506f27b1b4c2403f2602d663a059b0262afd6a5bcda95a08dd96a4614a89f1b0.";

#[derive(Debug, Args)]
#[command(after_help = EXPECTED)]
struct LoadArgs {
    #[arg(value_enum)]
    scenario: Scenario,
    /// ws://ADDRESS/PATH or rs://ADDRESS
    url: Target,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Logins under way at one time
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            xtask::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => compare::run(&cli.compare),
        // As many threads as there are cores to run on, like the router.
        Some(Command::Floor { address }) => {
            tokio::runtime::Runtime::new()?.block_on(floor::serve(address))
        }
        Some(Command::Relay { address }) => {
            tokio::runtime::Runtime::new()?.block_on(relay::serve(address))
        }
        Some(Command::Load(args)) => {
            let length = Duration::from_secs_f64(args.seconds);
            let sample = load::runtime()?.block_on(args.scenario.run(
                &args.url,
                args.connections,
                length,
            ))?;
            writeln!(io::stdout(), "{sample}")?;
            Ok(())
        }
        Some(Command::Strain(args)) => strain::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::{AUTHID, REALM, SECRET},
        frame::URI,
        login::cryptosign,
    };

    #[test]
    fn what_is_expected_of_a_router_is_what_the_load_does() {
        let key = cryptosign::Key::of(SECRET).public();
        for what in [REALM, AUTHID, SECRET, &key] {
            assert!(EXPECTED.contains(what), "{what}");
        }
        assert!(URI.starts_with("com.example."));
    }
}
