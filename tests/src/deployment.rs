use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use xtask::Identity;

use crate::{Component, Router, components, router, soon};

/// A directory with all that a router needs. It is gone when this is dropped.
#[derive(Debug)]
pub struct Deployment {
    directory: TempDir,
}

impl Deployment {
    /// The demo as it is in `examples/demo`, on a port of its own, with Alice in it.
    pub fn demo() -> Self {
        let deployment = Self::bare();
        let demo = xtask::root().join("examples/demo");
        let realm = fs::read_to_string(demo.join("realms/realm1.toml")).expect("a file of ours");
        deployment.realm("realm1", &realm);
        for (name, component) in &components().methods {
            deployment.component(name, component);
        }
        for identity in xtask::alice(&components().alices_key) {
            deployment.enrol(&identity);
        }
        deployment
    }

    /// A router without realms, methods and credentials.
    pub fn bare() -> Self {
        let deployment = Self {
            directory: TempDir::new().expect("a directory for the test"),
        };
        for directory in ["realms", "methods"] {
            fs::create_dir(deployment.path(directory)).expect("a directory for the test");
        }
        deployment.operator("");
        deployment
    }

    /// Writes `countersign.toml`: a listener on any free port, then this.
    pub fn operator(&self, more: &str) {
        let listener = "[[listener]]\naddress = \"127.0.0.1:0\"\n";
        self.put("countersign.toml", format!("{listener}{more}").as_bytes());
    }

    /// Writes `countersign.toml` with this `[[listener]]`, which need not be on the network.
    pub fn listener(&self, listener: &str) {
        self.put(
            "countersign.toml",
            format!("[[listener]]\n{listener}").as_bytes(),
        );
    }

    /// Writes the file of a realm.
    pub fn realm(&self, name: &str, text: &str) {
        self.put(&format!("realms/{name}.toml"), text.as_bytes());
    }

    /// Writes the file of a method's component.
    pub fn component(&self, name: &str, component: &Component) {
        self.put(&format!("methods/{name}.wasm"), component.octets());
    }

    /// Writes a component's file where no realm looks for it.
    pub fn beside(&self, name: &str, component: &Component) -> PathBuf {
        self.put(name, component.octets());
        self.path(name)
    }

    /// Writes any other file.
    pub fn file(&self, name: &str, text: &str) {
        self.put(name, text.as_bytes());
    }

    /// Writes the file of a realm's secret for requests.
    pub fn secret(&self, realm: &str, name: &str, contents: &str) {
        let directory = self.path(&format!("secrets/{realm}"));
        fs::create_dir_all(directory).expect("a directory for the test");
        self.put(&format!("secrets/{realm}/{name}"), contents.as_bytes());
    }

    /// Gives somebody a credential.
    pub fn enrol(&self, identity: &Identity) {
        let enrolled = xtask::enrol(router::program(), &self.config(), identity);
        enrolled.expect("a valid credential");
    }

    /// Runs a router here, and waits until it listens.
    pub async fn start(self) -> Router {
        Router::start(self).await
    }

    /// Runs one whose log has everything in it that this filter lets through.
    pub async fn start_with_log(self, filter: &str) -> Router {
        Router::start_with_log(self, filter).await
    }

    /// Runs one from a shell that lets a program have so many descriptors, unless it asks for more.
    pub async fn start_with_descriptors(self, most: u32) -> Router {
        Router::start_with_descriptors(self, most).await
    }

    /// Runs a router that cannot start here. Returns what it says.
    pub async fn start_in_vain(&self) -> String {
        let mut command = router::command(&self.config());
        let output = soon("an end of the router", command.output())
            .await
            .expect("a program");
        assert!(!output.status.success(), "it ended well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Has the configuration and the components looked at. Returns whether all is well, and what
    /// was said.
    pub async fn check(&self) -> (bool, String) {
        self.command("check", "").await
    }

    /// Runs `countersign credential` with these words. Returns whether it did what it should, and
    /// what it said.
    pub async fn credential(&self, words: &str) -> (bool, String) {
        self.command("credential", words).await
    }

    /// The same for `countersign method`. Files are named as from the directory of the components.
    pub async fn method(&self, words: &str) -> (bool, String) {
        self.command("method", words).await
    }

    /// The same, with the exit status.
    pub async fn method_status(&self, words: &str) -> (i32, String) {
        self.status("method", words).await
    }

    /// The same for `countersign session`.
    pub async fn session(&self, words: &str) -> (bool, String) {
        self.command("session", words).await
    }

    async fn command(&self, command: &str, words: &str) -> (bool, String) {
        let (status, said) = self.status(command, words).await;
        (status == 0, said)
    }

    async fn status(&self, command: &str, words: &str) -> (i32, String) {
        let mut process = tokio::process::Command::new(router::program());
        process.args([command, "--config"]).arg(self.config());
        process.args(words.split_whitespace());
        process.current_dir(self.path("methods"));
        process.env("XDG_CACHE_HOME", self.path("author"));
        let output = soon("an end of the command", process.output())
            .await
            .expect("a program");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.code().expect("no signal ended it"), said)
    }

    /// Writes the table of a method, beside its component.
    pub fn table(&self, name: &str, text: &str) {
        self.put(&format!("methods/{name}.table.toml"), text.as_bytes());
    }

    /// The file that the router is started with.
    pub fn config(&self) -> PathBuf {
        self.path("countersign.toml")
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Writes beside the file, then renames.
    fn put(&self, file: &str, contents: &[u8]) {
        let path: &Path = &self.path(file);
        xtask::put(path, contents).expect("a file in a directory of ours");
    }
}
