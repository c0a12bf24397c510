use std::{fs, net::SocketAddr, path::Path, process::Command};

use anyhow::Result;
use xtask::Identity;

use super::PATH;
use crate::{
    client::{AUTHID, REALM, SECRET},
    login::{cryptosign, scram},
};

/// Where anybody gets in by anything.
const REALM_FILE: &str = r#"
roles = ["user"]
[[login]]
steps = ["wampcra"]
[[login]]
steps = ["cryptosign"]
[[login]]
steps = ["scram"]
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

/// Sets up one build of Countersign, with one listener for both transports.
pub fn command(router: &Path, directory: &Path, address: SocketAddr) -> Result<Command> {
    let scram = ("scram", xtask::component("countersign-scram")?);
    for (name, component) in xtask::methods()?.into_iter().chain([scram]) {
        let file = directory.join("methods").join(name).with_extension("wasm");
        xtask::put(&file, &fs::read(component)?)?;
    }
    let config = directory.join("countersign.toml");
    let listener = format!("[[listener]]\naddress = \"{address}\"\npath = \"{PATH}\"\n");
    xtask::put(&config, listener.as_bytes())?;
    let file = directory.join("realms").join(REALM).with_extension("toml");
    xtask::put(&file, REALM_FILE.as_bytes())?;
    enrol(router, &config)?;
    let mut command = Command::new(router);
    command.arg("serve").arg("--config").arg(config);
    Ok(command)
}

/// One credential for each method that wants one.
fn enrol(router: &Path, config: &Path) -> Result<()> {
    let key = cryptosign::Key::of(SECRET).public();
    let costs = scram::COSTS;
    let (iterations, memory) = (costs.iterations.to_string(), costs.memory.to_string());
    let costs = ["--iterations", &iterations, "--memory", &memory];
    let credentials: [(_, _, &[&str]); 4] = [
        ("wampcra", SECRET, &[]),
        ("ticket", SECRET, &[]),
        ("cryptosign", &key, &[]),
        ("scram", SECRET, &costs),
    ];
    for (kind, secret, options) in credentials {
        let identity = Identity {
            realm: REALM,
            kind,
            authid: AUTHID,
            role: "user",
            secret,
            options,
        };
        xtask::enrol(router, config, &identity)?;
    }
    Ok(())
}
