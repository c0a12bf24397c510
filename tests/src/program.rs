use std::{path::PathBuf, process::Stdio, sync::LazyLock};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{Log, Router, Setup, log::Shown, soon};

/// A program in `tests/clients` that uses somebody's WAMP library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    AutobahnPython,
    AutobahnJs,
    WampyJs,
    /// The one for Python. It answers one CHALLENGE and announces one method, as its relatives in
    /// Go, JavaScript and Rust do.
    Xconn,
    /// A dynamic authenticator for Crossbar, by autobahn-python: no client, and not among
    /// [`Program::ALL`].
    Authenticator,
}

/// What such a program is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// `tour`, `host`, `visit` or `idle`: see the programs.
    pub scenario: &'a str,
    pub method: &'a str,
    /// `json`, `msgpack` or `cbor`.
    pub serializer: &'a str,
    pub authid: &'a str,
    pub secret: &'a str,
}

/// A program at work.
#[derive(Debug)]
pub struct Running {
    program: Program,
    lines: Lines<BufReader<ChildStdout>>,
    /// Killed when this is dropped.
    _process: Child,
    _shown: Shown,
}

impl Program {
    pub const ALL: [Self; 4] = [
        Self::AutobahnPython,
        Self::AutobahnJs,
        Self::WampyJs,
        Self::Xconn,
    ];

    /// Whether it keeps the method that WELCOME names.
    pub fn keeps_authmethod(self) -> bool {
        self != Self::Xconn
    }

    /// Does some jobs, one after the other, and returns what came of each.
    pub async fn run(self, router: &Router, jobs: &[Job<'_>]) -> Vec<Value> {
        self.run_at(router.url(), jobs).await
    }

    /// The same at a URL, which can be one for RawSocket or, by xconn, for a Unix socket.
    pub async fn run_at(self, url: &str, jobs: &[Job<'_>]) -> Vec<Value> {
        let mut running = self.start_at(url, jobs);
        let mut outcomes = Vec::new();
        for _ in jobs {
            outcomes.push(running.line().await);
        }
        outcomes
    }

    /// Starts on some jobs.
    pub fn start(self, router: &Router, jobs: &[Job]) -> Running {
        self.start_at(router.url(), jobs)
    }

    /// The same at a URL, which can be one for RawSocket.
    pub fn start_at(self, url: &str, jobs: &[Job]) -> Running {
        let jobs: Vec<Value> = jobs.iter().copied().map(Job::to_json).collect();
        self.ordered(&json!({ "url": url, "jobs": jobs }))
    }

    /// Starts what is there for a realm, and says so by its first line.
    pub fn serve(self, router: &Router, realm: &str) -> Running {
        self.ordered(&json!({ "url": router.url(), "realm": realm }))
    }

    fn ordered(self, order: &Value) -> Running {
        let mut process = self
            .command()
            .arg(order.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let output = process
            .stdout
            .take()
            .expect("its standard output is a pipe");
        let shown = Shown {
            name: "client",
            log: Log::of(&mut process),
        };
        Running {
            program: self,
            lines: BufReader::new(output).lines(),
            _process: process,
            _shown: shown,
        }
    }

    fn command(self) -> Command {
        static PYTHON: LazyLock<Setup<xtask::Python>> =
            LazyLock::new(|| Setup::of(xtask::python_clients()));
        static NODE: LazyLock<Setup<xtask::Node>> =
            LazyLock::new(|| Setup::of(xtask::node_clients()));
        let command = match self {
            Self::AutobahnPython => PYTHON.get().command(&file("autobahn_python.py")),
            Self::Xconn => PYTHON.get().command(&file("xconn_python.py")),
            Self::Authenticator => PYTHON.get().command(&file("authenticator.py")),
            Self::AutobahnJs => NODE
                .get()
                .command(&file("autobahn_js.mjs"))
                .expect("a file of ours"),
            Self::WampyJs => NODE
                .get()
                .command(&file("wampy_js.mjs"))
                .expect("a file of ours"),
        };
        command.into()
    }
}

fn file(name: &str) -> PathBuf {
    xtask::root().join("tests/clients").join(name)
}

impl Running {
    /// The next line that it prints.
    pub async fn line(&mut self) -> Value {
        let line = soon("a line of a client's", self.lines.next_line())
            .await
            .expect("text");
        let line = line.unwrap_or_else(|| panic!("{:?} ended early", self.program));
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{:?} says {line}", self.program))
    }
}

impl Job<'_> {
    fn to_json(self) -> Value {
        let Self {
            scenario,
            method,
            serializer,
            authid,
            secret,
        } = self;
        json!({
            "scenario": scenario,
            "method": method,
            "serializer": serializer,
            "authid": authid,
            "secret": secret,
        })
    }
}
