//! A server as a process of its own.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::machine::{Cores, stay_on};

/// How long a server may take until it listens. Crossbar takes some seconds.
const START: Duration = Duration::from_mins(1);

/// How often it is looked whether it listens.
const LOOK: Duration = Duration::from_millis(2);

/// How long it may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// Ends when it is dropped.
pub struct Process {
    child: Child,
    group: Pid,
}

impl Process {
    /// Starts it on the servers' core, and waits until it listens at each address. What it says
    /// goes into the file.
    pub fn start(
        command: &mut Command,
        addresses: &[SocketAddr],
        log: &Path,
        cores: Cores,
    ) -> Result<Self> {
        let program = command.get_program().display().to_string();
        let log_file = File::create(log)?;
        command
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .process_group(0);
        // A process inherits the core of the thread that starts it.
        stay_on(cores.server)?;
        let child = command.spawn();
        stay_on(cores.load)?;
        let child = child.with_context(|| format!("{program} could not be started"))?;
        let group = Pid::from_raw(i32::try_from(child.id())?);
        let mut process = Self { child, group };
        let begin = Instant::now();
        for address in addresses {
            while TcpStream::connect(address).is_err() {
                if let Some(status) = process.child.try_wait()? {
                    bail!(
                        "{program} ended ({status}); it said why in {}",
                        log.display()
                    );
                }
                if begin.elapsed() > START {
                    bail!("{program} does not listen; see {}", log.display());
                }
                thread::sleep(LOOK);
            }
        }
        Ok(process)
    }

    pub const fn pid(&self) -> Pid {
        self.group
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // There is nobody to tell if it has ended by itself.
        _ = killpg(self.group, Signal::SIGTERM);
        let begin = Instant::now();
        while begin.elapsed() < FAREWELL {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        _ = killpg(self.group, Signal::SIGKILL);
        _ = self.child.wait();
    }
}

/// An address that nobody listens at.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
