//! A router with files of its own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use xtask::Identity;

use crate::{
    client::{AUTHID, REALM, SECRET},
    machine::Cores,
    process::{Process, free_address},
    server::{Addresses, Kind, PATH, Server},
};

/// The realm that is measured: alice logs in by wampcra, and anybody anonymously.
const MEASURED: &str = r#"
roles = ["user"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["anonymous"]
[method.anonymous]
settings = { role = "user" }
[limits]
logins = 20000
"#;

pub struct Site {
    program: PathBuf,
    directory: PathBuf,
    address: SocketAddr,
}

impl Site {
    /// An empty directory, but for the measured realm and the demo's methods.
    pub fn new(router: &Path, name: &str) -> Result<Self> {
        let directory = xtask::root().join("target/bench").join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        let site = Self {
            program: router.to_owned(),
            directory,
            address: free_address()?,
        };
        for (name, component) in xtask::methods()? {
            site.component(name, &fs::read(component)?)?;
        }
        let Self { address, .. } = site;
        let operator = format!(
            "[[listener]]\naddress = \"{address}\"\npath = \"{PATH}\"\n[login]\nwaiting = 20000\n\
             [limits.realm]\nlogins = 20000\n"
        );
        xtask::put(&site.config(), operator.as_bytes())?;
        site.realm(REALM, MEASURED)?;
        let alice = Identity {
            realm: REALM,
            kind: "wampcra",
            authid: AUTHID,
            role: "user",
            secret: SECRET,
            options: &[],
        };
        xtask::enrol(&site.program, &site.config(), &alice)?;
        Ok(site)
    }

    pub fn realm(&self, name: &str, text: &str) -> Result<()> {
        let file = self.directory.join("realms").join(name);
        xtask::put(&file.with_extension("toml"), text.as_bytes())?;
        Ok(())
    }

    pub fn component(&self, name: &str, octets: &[u8]) -> Result<()> {
        xtask::put(&self.place(name), octets)?;
        Ok(())
    }

    /// Writes a component where the router does not look.
    pub fn write_aside(&self, name: &str, octets: &[u8]) -> Result<PathBuf> {
        let file = self.directory.join("aside").join(name);
        xtask::put(&file, octets)?;
        Ok(file)
    }

    /// Moves a component there from elsewhere.
    pub fn put_in_place(&self, file: &Path, name: &str) -> Result<()> {
        fs::rename(file, self.place(name)).with_context(|| file.display().to_string())
    }

    fn place(&self, name: &str) -> PathBuf {
        let file = self.directory.join("methods").join(name);
        file.with_extension("wasm")
    }

    /// Starts the router, and says how long it took until it listened.
    pub fn start(&self, cores: Cores) -> Result<(Server, Duration)> {
        let mut command = Command::new(&self.program);
        command.arg("serve").arg("--config").arg(self.config());
        let begin = Instant::now();
        let log = self.directory.join("log");
        let process = Process::start(&mut command, &[self.address], &log, cores)?;
        let took = begin.elapsed();
        let server = Server {
            kind: Kind::Countersign,
            name: Kind::Countersign.to_string(),
            addresses: Addresses::of_one(self.address),
            process,
        };
        Ok((server, took))
    }

    fn config(&self) -> PathBuf {
        self.directory.join("countersign.toml")
    }
}

/// One of the tests' components.
pub fn guest(name: &str) -> Result<Vec<u8>> {
    read(&xtask::component(&format!("guest-{name}"))?)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| file.display().to_string())
}
