use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::{Semaphore, SemaphorePermit},
};

use crate::{
    Component, Deployment, LONG_PATIENCE, Log, Router, Setup, log::Shown, router, soon, within,
};

/// A directory in which somebody writes methods, with the router's program at hand.
#[derive(Debug)]
pub struct Desk {
    directory: TempDir,
}

/// Compilers run for tens of seconds, and take gigabytes: two at a time.
static COMPILERS: Semaphore = Semaphore::const_new(2);

/// A program that goes on, such as `method dev`. It is killed when this is dropped.
#[derive(Debug)]
pub struct AtWork {
    pub log: Log,
    _process: Child,
    _shown: Shown,
}

/// One login by [`log_in`].
#[derive(Clone, Debug)]
pub struct OwnLogin<'a> {
    pub method: &'a str,
    pub authid: &'a str,
    /// A text, or an object: see `own_autobahn_python.py`.
    pub answer: Value,
    pub authextra: Value,
}

impl Desk {
    pub fn new() -> Self {
        static C: LazyLock<Setup<()>> = LazyLock::new(|| Setup::of(xtask::c_compiler()));
        C.get();
        Self {
            directory: TempDir::new().expect("a directory for the test"),
        }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Runs `countersign method` with these words. Returns whether it did what it should, and what it
    /// said.
    pub async fn method(&self, words: &str) -> (bool, String) {
        self.method_in(words, None).await
    }

    /// The same with nothing but this directory in PATH.
    pub async fn method_in(&self, words: &str, path: Option<&Path>) -> (bool, String) {
        let (status, said) = self.status_in(words, path).await;
        (status == 0, said)
    }

    /// The exit status, and what it said.
    pub async fn status(&self, words: &str) -> (i32, String) {
        self.status_in(words, None).await
    }

    async fn status_in(&self, words: &str, path: Option<&Path>) -> (i32, String) {
        let _turn = turn(words).await;
        let mut command = self.command(words);
        if let Some(path) = path {
            command.env("PATH", path).env_remove("WASI_SDK_PATH");
        }
        let output = within(LONG_PATIENCE, "the end of a command", command.output());
        let output = output.await.expect("a program");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.code().expect("no signal ended it"), said)
    }

    /// Starts `countersign method` with these words.
    pub fn start(&self, words: &str) -> AtWork {
        let mut process = self
            .command(words)
            .stderr(Stdio::piped())
            .spawn()
            .expect("a program");
        let log = Log::of(&mut process);
        let shown = Shown {
            name: "countersign method",
            log: log.clone(),
        };
        AtWork {
            log,
            _process: process,
            _shown: shown,
        }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(router::program());
        command
            .arg("method")
            .args(words.split(' '))
            .current_dir(self.directory.path())
            // What is downloaded is kept with what the other tests need.
            .env("XDG_CACHE_HOME", xtask::cache())
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Makes a project and builds it.
    pub async fn project(&self, language: &str, name: &str) -> Component {
        let (made, said) = self
            .method(&format!("new --language {language} {name}"))
            .await;
        assert!(made, "{said}");
        self.build(name).await
    }

    /// Copies one of `examples` here, and builds it.
    pub async fn example(&self, name: &str) -> Component {
        let from = xtask::root().join("examples").join(name);
        copy(&from, &self.path(name));
        let (renewed, said) = self.method(&format!("bindings {name}")).await;
        assert!(renewed, "{said}");
        self.build(name).await
    }

    /// Does what a document tells to be done in a shell: its blocks of `sh`, one after the other, with
    /// `countersign` in PATH. It must all go well.
    pub async fn follow(&self, document: &str) {
        let text = fs::read_to_string(xtask::root().join(document)).expect("a document of ours");
        let script: String = text
            .split("```sh\n")
            .skip(1)
            .filter_map(|block| block.split_once("```"))
            .map(|(block, _)| block)
            .collect();
        assert!(!script.is_empty(), "{document} has no commands");
        let programs = router::program().parent().expect("a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        let _turn = turn("build").await;
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-x", "-c", &script])
            .current_dir(self.directory.path())
            .env("XDG_CACHE_HOME", xtask::cache())
            .env("PATH", format!("{}:{path}", programs.display()))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = within(LONG_PATIENCE, "the end of what is told", shell.output());
        let output = output.await.expect("every Unix has sh");
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }

    /// Builds what is here.
    pub async fn build(&self, name: &str) -> Component {
        let (built, said) = self.method(&format!("build {name}")).await;
        assert!(built, "{said}");
        Component::new(fs::read(self.path(&format!("{name}/{name}.wasm"))).expect("a component"))
    }

    pub fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.path(file);
        let text = fs::read_to_string(&path).expect("a file of the project");
        assert!(text.contains(old), "{file} has no {old:?}");
        fs::write(path, text.replace(old, new)).expect("a file of the project");
    }

    /// Makes the environment of a Python project, in which its author has this package.
    pub async fn python_package(&self, project: &str, package: &str, text: &str) {
        let environment = self.path(project).join(".venv");
        let mut python = Command::new("python3");
        python
            .args(["-m", "venv", "--without-pip"])
            .arg(&environment);
        let status = soon("an environment", python.status()).await;
        assert!(status.expect("a program").success(), "no environment");
        let library = fs::read_dir(environment.join("lib")).expect("a directory of Python's");
        let version = library.flatten().next().expect("one of its version");
        let package = format!("{package}.py");
        let package = version.path().join("site-packages").join(package);
        fs::write(package, text).expect("a file for the test");
    }

    /// Makes a link, as the site of the example `magic-link` does.
    pub async fn magic_link(&self, authid: &str, secret: &str) -> String {
        let mut site = Command::new("node");
        site.arg(self.path("magic-link/link.mjs"))
            .args(["realm1", authid, "https://app.example/login"])
            .env("MAGIC_LINK_SECRET", secret);
        let output = soon("a link", site.output()).await.expect("a program");
        assert!(output.status.success(), "{output:?}");
        let link = String::from_utf8(output.stdout).expect("text");
        link.trim().to_owned()
    }

    /// A router with the realm of a project, and its component.
    pub async fn serve(&self, name: &str, component: &Component) -> Router {
        self.deploy(name, component).start().await
    }

    /// The same before it starts. The table is beside the component, so that the router serves it only if
    /// it is as the table says.
    pub fn deploy(&self, name: &str, component: &Component) -> Deployment {
        let deployment = Deployment::bare();
        // Much more than it takes where the router itself was compiled for speed.
        deployment.operator("[methods]\ncompile_time = \"10m\"\n");
        let table = fs::read_to_string(self.path(&format!("{name}/{name}.table.toml")));
        deployment.table(name, &table.expect("a file of the project"));
        let realm = fs::read_to_string(self.path(&format!("{name}/realm.toml")));
        deployment.realm("realm1", &realm.expect("a file of the project"));
        deployment.component(name, component);
        deployment
    }

    /// Tries a component by its table.
    pub async fn assert_passes(&self, name: &str) {
        let (good, said) = self.method(&format!("test {name}/{name}.wasm")).await;
        assert!(good && said.contains("attempts passed"), "{said}");
    }

    /// Puts a component through what every method must stand, its table among it.
    pub async fn assert_conforms(&self, name: &str) -> String {
        let (good, said) = self.method(&format!("conform {name}/{name}.wasm")).await;
        assert!(good, "{said}");
        assert!(said.contains("it says what its table expects"), "{said}");
        said
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// A build waits for its turn, the rest takes no time.
async fn turn(words: &str) -> Option<SemaphorePermit<'static>> {
    if !words.starts_with("build") {
        return None;
    }
    Some(COMPILERS.acquire().await.expect("it is never closed"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory for the test");
    for entry in fs::read_dir(from).expect("a directory of ours") {
        let entry = entry.expect("a directory of ours");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a file of ours").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file of ours");
        }
    }
}

/// Logs in by autobahn-python, and tells what came of each login.
pub async fn log_in(url: &str, logins: &[OwnLogin<'_>]) -> Vec<Value> {
    static PYTHON: LazyLock<Setup<xtask::Python>> =
        LazyLock::new(|| Setup::of(xtask::python_clients()));
    let logins: Vec<Value> = logins
        .iter()
        .map(|login| {
            json!({
                "method": login.method,
                "authid": login.authid,
                "answer": login.answer,
                "authextra": login.authextra,
            })
        })
        .collect();
    let program = xtask::root().join("tests/clients/own_autobahn_python.py");
    let mut client = Command::from(PYTHON.get().command(&program));
    client
        .arg(json!({ "url": url, "logins": logins }).to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = soon("what came of the logins", client.output()).await;
    let output = output.expect("a program");
    let said = String::from_utf8(output.stdout).expect("text");
    let outcomes: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(outcomes.len(), logins.len(), "{complaint}");
    outcomes
}
