//! The demo: a working copy of `examples/demo` under the target directory, with the methods and
//! with a person in it.

use std::{
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    cargo,
    files::{copy, root, target},
    process::say,
};

/// Somebody who can log in: what `countersign credential add` is told.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    pub realm: &'a str,
    /// `ticket`, `wampcra` or `cryptosign`.
    pub kind: &'a str,
    pub authid: &'a str,
    pub role: &'a str,
    /// The secret; for `cryptosign` the public key in hex.
    pub secret: &'a str,
    /// More arguments, e.g. `--plain`.
    pub options: &'a [&'a str],
}

impl<'a> Identity<'a> {
    /// A user of `realm1` with a password.
    #[must_use]
    pub const fn ticket(authid: &'a str, secret: &'a str) -> Self {
        Self {
            realm: "realm1",
            kind: "ticket",
            authid,
            role: "user",
            secret,
            options: &[],
        }
    }

    /// A user of `realm1` whose key is the secret itself.
    #[must_use]
    pub const fn wampcra(authid: &'a str, key: &'a str) -> Self {
        Self {
            kind: "wampcra",
            options: &["--plain"],
            ..Self::ticket(authid, key)
        }
    }
}

/// Builds everything, and becomes a router on the demo realm.
///
/// # Errors
///
/// Something could not be built or written. If all goes well it does not return.
pub fn demo() -> Result<()> {
    say("[1/4] The methods");
    let methods = cargo::methods()?;
    say("[2/4] The router");
    let router = cargo::router()?;
    let directory = target().join("demo");
    say(format_args!(
        "[3/4] The demo realm, in {}",
        directory.display()
    ));
    let config = lay_out(&directory, &methods)?;
    let key = alices_key()?;
    for identity in alice(&key) {
        enrol(&router, &config, &identity)?;
        let Identity { kind, authid, .. } = identity;
        say(format_args!("{authid} can log in by {kind}"));
    }
    say("[4/4] Running the router; Ctrl-C ends it\n");
    let error = Command::new(&router)
        .arg("serve")
        .arg("--config")
        .arg(&config)
        .exec();
    Err(error).with_context(|| format!("{} could not be started", router.display()))
}

/// Makes a working copy of the demo. What is up to date already is not touched: a router that runs
/// on it need not reload.
fn lay_out(directory: &Path, methods: &[(&str, PathBuf)]) -> Result<PathBuf> {
    let demo = root().join("examples/demo");
    for file in ["countersign.toml", "realms/realm1.toml"] {
        copy(&demo.join(file), &directory.join(file))?;
    }
    for (name, component) in methods {
        copy(component, &directory.join(format!("methods/{name}.wasm")))?;
    }
    Ok(directory.join("countersign.toml"))
}

/// The public half of `examples/demo/alice.key`.
///
/// # Errors
///
/// The file cannot be read.
pub fn alices_key() -> Result<String> {
    let path = root().join("examples/demo/alice.pub");
    let key = fs::read_to_string(&path)
        .with_context(|| format!("{} could not be read", path.display()))?;
    Ok(key.trim_end().to_owned())
}

/// Everything that Alice can log in to the demo with.
pub fn alice(public_key: &str) -> [Identity<'_>; 3] {
    let by = |kind, secret| Identity {
        realm: "realm1",
        kind,
        authid: "alice",
        role: "user",
        secret,
        options: &[],
    };
    [
        by("ticket", "wonderland"),
        by("wampcra", "wonderland"),
        by("cryptosign", public_key),
    ]
}

/// Gives somebody a credential, by the router's own command line.
///
/// # Errors
///
/// The command fails; the error has what it said.
pub fn enrol(router: &Path, config: &Path, identity: &Identity) -> Result<()> {
    let Identity {
        realm,
        kind,
        authid,
        role,
        secret,
        options,
    } = *identity;
    let mut command = Command::new(router)
        .args(["credential", "add", "--config"])
        .arg(config)
        .args([realm, kind, authid, "--role", role, "--replace"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} could not be started", router.display()))?;
    let mut input = command
        .stdin
        .take()
        .context("its standard input is a pipe")?;
    match writeln!(input, "{secret}") {
        // It may have ended before it read the secret, and says why by its status.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => drop(input),
    }
    let output = command.wait_with_output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{authid} could not be enrolled for {kind}: {complaint}"
    );
    Ok(())
}
