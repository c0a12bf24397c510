use std::{process::Stdio, sync::LazyLock};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{Log, Setup, log::Shown, soon};

/// Chromium with one page, driven by its `DevTools` protocol. It is killed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// The page.
    session: Option<String>,
    _process: Child,
    _profile: TempDir,
    _shown: Shown,
}

impl Browser {
    /// Opens a page, and waits until it is loaded.
    pub async fn open(url: &str) -> Self {
        let mut browser = Self::start().await;
        let made = browser
            .ask("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let page = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = browser.ask("Target.attachToTarget", page).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.ask("Page.enable", json!({})).await;
        browser.ask("Page.navigate", json!({ "url": url })).await;
        browser.event("Page.loadEventFired").await;
        browser
    }

    async fn start() -> Self {
        static PROGRAM: LazyLock<Setup<std::path::PathBuf>> =
            LazyLock::new(|| Setup::of(xtask::chromium()));
        let profile = TempDir::new().expect("a directory for the test");
        let mut process = Command::new(PROGRAM.get())
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync"])
            // A test's certificates are its own.
            .arg("--ignore-certificate-errors")
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Chromium starts");
        let log = Log::of(&mut process);
        let shown = Shown {
            name: "browser",
            log: log.clone(),
        };
        let listening = log.mention("DevTools listening on ").await;
        let address = listening.message().rsplit(' ').next().unwrap_or_default();
        let connected = soon("a browser", connect_async(address)).await;
        Self {
            socket: connected.expect("a WebSocket of the browser's").0,
            last_id: 0,
            session: None,
            _process: process,
            _profile: profile,
            _shown: shown,
        }
    }

    /// Plugs in an authenticator that does what its user would allow.
    pub async fn add_authenticator(&mut self) {
        self.ask("WebAuthn.enable", json!({})).await;
        let options = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let options = json!({ "options": options });
        self.ask("WebAuthn.addVirtualAuthenticator", options).await;
    }

    /// Runs JavaScript in the page, and waits for the promise that it is.
    pub async fn run(&mut self, script: &str) -> Value {
        let script = json!({
            "expression": script,
            "awaitPromise": true,
            "returnByValue": true,
            // What a click of the user's would allow.
            "userGesture": true,
        });
        let mut ran = self.ask("Runtime.evaluate", script).await;
        let thrown = &ran["exceptionDetails"];
        assert!(thrown.is_null(), "the page says: {thrown}");
        ran["result"]["value"].take()
    }

    /// Fills the page's form in, presses one of its buttons, and waits for what is said to it.
    pub async fn press(&mut self, button: &str, fields: &Value) -> Value {
        let script = format!(
            "new Promise((resolve) => {{
               const form = document.querySelector('form');
               for (const [name, value] of Object.entries({fields})) form.elements[name].value = value;
               const output = document.querySelector('output');
               const said = () => output.value !== '…' && (observer.disconnect(), resolve(output.value));
               const observer = new MutationObserver(said);
               observer.observe(output, {{ childList: true, characterData: true, subtree: true }});
               form.querySelector('[value={button}]').click();
             }})"
        );
        self.run(&script).await
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let sent = self.socket.send(Message::text(command.to_string())).await;
        sent.expect("the browser runs");
        let mut answer = self.message(|message| message["id"] == id).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].take()
    }

    async fn event(&mut self, method: &str) {
        self.message(|message| message["method"] == method).await;
    }

    async fn message(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = soon("a word of the browser's", self.socket.next()).await;
            let message = message
                .expect("the browser runs")
                .expect("the browser runs");
            let Message::Text(text) = message else {
                continue;
            };
            let message = serde_json::from_str(&text).expect("JSON");
            if wanted(&message) {
                return message;
            }
        }
    }
}
