//! A client that costs little: it puts frames together beforehand or in place, and takes from the
//! server's frames only what it needs.

mod rawsocket;
mod target;
mod websocket;

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub use self::target::{Target, Transport};
use crate::frame::{self, Serializer};

/// The realm, and who is in it, in every server that is measured.
pub const REALM: &str = "bench";
pub const AUTHID: &str = "alice";
pub const SECRET: &str = "correct horse battery staple";

/// Octets of a frame that is taken. All that is asked for here is answered by less.
const LONGEST: usize = 64 << 10;

/// Opens connections to one server, all of which begin with the same octets.
#[derive(Clone, Debug)]
pub struct Dialer {
    address: SocketAddr,
    transport: Transport,
    serializer: Serializer,
    greeting: Vec<u8>,
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    transport: Transport,
    serializer: Serializer,
    input: BytesMut,
    output: Vec<u8>,
}

/// What came in one frame.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Message(BytesMut),
    /// It is to be answered by a PONG with the same content.
    Ping(BytesMut),
    Pong,
}

impl Dialer {
    pub fn new(target: &Target, serializer: Serializer) -> Self {
        let greeting = match target {
            Target::WebSocket { address, path } => websocket::request(*address, path, serializer),
            Target::RawSocket { .. } => rawsocket::handshake(serializer).into(),
        };
        Self {
            address: target.address(),
            transport: target.transport(),
            serializer,
            greeting,
        }
    }

    pub async fn dial(&self) -> Result<Client> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut client = Client {
            stream,
            transport: self.transport,
            serializer: self.serializer,
            input: BytesMut::with_capacity(4096),
            output: Vec::with_capacity(1024),
        };
        client.stream.write_all(&self.greeting).await?;
        while !client.is_welcome()? {
            client.read().await?;
        }
        Ok(client)
    }
}

impl Client {
    /// Opens a session without proving anything.
    pub async fn join_anonymously(target: &Target, serializer: Serializer) -> Result<Self> {
        let mut client = Dialer::new(target, serializer).dial().await?;
        client
            .send(&serializer.hello(REALM, "anonymous", None))
            .await?;
        client.expect(frame::WELCOME).await?;
        Ok(client)
    }

    /// Puts a message into the buffer, to be sent with the next flush.
    pub fn queue(&mut self, message: &[u8]) -> Result<()> {
        match self.transport {
            Transport::WebSocket => {
                let opcode = websocket::opcode(self.serializer);
                websocket::write(&mut self.output, opcode, message);
                Ok(())
            }
            Transport::RawSocket => rawsocket::write(&mut self.output, rawsocket::MESSAGE, message),
        }
    }

    pub async fn flush(&mut self) -> Result<()> {
        self.stream.write_all(&self.output).await?;
        self.output.clear();
        Ok(())
    }

    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.queue(message)?;
        self.flush().await
    }

    /// The next message; waits for it.
    pub async fn receive(&mut self) -> Result<BytesMut> {
        loop {
            if let Some(message) = self.received()? {
                return Ok(message);
            }
            if !self.output.is_empty() {
                self.flush().await?;
            }
            self.read().await?;
        }
    }

    /// The next message, if it is here already.
    pub fn received(&mut self) -> Result<Option<BytesMut>> {
        loop {
            let frame = match self.transport {
                Transport::WebSocket => websocket::read(&mut self.input)?,
                Transport::RawSocket => rawsocket::read(&mut self.input)?,
            };
            match frame {
                None => return Ok(None),
                Some(Frame::Message(message)) => return Ok(Some(message)),
                Some(Frame::Ping(content)) => self.queue_pong(&content)?,
                Some(Frame::Pong) => {}
            }
        }
    }

    /// Waits for a message of this kind, which must be the next.
    pub async fn expect(&mut self, code: u64) -> Result<BytesMut> {
        let message = self.receive().await?;
        ensure!(
            self.serializer.code(&message) == Some(code),
            "not a message of code {code}: {}",
            String::from_utf8_lossy(&message)
        );
        Ok(message)
    }

    /// Says that nothing more will come, and waits until the server has closed the connection.
    pub async fn close(mut self) -> Result<()> {
        if self.transport == Transport::WebSocket {
            websocket::write_close(&mut self.output);
        }
        self.flush().await?;
        if self.transport == Transport::RawSocket {
            // It has no frame for this: the end of what is sent says the same. An error is the
            // server's own end, which was there first.
            _ = self.stream.shutdown().await;
        }
        loop {
            self.input.clear();
            // A server that does not wait for our end may have reset the connection.
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    /// Whether the server has agreed to the transport. Waits for nothing.
    fn is_welcome(&mut self) -> Result<bool> {
        match self.transport {
            Transport::WebSocket => websocket::is_accepted(&mut self.input),
            Transport::RawSocket => rawsocket::is_accepted(&mut self.input, self.serializer),
        }
    }

    fn queue_pong(&mut self, content: &[u8]) -> Result<()> {
        match self.transport {
            Transport::WebSocket => {
                websocket::write(&mut self.output, websocket::PONG, content);
                Ok(())
            }
            Transport::RawSocket => rawsocket::write(&mut self.output, rawsocket::PONG, content),
        }
    }

    async fn read(&mut self) -> Result<()> {
        self.input.reserve(4096);
        let read = self.stream.read_buf(&mut self.input).await;
        ensure!(
            read.context("the connection broke")? > 0,
            "the server is gone"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests;
