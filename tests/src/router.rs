use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use tokio::process::{Child, Command};

use crate::{Deployment, Log, Setup, log::Shown, soon};

/// A router that runs: the real program in a process of its own. It is killed when this is dropped.
#[derive(Debug)]
pub struct Router {
    pub deployment: Deployment,
    pub log: Log,
    url: String,
    process: Child,
    _shown: Shown,
}

/// The router's program, built when it is asked for first.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: LazyLock<Setup<PathBuf>> = LazyLock::new(|| Setup::of(xtask::router()));
    PROGRAM.get()
}

/// What serves a configuration.
pub(crate) fn command(config: &Path) -> Command {
    serving(Command::new(program()), config)
}

/// The same, of a program that becomes the router.
fn serving(mut command: Command, config: &Path) -> Command {
    command
        .args(["serve", "--log-format", "json", "--config"])
        .arg(config)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Router {
    pub(crate) async fn start(deployment: Deployment) -> Self {
        let command = command(&deployment.config());
        Self::run(deployment, command).await
    }

    /// With a log that has as much in it as the filter lets through.
    pub(crate) async fn start_with_log(deployment: Deployment, filter: &str) -> Self {
        let mut command = command(&deployment.config());
        command.env("RUST_LOG", filter);
        Self::run(deployment, command).await
    }

    /// From a shell that lets a program have so many descriptors, unless it asks for more.
    pub(crate) async fn start_with_descriptors(deployment: Deployment, most: u32) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -Sn {most} && exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(program());
        let command = serving(shell, &deployment.config());
        Self::run(deployment, command).await
    }

    async fn run(deployment: Deployment, mut command: Command) -> Self {
        let mut process = command.spawn().expect("the router starts");
        let log = Log::of(&mut process);
        let shown = Shown {
            name: "router",
            log: log.clone(),
        };
        let listening = log.compiled("listening").await;
        let url = format!(
            "ws://{}{}",
            listening.text("address"),
            listening.text("path")
        );
        Self {
            deployment,
            log,
            url,
            process,
            _shown: shown,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same as host and port.
    pub fn address(&self) -> &str {
        let address = self.url.trim_start_matches("ws://");
        address
            .split_once('/')
            .map_or(address, |(address, _)| address)
    }

    /// Where it listens for RawSocket.
    pub fn rawsocket_url(&self) -> String {
        format!("rs://{}", self.address())
    }

    /// The most memory that it has had, in octets.
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory that it has now, in octets.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, line: &str) -> u64 {
        let process = self.process.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
        let peak = status
            .lines()
            .find_map(|it| it.strip_prefix(line))
            .expect("such a line");
        let kilobytes: u64 = peak
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number");
        kilobytes << 10
    }

    /// Ends it without a warning, as `kill -9` does.
    pub async fn kill(mut self) -> Deployment {
        self.process.kill().await.expect("it runs");
        self.deployment
    }

    /// Presses Ctrl-C, and returns at once.
    pub fn interrupt(&self) {
        let process = self.process.id().expect("it runs").to_string();
        let status = std::process::Command::new("kill")
            .args(["-INT", &process])
            .status();
        assert!(status.expect("every Unix has kill").success(), "it runs");
    }

    /// Waits until it has ended of itself.
    pub async fn ended(mut self) -> Deployment {
        let status = soon("the router's end", self.process.wait())
            .await
            .expect("a process of ours");
        assert!(status.success(), "the router ended with {status}");
        self.deployment
    }
}
