use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::wamp::Id;

/// A map by ids that no client chooses: session ids are random and the host's own, request ids
/// are accepted in sequence only. So a multiplication is hash enough.
pub(super) type IdMap<V> = HashMap<Id, V, BuildHasherDefault<IdHasher>>;

#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write_u64(&mut self, id: u64) {
        // 2^64 divided by the golden ratio: spreads sequences over the whole range.
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Ids hash as one `u64`; this is here for completeness only.
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(self.0 ^ u64::from(*octet));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
