use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

/// Octets of a frame's header.
pub(super) const HEADER: usize = 4;

/// The longest frame. Its length has 25 bits, the first of them in the octet of the kind.
const LONGEST: usize = 1 << 24;

/// Octets of a buffer that a connection may keep for good.
pub(super) const ROOMY: usize = 64 << 10;

/// What RawSocket carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Message(Bytes),
    Ping(Bytes),
    Pong(Bytes),
}

/// Takes octets apart into frames, and puts frames together.
#[derive(Debug)]
pub struct Codec {
    /// Octets of a frame that comes in.
    takes: usize,
    /// Octets of a frame that the other end takes.
    sends: usize,
    heard: bool,
}

#[derive(Debug, Error)]
pub enum FrameError {
    #[error("a frame of more than {limit} octets")]
    TooLarge { limit: usize },
    #[error("a frame of a kind that does not exist")]
    NoSuchKind,
    #[error("a message of {length} octets, and the other end takes {limit}")]
    TooLong { length: usize, limit: usize },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Codec {
    pub const fn new(takes: usize, sends: usize) -> Self {
        Self {
            takes,
            sends,
            heard: false,
        }
    }

    pub const fn take_at_most(&mut self, octets: usize) {
        self.takes = octets;
    }

    /// Whether octets have come in since this was asked last.
    pub const fn has_heard(&mut self) -> bool {
        std::mem::replace(&mut self.heard, false)
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = FrameError;

    /// A frame is refused by its header. What waits for the rest of a frame is what has come of it,
    /// whatever its header says.
    fn decode(&mut self, octets: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        self.heard |= !octets.is_empty();
        let Some(header) = octets.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let (kind, length) = read(*header)?;
        if length > self.takes {
            return Err(FrameError::TooLarge { limit: self.takes });
        }
        if octets.len() - HEADER < length {
            return Ok(None);
        }
        octets.advance(HEADER);
        let payload = octets.split_to(length).freeze();
        if length > ROOMY {
            // Or the room for a large frame would stay with the connection.
            *octets = BytesMut::from(&octets[..]);
        }
        Ok(Some(kind(payload)))
    }
}

impl Encoder<Frame> for Codec {
    type Error = FrameError;

    fn encode(&mut self, frame: Frame, octets: &mut BytesMut) -> Result<(), FrameError> {
        let (kind, payload) = match frame {
            Frame::Message(payload) => (0, payload),
            Frame::Ping(payload) => (1, payload),
            Frame::Pong(payload) => (2, payload),
        };
        let (length, limit) = (payload.len(), self.sends.min(LONGEST));
        let header = match u32::try_from(length) {
            Ok(bits) if length <= limit => kind << 24 | bits_of(bits),
            _ => return Err(FrameError::TooLong { length, limit }),
        };
        octets.reserve(HEADER + length);
        octets.put_u32(header);
        octets.put(payload);
        Ok(())
    }
}

/// The length's bits where a header has them: of 2^24, the one bit is the lowest but three of the
/// octet before.
const fn bits_of(length: u32) -> u32 {
    (length & 0x0100_0000) << 3 | length & 0x00ff_ffff
}

/// What a payload makes of it.
type Kind = fn(Bytes) -> Frame;

fn read(header: [u8; HEADER]) -> Result<(Kind, usize), FrameError> {
    let [kind, high, middle, low] = header;
    let length = match (kind >> 3, u32::from_be_bytes([0, high, middle, low])) {
        (0, length) => length as usize,
        (1, 0) => LONGEST,
        _ => return Err(FrameError::NoSuchKind),
    };
    let kind = match kind & 0b111 {
        0 => Frame::Message,
        1 => Frame::Ping,
        2 => Frame::Pong,
        _ => return Err(FrameError::NoSuchKind),
    };
    Ok((kind, length))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    const LIMIT: usize = 1 << 10;

    fn codec() -> Codec {
        Codec::new(LIMIT, LIMIT)
    }

    fn written(frames: &[Frame]) -> BytesMut {
        let mut octets = BytesMut::new();
        for frame in frames {
            codec().encode(frame.clone(), &mut octets).unwrap();
        }
        octets
    }

    /// What comes of octets that arrive in these pieces.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<FrameError>) {
        let (mut codec, mut octets, mut frames) = (codec(), BytesMut::new(), Vec::new());
        for piece in pieces {
            octets.extend_from_slice(piece);
            loop {
                match codec.decode(&mut octets) {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                }
            }
        }
        (frames, None)
    }

    fn frame() -> impl Strategy<Value = Frame> {
        (0..3, vec(any::<u8>(), 0..LIMIT)).prop_map(|(kind, octets)| match kind {
            0 => Frame::Message(octets.into()),
            1 => Frame::Ping(octets.into()),
            _ => Frame::Pong(octets.into()),
        })
    }

    #[test]
    fn headers_are_as_specified() {
        for (frame, header) in [
            (Frame::Message(Bytes::from_static(b"[]")), [0, 0, 0, 2]),
            (Frame::Ping(Bytes::new()), [1, 0, 0, 0]),
            (Frame::Pong(vec![7; 0x102].into()), [2, 0, 1, 2]),
        ] {
            assert_eq!(written(&[frame])[..HEADER], header);
        }
    }

    /// 2^24 does not fit into 24 bits.
    #[test]
    fn the_longest_frame_has_a_bit_of_its_own() {
        let mut codec = Codec::new(LONGEST, LONGEST);
        let mut octets = BytesMut::new();
        let longest = Frame::Ping(vec![1; LONGEST].into());
        codec.encode(longest.clone(), &mut octets).unwrap();
        assert_eq!(octets[..HEADER], [0b1001, 0, 0, 0]);
        assert_eq!(codec.decode(&mut octets).unwrap(), Some(longest));
        assert!(octets.is_empty() && octets.capacity() < ROOMY);

        let longer = Frame::Ping(vec![1; LONGEST + 1].into());
        let refused = Codec::new(usize::MAX, usize::MAX).encode(longer, &mut octets);
        assert!(matches!(refused, Err(FrameError::TooLong { .. })));
        assert!(octets.is_empty());
    }

    #[test]
    fn what_is_reserved_is_refused() {
        for header in [[3, 0, 0, 0], [7, 0, 0, 0], [0x10, 0, 0, 0], [8, 0, 0, 1]] {
            let (frames, error) = read([&header[..]]);
            assert_eq!(frames, []);
            assert!(matches!(error, Some(FrameError::NoSuchKind)), "{header:?}");
        }
    }

    #[test]
    fn a_frame_is_refused_by_its_header() {
        let (frames, error) = read([&[0, 0, 4, 1][..]]);
        assert_eq!(frames, []);
        assert!(matches!(error, Some(FrameError::TooLarge { limit: LIMIT })));
    }

    /// Octets that were only announced cost nothing.
    #[test]
    fn what_is_announced_is_not_made_room_for() {
        let mut octets = BytesMut::from(&[0, 0xff, 0xff, 0xff, b'['][..]);
        let before = octets.capacity();
        let frame = Codec::new(LONGEST, LIMIT).decode(&mut octets).unwrap();
        assert_eq!((frame, octets.capacity()), (None, before));
    }

    #[test]
    fn what_the_other_end_does_not_take_is_not_sent() {
        let mut octets = BytesMut::new();
        let frame = Frame::Message(vec![0; LIMIT + 1].into());
        let refused = codec().encode(frame, &mut octets);
        assert!(matches!(
            refused,
            Err(FrameError::TooLong { length, limit }) if (length, limit) == (LIMIT + 1, LIMIT)
        ));
        assert!(octets.is_empty());
    }

    proptest! {
        #[test]
        fn any_octets_are_frames_or_an_error(octets in vec(any::<u8>(), 0..4 * LIMIT)) {
            read([&octets[..]]);
        }

        #[test]
        fn frames_are_the_same_in_any_pieces(
            frames in vec(frame(), 0..8),
            cuts in vec(any::<Index>(), 0..16),
        ) {
            let octets = written(&frames);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let (read, error) = read(cuts.windows(2).map(|cut| &octets[cut[0]..cut[1]]));
            prop_assert!(error.is_none());
            prop_assert_eq!(read, frames);
        }

        /// Nor may it depend on the pieces where the trouble is.
        #[test]
        fn one_wrong_octet_is_wrong_in_any_pieces(
            frames in vec(frame(), 1..8),
            place: Index,
            octet: u8,
        ) {
            let mut octets = written(&frames);
            let place = place.index(octets.len());
            octets[place] = octet;
            let (whole, one_by_one) = (read([&octets[..]]), read(octets.chunks(1)));
            prop_assert_eq!(whole.0, one_by_one.0);
            let shown = |error: Option<FrameError>| error.map(|error| error.to_string());
            prop_assert_eq!(shown(whole.1), shown(one_by_one.1));
        }
    }
}
