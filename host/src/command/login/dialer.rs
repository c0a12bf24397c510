use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsConnector;

use super::{
    address::{Address, Place},
    problem::Problem,
    tls::{TlsArgs, TlsError},
};
use crate::transport::exporter;

/// Octets in both directions, whatever carries them.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// A connection that is open.
pub struct Dialed {
    pub socket: Box<dyn Socket>,
    /// What both ends of its TLS know and nobody else: `tls-exporter` of RFC 9266.
    pub exporter: Option<[u8; 32]>,
}

/// A way to a router.
pub struct Dialer {
    pub address: Address,
    /// There is one if the address asks for TLS.
    tls: Option<TlsConnector>,
}

impl Dialer {
    pub fn new(address: Address, tls: &TlsArgs) -> Result<Self, TlsError> {
        let tls = if address.tls {
            Some(tls.connector()?)
        } else {
            tls.check_unused()?;
            None
        };
        Ok(Self { address, tls })
    }

    pub async fn dial(&self) -> Result<Dialed, Problem> {
        match &self.address.place {
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).await;
                Ok(Dialed::plain(stream.map_err(Problem::Unreachable)?))
            }
            Place::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port))
                    .await
                    .map_err(Problem::Unreachable)?;
                // Small messages go back and forth; without it they would wait for each other.
                let _ = stream.set_nodelay(true);
                match &self.tls {
                    None => Ok(Dialed::plain(stream)),
                    Some(tls) => {
                        let name = ServerName::try_from(host.clone())
                            .map_err(|_| Problem::NoName(host.clone()))?;
                        let stream = tls.connect(name, stream).await.map_err(Problem::from)?;
                        Ok(Dialed {
                            exporter: exporter(stream.get_ref().1),
                            socket: Box::new(stream),
                        })
                    }
                }
            }
        }
    }
}

impl Dialed {
    fn plain(socket: impl Socket + 'static) -> Self {
        Self {
            socket: Box::new(socket),
            exporter: None,
        }
    }
}
