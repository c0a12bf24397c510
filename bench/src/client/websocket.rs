//! A client's side of WebSocket. Frames are masked with zeros, which changes nothing.

use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};
use bytes::{Buf, BytesMut};

use super::{Frame, LONGEST};
use crate::frame::Serializer;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The HTTP request that asks for a WebSocket.
pub fn request(address: SocketAddr, path: &str, serializer: Serializer) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {}\r\n\r\n",
        serializer.subprotocol()
    )
    .into_bytes()
}

/// Takes the response, once it is here whole.
pub fn is_accepted(input: &mut BytesMut) -> Result<bool> {
    let Some(end) = input.windows(4).position(|part| part == b"\r\n\r\n") else {
        ensure!(input.len() <= LONGEST, "no WebSocket came about");
        return Ok(false);
    };
    ensure!(
        input.starts_with(b"HTTP/1.1 101"),
        "no WebSocket came about: {}",
        first_line(input)
    );
    input.advance(end + 4);
    Ok(true)
}

fn first_line(response: &[u8]) -> String {
    let line = response.split(|octet| *octet == b'\r').next();
    String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
}

/// What messages go in.
pub const fn opcode(serializer: Serializer) -> u8 {
    match serializer {
        Serializer::Json => TEXT,
        Serializer::MsgPack => BINARY,
    }
}

pub fn write(output: &mut Vec<u8>, opcode: u8, content: &[u8]) {
    const FINAL: u8 = 0x80;
    const MASKED: u8 = 0x80;
    output.push(FINAL | opcode);
    match (u8::try_from(content.len()), u16::try_from(content.len())) {
        (Ok(length @ 0..=125), _) => output.push(MASKED | length),
        (_, Ok(length)) => {
            output.push(MASKED | 126);
            output.extend(length.to_be_bytes());
        }
        _ => {
            output.push(MASKED | 127);
            output.extend((content.len() as u64).to_be_bytes());
        }
    }
    output.extend([0; 4]);
    output.extend_from_slice(content);
}

pub fn write_close(output: &mut Vec<u8>) {
    write(output, CLOSE, &1000_u16.to_be_bytes());
}

/// Takes the next frame, if it is here whole. Servers neither mask nor, at this size, fragment.
pub fn read(input: &mut BytesMut) -> Result<Option<Frame>> {
    let [first, second, rest @ ..] = &input[..] else {
        return Ok(None);
    };
    let (length, start) = match (second, rest) {
        (126, [high, low, ..]) => (u64::from(u16::from_be_bytes([*high, *low])), 4),
        (127, rest) => match rest.first_chunk() {
            Some(length) => (u64::from_be_bytes(*length), 10),
            None => return Ok(None),
        },
        (126, _) => return Ok(None),
        (0..126, _) => (u64::from(*second), 2),
        _ => bail!("the server masks its frames"),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    ensure!(length <= LONGEST, "a frame of {length} octets");
    if input.len() < start + length {
        return Ok(None);
    }
    let opcode = first & 0x0f;
    input.advance(start);
    let content = input.split_to(length);
    match opcode {
        TEXT | BINARY => Ok(Some(Frame::Message(content))),
        PING => Ok(Some(Frame::Ping(content))),
        PONG => Ok(Some(Frame::Pong)),
        CLOSE => bail!("the server closed the connection"),
        other => bail!("a frame of the opcode {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_same_in_any_pieces() {
        for length in [0, 125, 126, 0xffff, LONGEST] {
            let mut octets = vec![0x82];
            match length {
                0..126 => octets.push(u8::try_from(length).unwrap()),
                126..=0xffff => {
                    octets.push(126);
                    octets.extend(u16::try_from(length).unwrap().to_be_bytes());
                }
                _ => {
                    octets.push(127);
                    octets.extend((length as u64).to_be_bytes());
                }
            }
            octets.extend(vec![7; length]);
            octets.extend(b"\x8a\0");
            let message = Frame::Message(BytesMut::from(&vec![7; length][..]));
            for size in [1, 3, 1000, octets.len()] {
                let (mut input, mut frames) = (BytesMut::new(), Vec::new());
                for piece in octets.chunks(size) {
                    input.extend(piece);
                    frames.extend(read(&mut input).unwrap());
                }
                // The last piece may have had more than one.
                frames.extend(read(&mut input).unwrap());
                assert_eq!(frames.len(), 2, "{length} octets in pieces of {size}");
                assert!(frames[0] == message && frames[1] == Frame::Pong);
                assert!(input.is_empty());
            }
        }
    }

    #[test]
    fn what_cannot_be_taken_is_an_error() {
        for octets in [
            // Longer than any message here; so long that it has no end.
            &b"\x82\x7f\0\0\0\0\0\x01\0\x01"[..],
            b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
            // Masked, a fragment, the end.
            b"\x82\x81\0\0\0\0a",
            b"\x00\x01a",
            b"\x88\x02\x03\xe8",
        ] {
            assert!(read(&mut BytesMut::from(octets)).is_err(), "{octets:x?}");
        }
    }

    #[test]
    fn a_response_may_have_frames_behind_it() {
        let mut input = BytesMut::from(&b"HTTP/1.1 101 Switching"[..]);
        assert!(!is_accepted(&mut input).unwrap());
        input.extend(b" Protocols\r\n\r\n\x8a\0");
        assert!(is_accepted(&mut input).unwrap());
        assert_eq!(input, &b"\x8a\0"[..]);
        let refusal = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n";
        let mut input = BytesMut::from(&refusal[..]);
        let error = is_accepted(&mut input).unwrap_err().to_string();
        assert_eq!(error, "no WebSocket came about: HTTP/1.1 404 Not Found");
    }

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for length in [0, 125, 126, 0xffff, 0x1_0000] {
            let mut output = Vec::new();
            write(&mut output, TEXT, &vec![b'a'; length]);
            // Without the mask and what says that there is one: then it is a server's.
            let header = output.len() - length - 4;
            output.drain(header..header + 4);
            output[1] &= 0x7f;
            let message = Frame::Message(BytesMut::from(&vec![b'a'; length][..]));
            let mut input = BytesMut::from(&output[..]);
            assert_eq!(read(&mut input).unwrap(), Some(message));
        }
    }
}
