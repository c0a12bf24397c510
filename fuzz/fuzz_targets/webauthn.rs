//! What a browser and an authenticator say is read to a good end, and no signature is good by chance.
#![no_main]

use countersign_fuzz::webauthn::{answer, attestation, key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = str::from_utf8(octets) {
        answer(text);
    }
    attestation(octets);
    key(octets, &[]);
    if let Some((signature, rest)) = octets.split_first_chunk::<64>() {
        key(rest, signature);
    }
});
