//! A RawSocket from its first octet on: a handshake or a refusal, and then frames, which are the same
//! however their octets come in pieces, or an error.
#![no_main]

use bytes::BytesMut;
use countersign_fuzz::transport::rawsocket::{
    codec::{Codec, Frame},
    handshake::Handshake,
};
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::{Decoder, Encoder};

/// Octets of the longest frame.
const LONGEST: usize = 1 << 10;

fuzz_target!(|input: (usize, &[u8])| {
    let (piece, octets) = input;
    let Some((first, octets)) = octets.split_first_chunk::<4>() else {
        return;
    };
    match Handshake::of_client(*first) {
        Ok(handshake) => assert_eq!(handshake.octets(), *first),
        Err(error) => {
            _ = error.octets().map(Handshake::of_router);
            return;
        }
    }
    let whole = read([octets]);
    let pieces = read(octets.chunks(1 + piece % (octets.len() + 1)));
    assert_eq!(pieces, whole);
    let mut written = BytesMut::new();
    for frame in &whole.0 {
        let mut codec = Codec::new(LONGEST, LONGEST);
        codec
            .encode(frame.clone(), &mut written)
            .expect("it came so");
    }
    assert!(octets.starts_with(&written));
});

/// The frames, and why there are no more.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<String>) {
    let (mut codec, mut octets) = (Codec::new(LONGEST, LONGEST), BytesMut::new());
    let mut frames = Vec::new();
    for piece in pieces {
        octets.extend_from_slice(piece);
        loop {
            match codec.decode(&mut octets) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
    }
    (frames, None)
}
