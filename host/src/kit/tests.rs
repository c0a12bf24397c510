//! What the tests of this room share.

use std::{collections::BTreeSet, fs, path::Path};

/// The files of a directory and of those in it, with their paths from there.
pub(super) fn files_in(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_dir() {
            let inner = files_in(&entry.path());
            found.extend(inner.into_iter().map(|path| format!("{name}/{path}")));
        } else {
            found.insert(name);
        }
    }
    found
}
