use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader, copy, sink},
    net::UnixStream,
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{
    Desk, Response,
    message::{self, LineError},
};
use crate::transport::{UnixPeer, UnixSocket, own_user};

/// The longest request, in octets.
const LONGEST: u64 = 64 << 10;

/// Octets that are read, and dropped, of a request that is longer.
const MORE: u64 = 1 << 20;

/// How long a request may take to come, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that are worked on at one time. It is a person's or a script's way in, and no service.
const CALLERS: usize = 16;

/// How long nobody is heard after the system could not give a connection.
const BREATHER: Duration = Duration::from_millis(100);

/// Why the router takes no commands.
#[derive(Debug, Error)]
#[error(
    "cannot take the operator's commands at {}: {error}; is another router running here? Else name \
     another socket under [admin]", .socket.display()
)]
pub struct AdminError {
    socket: PathBuf,
    error: io::Error,
}

/// The socket where a router takes the operator's commands.
#[derive(Debug)]
pub struct Counter {
    socket: UnixSocket,
    user: u32,
    callers: Arc<Semaphore>,
}

impl Counter {
    pub fn bind(path: &Path) -> Result<Self, AdminError> {
        let bound = || {
            let socket = UnixSocket::bind(path)?;
            // Whoever connects before this is asked who it is all the same.
            socket.set_mode(0o600)?;
            Ok(Self {
                socket,
                user: own_user()?,
                callers: Arc::new(Semaphore::new(CALLERS)),
            })
        };
        bound().map_err(|error| AdminError {
            socket: path.to_owned(),
            error,
        })
    }

    /// Answers for as long as it is polled.
    pub async fn serve(self, desk: Desk) {
        let desk = Arc::new(desk);
        loop {
            let Ok(turn) = Arc::clone(&self.callers).acquire_owned().await else {
                return;
            };
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let (desk, is_allowed) = (Arc::clone(&desk), self.allows(&peer));
                    tokio::spawn(async move {
                        serve(stream, &peer, is_allowed, &desk).await;
                        drop(turn);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a command's connection could not be accepted");
                    sleep(BREATHER).await;
                }
            }
        }
    }

    /// Ours or root's.
    const fn allows(&self, peer: &UnixPeer) -> bool {
        peer.user == self.user || peer.user == 0
    }
}

async fn serve(mut stream: UnixStream, peer: &UnixPeer, is_allowed: bool, desk: &Desk) {
    let user = peer.user;
    let response = if is_allowed {
        match timeout(
            PATIENCE,
            message::read(BufReader::new(&mut stream), LONGEST),
        )
        .await
        {
            Ok(Ok(request)) => {
                tracing::info!(target: "admin", user, ?request, "the operator asks");
                desk.answer(request).await
            }
            Ok(Err(LineError::Unknown(error))) => {
                tracing::warn!(target: "admin", user, %error, "a request that is not known");
                Response::Unknown {
                    version: env!("CARGO_PKG_VERSION").into(),
                }
            }
            Ok(Err(error)) => Response::Refused(format!("the request cannot be read: {error}")),
            Err(_) => Response::Refused("no request came in time".into()),
        }
    } else {
        tracing::warn!(target: "admin", user, "a user who may not ask has asked");
        Response::Refused("only the user that the router runs as and root may ask it".into())
    };
    let Ok(line) = message::line(&response) else {
        return;
    };
    // A command that was broken off wants no answer.
    _ = timeout(PATIENCE, async {
        stream.write_all(&line).await?;
        stream.shutdown().await?;
        // Were the socket closed with octets unread, the answer could be lost with them.
        copy(&mut stream.take(MORE), &mut sink()).await
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_but_our_user_and_root_may_ask() {
        let directory = tempfile::tempdir().unwrap();
        let mut counter = Counter::bind(&directory.path().join("admin.sock")).unwrap();
        counter.user = 1000;
        let peer = |user| UnixPeer {
            user,
            group: 1000,
            process: None,
        };
        assert!(counter.allows(&peer(1000)));
        assert!(counter.allows(&peer(0)));
        assert!(!counter.allows(&peer(1001)));
    }
}
