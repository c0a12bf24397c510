//! Arguments that one client sends reach clients of the other serializations, or the message is
//! refused; nothing else happens.
#![no_main]

use bytes::Bytes;
use countersign_wamp::{Message, Serializer};
use libfuzzer_sys::fuzz_target;

const SERIALIZERS: [Serializer; 3] = [Serializer::Json, Serializer::MsgPack, Serializer::Cbor];

fuzz_target!(|octets: &[u8]| {
    let Some((choice, frame)) = octets.split_first() else {
        return;
    };
    let from = SERIALIZERS[usize::from(*choice) % SERIALIZERS.len()];
    let Ok(message) = Message::decode(from, &Bytes::copy_from_slice(frame), 64) else {
        return;
    };
    for to in SERIALIZERS {
        if let Ok(written) = message.encode(to) {
            Message::decode(to, &written, 64).expect("what we write we can read");
        }
    }
});
