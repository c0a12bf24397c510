//! RawSocket: four octets each way, then frames with a header of four octets each.

use anyhow::{Result, bail, ensure};
use bytes::{Buf, BytesMut};

use super::{Frame, LONGEST};
use crate::frame::Serializer;

/// What both ends start with.
const MAGIC: u8 = 0x7f;

/// Octets of the handshake, and of a frame's header.
const HEADER: usize = 4;

/// The exponent of what we take, from 512 octets on.
const LENGTH: u8 = 7;

const _: () = assert!(
    512 << LENGTH == LONGEST,
    "what is announced is what is taken"
);

pub const MESSAGE: u8 = 0;
const PING: u8 = 1;
pub const PONG: u8 = 2;

/// What a client says first.
pub const fn handshake(serializer: Serializer) -> [u8; HEADER] {
    [MAGIC, LENGTH << 4 | number(serializer), 0, 0]
}

const fn number(serializer: Serializer) -> u8 {
    match serializer {
        Serializer::Json => 1,
        Serializer::MsgPack => 2,
    }
}

/// Takes the answer, once it is here whole. How long a message the server takes is not looked at: it
/// is 512 octets at least, and ours are shorter.
pub fn is_accepted(input: &mut BytesMut, serializer: Serializer) -> Result<bool> {
    let Some(answer) = input.first_chunk::<HEADER>() else {
        return Ok(false);
    };
    match *answer {
        [MAGIC, answer, 0, 0] if answer & 0x0f == number(serializer) => {}
        [MAGIC, error, ..] if error & 0x0f == 0 => {
            let why = match error >> 4 {
                1 => "it does not know the serializer",
                2 => "it does not accept the length of messages",
                3 => "it has a meaning for reserved bits",
                4 => "it has too many connections",
                _ => "it does not say why",
            };
            bail!("no RawSocket came about: {why}");
        }
        other => bail!("no RawSocket came about: the server said {other:02x?}"),
    }
    input.advance(HEADER);
    Ok(true)
}

pub fn write(output: &mut Vec<u8>, kind: u8, content: &[u8]) -> Result<()> {
    let length = content.len();
    ensure!(length <= LONGEST, "a frame of {length} octets");
    let length = u32::try_from(length)?;
    output.extend((u32::from(kind) << 24 | length).to_be_bytes());
    output.extend_from_slice(content);
    Ok(())
}

/// Takes the next frame, if it is here whole.
pub fn read(input: &mut BytesMut) -> Result<Option<Frame>> {
    let Some([kind, high, middle, low]) = input.first_chunk::<HEADER>().copied() else {
        return Ok(None);
    };
    ensure!(kind <= PONG, "a frame of the kind {kind}");
    let length = u32::from_be_bytes([0, high, middle, low]) as usize;
    ensure!(length <= LONGEST, "a frame of {length} octets");
    if input.len() < HEADER + length {
        return Ok(None);
    }
    input.advance(HEADER);
    let content = input.split_to(length);
    Ok(Some(match kind {
        MESSAGE => Frame::Message(content),
        PING => Frame::Ping(content),
        _ => Frame::Pong,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_as_specified() {
        assert_eq!(handshake(Serializer::Json), [0x7f, 0x71, 0, 0]);
        assert_eq!(handshake(Serializer::MsgPack), [0x7f, 0x72, 0, 0]);
    }

    #[test]
    fn the_answer_may_come_in_pieces_and_with_frames_behind_it() {
        let mut input = BytesMut::from(&[0x7f, 0xf2][..]);
        assert!(!is_accepted(&mut input, Serializer::MsgPack).unwrap());
        input.extend([0, 0, 2, 0]);
        assert!(is_accepted(&mut input, Serializer::MsgPack).unwrap());
        assert_eq!(input, &[2, 0][..]);
    }

    #[test]
    fn whoever_does_not_agree_says_why() {
        for (answer, why) in [
            ([0x7f, 0x10, 0, 0], "serializer"),
            ([0x7f, 0x40, 0, 0], "connections"),
            ([0x7f, 0x90, 0, 0], "does not say"),
            // Another serializer than was asked for; reserved bits; HTTP.
            ([0x7f, 0xf2, 0, 0], "7f, f2"),
            ([0x7f, 0xf1, 0, 1], "7f, f1"),
            (*b"HTTP", "48, 54"),
        ] {
            let mut input = BytesMut::from(&answer[..]);
            let error = is_accepted(&mut input, Serializer::Json).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn frames_are_the_same_in_any_pieces() {
        let mut octets = Vec::new();
        write(&mut octets, MESSAGE, b"[]").unwrap();
        write(&mut octets, PING, &[7; 0x102]).unwrap();
        write(&mut octets, PONG, b"").unwrap();
        assert_eq!(octets[..6], *b"\0\0\0\x02[]");
        assert_eq!(octets[6..10], [1, 0, 1, 2]);
        let frames = [
            Frame::Message(BytesMut::from(&b"[]"[..])),
            Frame::Ping(BytesMut::from(&[7; 0x102][..])),
            Frame::Pong,
        ];
        for size in [1, 3, 5, octets.len()] {
            let (mut input, mut read_frames) = (BytesMut::new(), Vec::new());
            for piece in octets.chunks(size) {
                input.extend(piece);
                while let Some(frame) = read(&mut input).unwrap() {
                    read_frames.push(frame);
                }
            }
            assert_eq!(read_frames, frames, "pieces of {size}");
            assert!(input.is_empty());
        }
    }

    #[test]
    fn a_frame_is_refused_by_its_header() {
        // A kind that is reserved, reserved bits, the bit of the longest frame, and what is longer
        // than was announced.
        for header in [[3, 0, 0, 0], [0x10, 0, 0, 0], [8, 0, 0, 0], [0, 1, 0, 1]] {
            assert!(read(&mut BytesMut::from(&header[..])).is_err());
        }
        assert!(write(&mut Vec::new(), PONG, &vec![0; LONGEST + 1]).is_err());
    }
}
