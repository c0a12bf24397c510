use std::{fs, path::PathBuf, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// Serves some files to a browser, at a `localhost` of its own. It ends when this is dropped.
#[derive(Debug)]
pub struct Website {
    origin: String,
    task: JoinHandle<()>,
}

/// A file, by the name that it has in a URL.
type Files = Vec<(&'static str, PathBuf)>;

impl Website {
    /// By HTTP.
    pub async fn of(files: Files) -> Self {
        Self::serving(files, None).await
    }

    /// By HTTPS. The certificate and its key are files in PEM.
    pub async fn secure(files: Files, certificate: PathBuf, key: PathBuf) -> Self {
        let chain = CertificateDer::from_pem_file(certificate).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![chain], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a key of the certificate")));
        Self::serving(files, Some(acceptor)).await
    }

    async fn serving(files: Files, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a socket").port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let files = Arc::new(files);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, files) = (tls.clone(), Arc::clone(&files));
                // A browser opens connections that it does not use.
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => serve(tls.accept(stream).await.ok()?, &files).await,
                        None => serve(stream, &files).await,
                    }
                });
            }
        });
        Self {
            origin: format!("{scheme}://localhost:{port}"),
            task,
        }
    }

    /// As a browser writes it.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request. None if the browser has left.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, files: &Files) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request).await.ok()?;
    let mut line = String::from("…");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
    }
    let path = request.split(' ').nth(1)?.trim_start_matches('/');
    let file = files.iter().find(|(name, _)| *name == path);
    let (status, contents) = match file {
        Some((_, file)) => ("200 OK", fs::read(file).expect("a file of ours")),
        None => ("404 Not Found", Vec::new()),
    };
    let kind = match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript",
        _ => "text/html",
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        contents.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(&contents).await.ok()?;
    stream.shutdown().await.ok()
}
