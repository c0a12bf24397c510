//! Whatever a frame holds, reading it ends well: it is a message, or it is said to be none. What was
//! read is written in such a way that it is read as the same.
#![no_main]

use bytes::Bytes;
use countersign_wamp::{Message, Serializer};
use libfuzzer_sys::fuzz_target;

const SERIALIZERS: [Serializer; 3] = [Serializer::Json, Serializer::MsgPack, Serializer::Cbor];

/// As deep as the router reads before WELCOME.
const DEPTH: usize = 16;

fuzz_target!(|octets: &[u8]| {
    let Some((choice, frame)) = octets.split_first() else {
        return;
    };
    let serializer = SERIALIZERS[usize::from(*choice) % SERIALIZERS.len()];
    let frame = Bytes::copy_from_slice(frame);
    let Ok(message) = Message::decode(serializer, &frame, DEPTH) else {
        return;
    };
    // Octets are compared, since a NaN is not equal to itself.
    let written = message
        .encode(serializer)
        .expect("its own serialization can write it");
    let again = Message::decode(serializer, &written, DEPTH).expect("what we write we can read");
    assert_eq!(again.encode(serializer).expect("as before"), written);
});
