//! Whom we measure, and how each is set up: the same realm, the same person in it, and anybody
//! allowed to do anything.

use std::{
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::Identity;

use crate::{
    client::{AUTHID, REALM, SECRET, Target},
    load::Scenario,
    machine::Cores,
    process::{Process, free_address},
};

/// The release that we compare with.
const CROSSBAR: &str = "crossbar==26.10.1";

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
    pub target: Target,
    pub process: Process,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Floor, Self::Relay, Self::Countersign, Self::Crossbar];

    pub const fn serves(self, scenario: Scenario) -> bool {
        match self {
            Self::Floor => matches!(scenario, Scenario::WampCra | Scenario::Anonymous),
            Self::Relay => !scenario.is_login(),
            Self::Countersign | Self::Crossbar => true,
        }
    }

    /// Builds and starts it, with its files in a directory of its own.
    pub fn start(self, directory: &Path, cores: Cores) -> Result<Server> {
        let address = free_address()?;
        let command = match self {
            Self::Floor => ourselves("floor", address)?,
            Self::Relay => ourselves("relay", address)?,
            Self::Countersign => return Self::start_router(&xtask::router()?, directory, cores),
            Self::Crossbar => crossbar(directory, address)?,
        };
        Server::start(self, self.to_string(), command, address, directory, cores)
    }

    /// Starts one build of Countersign.
    pub fn start_router(router: &Path, directory: &Path, cores: Cores) -> Result<Server> {
        let address = free_address()?;
        let command = countersign(router, directory, address)?;
        let kind = Self::Countersign;
        let file = router.file_name().unwrap_or_default().to_string_lossy();
        let name = match file.as_ref() {
            "countersign" => kind.to_string(),
            other => other.to_owned(),
        };
        Server::start(kind, name, command, address, directory, cores)
    }
}

impl Server {
    fn start(
        kind: Kind,
        name: String,
        mut command: Command,
        address: SocketAddr,
        directory: &Path,
        cores: Cores,
    ) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let process = Process::start(&mut command, address, &directory.join("log"), cores)?;
        let target = Target {
            address,
            path: "/ws".into(),
        };
        Ok(Self {
            kind,
            name,
            target,
            process,
        })
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

fn countersign(router: &Path, directory: &Path, address: SocketAddr) -> Result<Command> {
    for (name, component) in xtask::methods()? {
        let file = directory.join("methods").join(name).with_extension("wasm");
        xtask::put(&file, &fs::read(component)?)?;
    }
    let config = directory.join("countersign.toml");
    let listener = format!("[[listener]]\naddress = \"{address}\"\npath = \"/ws\"\n");
    xtask::put(&config, listener.as_bytes())?;
    let realm = r#"
roles = ["user"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["ticket"]
[[login]]
steps = ["anonymous"]
[method.anonymous]
settings = { role = "user" }
[[permission]]
role = "user"
uri = "com.example."
match = "prefix"
allow = ["call", "register", "subscribe", "publish"]
"#;
    let file = directory.join("realms").join(REALM).with_extension("toml");
    xtask::put(&file, realm.as_bytes())?;
    for kind in ["wampcra", "ticket"] {
        let identity = Identity {
            realm: REALM,
            kind,
            authid: AUTHID,
            role: "user",
            secret: SECRET,
            options: &[],
        };
        xtask::enrol(router, &config, &identity)?;
    }
    let mut command = Command::new(router);
    command.arg("serve").arg("--config").arg(config);
    Ok(command)
}

fn crossbar(directory: &Path, address: SocketAddr) -> Result<Command> {
    let program = install_crossbar(directory)?;
    let config = json!({
        "version": 2,
        "controller": {"options": {"title": "bench"}},
        "workers": [{
            "type": "router",
            "realms": [{
                "name": REALM,
                "roles": [{
                    "name": "user",
                    "permissions": [{
                        "uri": "",
                        "match": "prefix",
                        "allow": {"call": true, "register": true, "publish": true, "subscribe": true},
                        "cache": true,
                    }],
                }],
            }],
            "transports": [{
                "type": "websocket",
                "endpoint": {
                    "type": "tcp",
                    "interface": "127.0.0.1",
                    "port": address.port(),
                    "backlog": 1024,
                },
                "url": format!("ws://{address}/ws"),
                "auth": {
                    "wampcra": {
                        "type": "static",
                        "users": {AUTHID: {"secret": SECRET, "role": "user"}},
                    },
                    "ticket": {
                        "type": "static",
                        "principals": {AUTHID: {"ticket": SECRET, "role": "user"}},
                    },
                    "anonymous": {"type": "static", "role": "user"},
                },
            }],
        }],
    });
    let node = directory.join("node");
    xtask::put(&node.join("config.json"), config.to_string().as_bytes())?;
    let mut command = Command::new(program);
    command
        .args(["start", "--loglevel", "warn", "--cbdir"])
        .arg(node);
    Ok(command)
}

/// Installs it into a virtual environment, once.
fn install_crossbar(directory: &Path) -> Result<PathBuf> {
    let programs = directory.join("bin");
    let program = programs.join("crossbar");
    if program.exists() {
        return Ok(program);
    }
    xtask::say(format_args!("Installing {CROSSBAR} from PyPI"));
    run(Command::new("python3").args(["-m", "venv"]).arg(directory))?;
    run(Command::new(programs.join("pip")).args(["install", "--quiet", CROSSBAR]))?;
    Ok(program)
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let status = command
        .status()
        .with_context(|| format!("{program} could not be started"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}
