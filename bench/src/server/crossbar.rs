use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use serde_json::{Value, json};

use super::PATH;
use crate::{
    client::{AUTHID, REALM, SECRET},
    login::{cryptosign, scram},
};

/// The release that we compare with.
const PACKAGE: &str = "crossbar==26.10.1";

/// Anything is as good: nobody else's passwords are here.
const SALT: &[u8] = b"0123456789abcdef";

/// Installs it, and sets it up with a listener for each transport.
pub fn command(directory: &Path, websocket: SocketAddr, rawsocket: SocketAddr) -> Result<Command> {
    let program = install(directory)?;
    let auth = auth()?;
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
                "endpoint": endpoint(websocket),
                "url": format!("ws://{websocket}{PATH}"),
                "auth": auth,
            }, {
                "type": "rawsocket",
                "endpoint": endpoint(rawsocket),
                "serializers": ["json", "msgpack"],
                "auth": auth,
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

fn endpoint(address: SocketAddr) -> Value {
    json!({
        "type": "tcp",
        "interface": "127.0.0.1",
        "port": address.port(),
        "backlog": 1024,
    })
}

/// Every method from constants: nothing is asked of a database or of another process.
fn auth() -> Result<Value> {
    let key = cryptosign::Key::of(SECRET).public();
    let keys = scram::Keys::derive(scram::COSTS, SECRET, SALT)?;
    Ok(json!({
        "wampcra": {
            "type": "static",
            "users": {AUTHID: {"secret": SECRET, "role": "user"}},
        },
        "ticket": {
            "type": "static",
            "principals": {AUTHID: {"ticket": SECRET, "role": "user"}},
        },
        "cryptosign": {
            "type": "static",
            "principals": {AUTHID: {"authorized_keys": [key], "realm": REALM, "role": "user"}},
        },
        "scram": {
            "type": "static",
            "principals": {AUTHID: {
                "kdf": "argon2id-13",
                "iterations": scram::COSTS.iterations,
                "memory": scram::COSTS.memory,
                "salt": hex::encode(SALT),
                "stored-key": hex::encode(keys.stored),
                "server-key": hex::encode(keys.server),
                "role": "user",
            }},
        },
        "anonymous": {"type": "static", "role": "user"},
    }))
}

/// Installs it into a virtual environment, once.
fn install(directory: &Path) -> Result<PathBuf> {
    let programs = directory.join("bin");
    let program = programs.join("crossbar");
    if program.exists() {
        return Ok(program);
    }
    xtask::say(format_args!("Installing {PACKAGE} from PyPI"));
    xtask::run(Command::new("python3").args(["-m", "venv"]).arg(directory))?;
    xtask::run(Command::new(programs.join("pip")).args(["install", "--quiet", PACKAGE]))?;
    Ok(program)
}
