//! What a component's functions were compiled to, kept for the component that will be in its place next:
//! an author changes a few of them, and languages with a runtime bring thousands that never change.
//!
//! Only the compiler's own process reads this and writes it. Each component's file has functions of its
//! own, so that what one realm has compiled is never part of what another's does.
//!
//! ```text
//! 32 octets  SHA-256 of what follows
//! then each function: its key (32 octets), a length (4 octets, little-endian), so many octets
//! ```

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt, fs,
    io::{self, Write},
    ops::Range,
    path::Path,
    thread,
};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use wasmtime::CacheStore;

/// What names a function: wasmtime's digest of all that its machine code depends on.
type Key = [u8; 32];

/// More than this is not kept for one component, in octets. A component in JavaScript, the largest
/// kind, has some 40 MB.
const MOST: usize = 128 << 20;

/// The functions of what was compiled before, and of what is being compiled.
pub(super) struct Functions {
    octets: Vec<u8>,
    before: HashMap<Key, Range<usize>>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// What was not there before.
    new: HashMap<Key, Vec<u8>>,
    /// What was, and is used again.
    again: HashMap<Key, Range<usize>>,
    length: usize,
}

impl Functions {
    /// None are as good as a file that is damaged.
    pub(super) fn read(path: &Path) -> Self {
        let octets = fs::read(path).unwrap_or_default();
        let before = index(&octets).unwrap_or_default();
        Self {
            octets,
            before,
            now: Mutex::default(),
        }
    }

    /// Writes those of what was compiled now, unless they are too many.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let now = self.now.lock();
        if now.length > MOST {
            return Ok(());
        }
        let again = now.again.iter().filter_map(|(key, place)| {
            let octets = self.octets.get(place.clone())?;
            Some((key, octets))
        });
        let new = now.new.iter().map(|(key, octets)| (key, &**octets));
        let mut text = vec![0; size_of::<Key>()];
        for (key, octets) in again.chain(new) {
            let Ok(length) = u32::try_from(octets.len()) else {
                continue;
            };
            text.extend_from_slice(key);
            text.extend_from_slice(&length.to_le_bytes());
            text.extend_from_slice(octets);
        }
        if let Some((digest, rest)) = text.split_first_chunk_mut::<{ size_of::<Key>() }>() {
            *digest = Sha256::digest(rest).into();
        }
        fs::File::create(path)?.write_all(&text)
    }
}

/// Where each function is. None: the octets are not what was written.
fn index(octets: &[u8]) -> Option<HashMap<Key, Range<usize>>> {
    let (digest, rest) = octets.split_first_chunk::<{ size_of::<Key>() }>()?;
    if *digest != Key::from(Sha256::digest(rest)) {
        return None;
    }
    let mut functions = HashMap::new();
    let mut at = digest.len();
    while let Some((key, rest)) = octets.get(at..)?.split_first_chunk() {
        let length = u32::from_le_bytes(*rest.first_chunk()?);
        let begin = at + size_of::<Key>() + size_of::<u32>();
        let place = begin..begin.checked_add(usize::try_from(length).ok()?)?;
        at = place.end;
        functions.insert(*key, place);
    }
    Some(functions)
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        // Asked for before each function is compiled. Where the compiler has a share of a core, Linux
        // lets it end its slice (1.4 ms on two cores) before a login that has got its octets goes on,
        // however low the priority of the one and high that of the other; so the slices are ended here,
        // each function some 0.2 ms.
        thread::yield_now();
        let key: Key = key.try_into().ok()?;
        let place = self.before.get(&key)?;
        let octets = self.octets.get(place.clone())?;
        let mut now = self.now.lock();
        if now.again.insert(key, place.clone()).is_none() {
            now.length = now.length.saturating_add(octets.len());
        }
        Some(octets.into())
    }

    fn insert(&self, key: &[u8], octets: Vec<u8>) -> bool {
        let Ok(key) = key.try_into() else {
            return false;
        };
        let mut now = self.now.lock();
        now.length = now.length.saturating_add(octets.len());
        // Beyond that nothing is written, so nothing need be held.
        if now.length > MOST {
            now.new.clear();
            return false;
        }
        now.new.insert(key, octets);
        true
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions")
            .field("before", &self.before.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [Key; 3] = [[1; 32], [2; 32], [3; 32]];

    #[test]
    fn what_is_used_again_and_what_is_new_is_there_the_next_time() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("functions");
        let first = Functions::read(&file);
        assert!(first.get(&KEYS[0]).is_none());
        assert!(first.insert(&KEYS[0], b"one".to_vec()));
        assert!(first.insert(&KEYS[1], vec![]));
        first.write(&file).unwrap();

        let second = Functions::read(&file);
        assert_eq!(second.get(&KEYS[0]).as_deref(), Some(&b"one"[..]));
        assert!(second.insert(&KEYS[2], b"three".to_vec()));
        second.write(&file).unwrap();

        let third = Functions::read(&file);
        assert_eq!(third.get(&KEYS[0]).as_deref(), Some(&b"one"[..]));
        assert_eq!(third.get(&KEYS[1]), None, "nobody has asked for it");
        assert_eq!(third.get(&KEYS[2]).as_deref(), Some(&b"three"[..]));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("functions");
        let functions = Functions::read(&file);
        functions.insert(&KEYS[0], b"one".to_vec());
        functions.write(&file).unwrap();
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut octets = whole.clone();
            octets[at] ^= 1;
            assert_eq!(index(&octets), None, "octet {at}");
            assert_eq!(index(&whole[..at]), None, "up to {at}");
        }
        assert!(index(&whole).is_some());
    }
}
