//! The files that these commands are given.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use crate::{config::TestTable, method::Source};

/// The largest component that is read, in octets: as large as a router takes.
const LARGEST: u64 = 64 << 20;

pub(super) fn read(path: &Path) -> anyhow::Result<Source> {
    let place = || format!("{}: the component cannot be read", path.display());
    // Opening a pipe would wait for its writer.
    let is_file = path.metadata().with_context(place)?.is_file();
    ensure!(is_file, "{}: this is not a file", path.display());
    let mut octets = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets))
        .with_context(place)?;
    ensure!(
        octets.len() as u64 <= LARGEST,
        "{}: the file is larger than 64 MiB, the most that a router reads",
        path.display()
    );
    Ok(Source::from(octets).at(path))
}

/// Where a component's table is unless somebody says otherwise: beside it, `NAME.table.toml`.
pub(super) fn table_beside(component: &Path) -> PathBuf {
    component.with_extension("table.toml")
}

pub(super) fn read_table(path: &Path) -> anyhow::Result<TestTable> {
    Ok(TestTable::read(path)?)
}
