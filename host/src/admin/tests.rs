use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::*;
use crate::{
    config::EgressConfig,
    credential::{PasswordQueue, Sqlite, Vault},
    egress::Egress,
    method::Runtime,
    realm::Workshop,
};

fn serve() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let counter = Counter::bind(&directory.path().join("a.sock")).unwrap();
    tokio::spawn(counter.serve(desk(&directory)));
    directory
}

/// The desk of a router without realms.
fn desk(directory: &TempDir) -> Desk {
    let path = |name| directory.path().join(name);
    let store = Sqlite::open(path("credentials.db")).unwrap();
    let vault = Vault::open(Arc::new(store), PasswordQueue::default()).unwrap();
    let runtime = Arc::new(Runtime::new().unwrap());
    let egress = Arc::new(Egress::new(&EgressConfig::new(directory.path())).unwrap());
    let workshop = Workshop::new(runtime, vault, egress, path("methods"));
    Desk::new(Arc::default(), Arc::new(workshop), path("realms"))
}

/// Sends octets, and returns all that comes back.
async fn say(directory: &TempDir, octets: &[u8]) -> String {
    let mut stream = UnixStream::connect(directory.path().join("a.sock"))
        .await
        .unwrap();
    // A router that has heard enough does not take the rest.
    _ = stream.write_all(octets).await;
    _ = stream.shutdown().await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_request_is_answered() {
    let directory = serve();
    let socket = directory.path().join("a.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let response = ask(&socket, Path::new("x"), &Request::Methods { realm: None }).await;
    assert_eq!(response.unwrap(), Response::Methods(Vec::new()));
    let request = Request::Methods {
        realm: Some("acme".into()),
    };
    let refused = ask(&socket, Path::new("x"), &request).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "there is no realm \"acme\" in this router"
    );
}

#[tokio::test]
async fn what_is_not_known_is_answered_with_the_version() {
    let directory = serve();
    for request in ["{\"fly\":{}}\n", "\"methods\"\n", "17\n"] {
        let answer = say(&directory, request.as_bytes()).await;
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            answer,
            format!("{{\"unknown\":{{\"version\":\"{version}\"}}}}\n")
        );
    }
}

#[tokio::test]
async fn nonsense_is_refused() {
    let directory = serve();
    let too_long = vec![b'x'; 100_000];
    for (request, why) in [
        (&b"nonsense\n"[..], "not JSON"),
        (b"{\"methods\":{\"realm\":null}}", "before its end"),
        (b"", "before its end"),
        (&too_long, "longer than 65536 octets"),
    ] {
        let answer = say(&directory, request).await;
        assert!(
            answer.contains("refused") && answer.contains(why),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_socket_that_nobody_listens_on_is_replaced_and_another_router_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a socket outlives its program");
    let error = ask(
        &path,
        Path::new("c.toml"),
        &Request::Methods { realm: None },
    )
    .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no router serves this directory"), "{error}");
    assert!(
        error.contains("countersign serve --config c.toml"),
        "{error}"
    );

    let counter = Counter::bind(&path).unwrap();
    let error = Counter::bind(&path).unwrap_err().to_string();
    assert!(error.contains("another router running here?"), "{error}");
    drop(counter);
    assert!(!path.exists());
}
