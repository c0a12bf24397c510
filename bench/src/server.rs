//! Whom we measure, and how each is set up: the same realm, the same person in it, and anybody
//! allowed to do anything.

mod countersign;
mod crossbar;

use std::{fmt, fs, net::SocketAddr, path::Path, process::Command};

use anyhow::Result;

use crate::{
    client::{Target, Transport},
    load::{Case, Scenario},
    machine::Cores,
    process::{Process, free_address},
};

/// Of the WebSocket's URL.
pub const PATH: &str = "/ws";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Relay,
    Countersign,
    Crossbar,
}

/// A server that listens.
pub struct Server {
    pub kind: Kind,
    /// As the table names it.
    pub name: String,
    pub addresses: Addresses,
    pub process: Process,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub websocket: SocketAddr,
    /// The same for a server that tells from what comes first.
    pub rawsocket: Option<SocketAddr>,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Floor, Self::Relay, Self::Countersign, Self::Crossbar];

    const fn serves(self, scenario: Scenario) -> bool {
        match self {
            Self::Floor => matches!(scenario, Scenario::WampCra | Scenario::Anonymous),
            Self::Relay => !scenario.is_login(),
            Self::Countersign | Self::Crossbar => true,
        }
    }

    /// Builds and starts it, with its files in a directory of its own.
    pub fn start(self, directory: &Path, cores: Cores) -> Result<Server> {
        let websocket = free_address()?;
        let mut addresses = Addresses {
            websocket,
            rawsocket: None,
        };
        let command = match self {
            Self::Floor => ourselves("floor", websocket)?,
            Self::Relay => ourselves("relay", websocket)?,
            Self::Countersign => return Self::start_router(&xtask::router()?, directory, cores),
            Self::Crossbar => {
                let rawsocket = free_address()?;
                addresses.rawsocket = Some(rawsocket);
                crossbar::command(directory, websocket, rawsocket)?
            }
        };
        Server::start(self, self.to_string(), command, addresses, directory, cores)
    }

    /// Starts one build of Countersign.
    pub fn start_router(router: &Path, directory: &Path, cores: Cores) -> Result<Server> {
        let address = free_address()?;
        let command = countersign::command(router, directory, address)?;
        let kind = Self::Countersign;
        let file = router.file_name().unwrap_or_default().to_string_lossy();
        let name = match file.as_ref() {
            "countersign" => kind.to_string(),
            other => other.to_owned(),
        };
        let addresses = Addresses::of_one(address);
        Server::start(kind, name, command, addresses, directory, cores)
    }
}

impl Server {
    fn start(
        kind: Kind,
        name: String,
        mut command: Command,
        addresses: Addresses,
        directory: &Path,
        cores: Cores,
    ) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let process = Process::start(
            &mut command,
            &addresses.all(),
            &directory.join("log"),
            cores,
        )?;
        Ok(Self {
            kind,
            name,
            addresses,
            process,
        })
    }

    pub fn serves(&self, case: Case) -> bool {
        self.kind.serves(case.scenario) && self.target(case.transport).is_some()
    }

    /// None: it does not speak that.
    pub fn target(&self, transport: Transport) -> Option<Target> {
        match transport {
            Transport::WebSocket => Some(self.websocket()),
            Transport::RawSocket => self
                .addresses
                .rawsocket
                .map(|address| Target::RawSocket { address }),
        }
    }

    /// What every server speaks.
    pub fn websocket(&self) -> Target {
        Target::WebSocket {
            address: self.addresses.websocket,
            path: PATH.into(),
        }
    }
}

impl Addresses {
    /// One listener for both.
    pub const fn of_one(address: SocketAddr) -> Self {
        Self {
            websocket: address,
            rawsocket: Some(address),
        }
    }

    fn all(self) -> Vec<SocketAddr> {
        [self.websocket].into_iter().chain(self.rawsocket).collect()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Floor => "floor",
            Self::Relay => "relay",
            Self::Countersign => "Countersign",
            Self::Crossbar => "Crossbar",
        })
    }
}

fn ourselves(subcommand: &str, address: SocketAddr) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(subcommand).arg(address.to_string());
    Ok(command)
}
