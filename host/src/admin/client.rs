use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use thiserror::Error;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::UnixStream,
};

use super::{
    Request, Response,
    message::{self, LineError},
};

/// The longest answer, in octets: ten thousand realms with a few methods each.
const LONGEST: u64 = 64 << 20;

/// Why a router could not be asked.
#[derive(Debug, Error)]
pub enum AskError {
    #[error(
        "no router serves this directory: nothing listens at {}; start one with: countersign serve \
         --config {}", .socket.display(), .config.display()
    )]
    NoRouter { socket: PathBuf, config: PathBuf },
    #[error(
        "{}: only the user that the router runs as and root may ask it", .0.display()
    )]
    NotAllowed(PathBuf),
    #[error("{}: {error}", .socket.display())]
    Unreachable { socket: PathBuf, error: io::Error },
    #[error(
        "the router's answer cannot be used: {0}; is the router of the version of this command, \
         {version}?", version = env!("CARGO_PKG_VERSION")
    )]
    Answer(#[from] LineError),
    #[error(
        "the router is of version {0} and does not know what this command, of version {version}, \
         asks for; restart the router with the program of this command",
        version = env!("CARGO_PKG_VERSION")
    )]
    Older(String),
    #[error("{0}")]
    Refused(String),
}

/// Asks the router at this socket. `config` is the operator's file, for the advice where none runs.
pub async fn ask(socket: &Path, config: &Path, request: &Request) -> Result<Response, AskError> {
    let unreachable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => AskError::NoRouter {
            socket: socket.to_owned(),
            config: config.to_owned(),
        },
        ErrorKind::PermissionDenied => AskError::NotAllowed(socket.to_owned()),
        _ => AskError::Unreachable {
            socket: socket.to_owned(),
            error,
        },
    };
    let mut stream = UnixStream::connect(socket).await.map_err(unreachable)?;
    let line = message::line(request).map_err(LineError::NotJson)?;
    // A router that does not want to hear us may have said so and gone.
    _ = stream.write_all(&line).await;
    match message::read(BufReader::new(&mut stream), LONGEST).await? {
        Response::Refused(why) => Err(AskError::Refused(why)),
        Response::Unknown { version } => Err(AskError::Older(version)),
        response => Ok(response),
    }
}
