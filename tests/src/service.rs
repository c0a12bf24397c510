use std::{net::SocketAddr, sync::Arc};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

use crate::soon;

/// An HTTP service on this machine that answers as a test wants it to, and remembers what it was
/// asked. It is gone when this is dropped.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    asked: Mutex<mpsc::UnboundedReceiver<Asked>>,
    serving: JoinHandle<()>,
}

/// What a service was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// E.g. `POST /login HTTP/1.1`.
    pub line: String,
    /// The names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What a service says to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// These octets, and the end of the connection.
    Octets(Vec<u8>),
    /// Nothing, for as long as the other side likes to wait.
    Silence,
}

impl Service {
    /// `answer` is called for each request.
    pub async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let (sender, asked) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, answer) = (sender.clone(), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, sender, &*answer).await });
            }
        });
        Self {
            address,
            asked: Mutex::new(asked),
            serving,
        }
    }

    /// One that says the same to everyone.
    pub async fn that_says(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    /// E.g. `http://127.0.0.1:49152`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the next request.
    pub async fn asked(&self) -> Asked {
        let mut asked = self.asked.lock().await;
        soon("a request", asked.recv()).await.expect("it serves")
    }

    /// Whether there was no request but those that have been looked at.
    pub async fn was_left_alone(&self) -> bool {
        self.asked.lock().await.try_recv().is_err()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        headers
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value)
    }
}

impl Reply {
    pub fn json(value: &Value) -> Self {
        Self::text("200 OK", "application/json", &value.to_string())
    }

    pub fn text(status: &str, content_type: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}"
        );
        Self::Octets(format!("{head}\r\n\r\n{body}").into())
    }

    pub fn redirect(to: &str) -> Self {
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
        Self::Octets(head.into())
    }
}

/// A connection that breaks off was not worth an answer.
async fn serve(
    stream: TcpStream,
    sender: mpsc::UnboundedSender<Asked>,
    answer: &(dyn Fn(&Asked) -> Reply + Send + Sync),
) {
    let mut stream = BufReader::new(stream);
    let Some(asked) = read(&mut stream).await else {
        return;
    };
    let reply = answer(&asked);
    _ = sender.send(asked);
    match reply {
        Reply::Octets(octets) => _ = stream.write_all(&octets).await,
        Reply::Silence => _ = stream.read_u8().await,
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let line = lines.next()?;
    let headers: Vec<_> = lines
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let mut asked = Asked {
        line,
        headers,
        body: Vec::new(),
    };
    asked.body = vec![0; asked.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut asked.body).await.ok()?;
    Some(asked)
}
