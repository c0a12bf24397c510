use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net,
    },
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use super::UnixPeer;

/// A Unix socket that listens. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    socket: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// Takes the place of a socket that nobody listens on any more.
    pub fn bind(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        Ok(Self {
            socket: UnixListener::bind(path)?,
            path: path.to_owned(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says who may connect, as `chmod` has it.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode))
    }

    /// The next connection, and the process that made it, as the kernel has it.
    pub async fn accept(&self) -> io::Result<(UnixStream, UnixPeer)> {
        let (stream, _) = self.socket.accept().await?;
        let peer = stream.peer_cred()?;
        let peer = UnixPeer {
            user: peer.uid(),
            group: peer.gid(),
            process: peer.pid().and_then(|id| id.try_into().ok()),
        };
        Ok((stream, peer))
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // Whoever comes first after us would remove it too.
        _ = fs::remove_file(&self.path);
    }
}

/// The user whose process this is, as the kernel tells it to whoever we connect to. Needs a tokio
/// runtime.
pub fn own_user() -> io::Result<u32> {
    let (ours, _theirs) = UnixStream::pair()?;
    Ok(ours.peer_cred()?.uid())
}

/// Removes a socket that nobody listens on: one outlives the program that made it.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    if is_socket && net::UnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    Ok(())
}
