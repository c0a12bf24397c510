//! A WebSocket client that costs little: it sends frames masked with zeros, which changes nothing,
//! and it takes from the server's frames only what it needs.

use std::{net::SocketAddr, str::FromStr};

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::frame::{self, Serializer};

/// The realm, and who is in it, in every server that is measured.
pub const REALM: &str = "bench";
pub const AUTHID: &str = "alice";
pub const SECRET: &str = "correct horse battery staple";

/// Where a router is.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub path: String,
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> Result<Self> {
        let rest = url
            .strip_prefix("ws://")
            .ok_or_else(|| anyhow!("an address is written as ws://127.0.0.1:8080/ws"))?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self {
            address: address.parse()?,
            path: format!("/{path}"),
        })
    }
}

/// The HTTP request that asks for a WebSocket.
pub fn upgrade(target: &Target, serializer: Serializer) -> Vec<u8> {
    format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {}\r\n\r\n",
        target.path,
        target.address,
        serializer.subprotocol()
    )
    .into_bytes()
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    serializer: Serializer,
    input: BytesMut,
    output: Vec<u8>,
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Client {
    pub async fn open(address: SocketAddr, upgrade: &[u8], serializer: Serializer) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            serializer,
            input: BytesMut::with_capacity(4096),
            output: Vec::with_capacity(1024),
        };
        client.stream.write_all(upgrade).await?;
        loop {
            client.read().await?;
            let end = client.input.windows(4).position(|part| part == b"\r\n\r\n");
            if let Some(end) = end {
                let status = client.input.get(..12).unwrap_or_default();
                ensure!(status == b"HTTP/1.1 101", "no WebSocket came about");
                client.input.advance(end + 4);
                return Ok(client);
            }
        }
    }

    /// Opens a session without proving anything.
    pub async fn join_anonymously(target: &Target, serializer: Serializer) -> Result<Self> {
        let mut client =
            Self::open(target.address, &upgrade(target, serializer), serializer).await?;
        client
            .send(&serializer.hello(REALM, "anonymous", None))
            .await?;
        client.expect(frame::WELCOME).await?;
        Ok(client)
    }

    /// Puts a message into the buffer, to be sent with the next flush.
    pub fn queue(&mut self, message: &[u8]) {
        let opcode = match self.serializer {
            Serializer::Json => TEXT,
            Serializer::MsgPack => BINARY,
        };
        self.queue_frame(opcode, message);
    }

    pub async fn flush(&mut self) -> Result<()> {
        self.stream.write_all(&self.output).await?;
        self.output.clear();
        Ok(())
    }

    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.queue(message);
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
        while let Some((opcode, content)) = self.received_frame() {
            match opcode {
                TEXT | BINARY => return Ok(Some(content)),
                PING => self.queue_frame(PONG, &content),
                PONG => {}
                _ => bail!("the server closed the connection"),
            }
        }
        Ok(None)
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

    /// Closes the WebSocket and waits until the server has closed the connection.
    pub async fn close(mut self) -> Result<()> {
        self.queue_frame(CLOSE, &1000_u16.to_be_bytes());
        self.flush().await?;
        loop {
            self.input.clear();
            // A server that does not wait for our end may have reset the connection.
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
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

    fn queue_frame(&mut self, opcode: u8, content: &[u8]) {
        const FINAL: u8 = 0x80;
        const MASKED: u8 = 0x80;
        let length = u16::try_from(content.len()).expect("the messages here are short");
        self.output.push(FINAL | opcode);
        match u8::try_from(length) {
            Ok(length @ 0..=125) => self.output.push(MASKED | length),
            _ => {
                self.output.push(MASKED | 126);
                self.output.extend(length.to_be_bytes());
            }
        }
        self.output.extend([0; 4]);
        self.output.extend_from_slice(content);
    }

    /// A frame that is here whole: its opcode and its content. Servers neither mask nor, at this
    /// size, fragment.
    fn received_frame(&mut self) -> Option<(u8, BytesMut)> {
        let (first, second) = (*self.input.first()?, *self.input.get(1)?);
        let (length, start) = match second {
            126 => {
                let length = self.input.get(2..4)?;
                (usize::from(u16::from_be_bytes(length.try_into().ok()?)), 4)
            }
            127 => {
                let length = self.input.get(2..10)?;
                let length = u64::from_be_bytes(length.try_into().ok()?);
                (usize::try_from(length).ok()?, 10)
            }
            length => (usize::from(length), 2),
        };
        if self.input.len() < start + length {
            return None;
        }
        self.input.advance(start);
        Some((first & 0x0f, self.input.split_to(length)))
    }
}
