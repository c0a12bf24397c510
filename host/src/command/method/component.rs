//! The files that these commands are given.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use crate::{config::TestTable, method::Source};

/// The largest component that is read, in octets: as large as a router takes.
const LARGEST: u64 = 64 << 20;

pub(super) fn read(path: &Path) -> anyhow::Result<Source> {
    let place = || format!("{}: the component cannot be read", path.display());
    let about = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "{}: there is no such file; `countersign method build` makes the component of a project",
            path.display()
        ),
        about => about.with_context(place)?,
    };
    ensure!(
        !about.is_dir(),
        "{0}: this is a directory; if it is a method's project, `countersign method build {0}` makes its \
         component and says where",
        path.display()
    );
    // Opening a pipe would wait for its writer.
    ensure!(about.is_file(), "{}: this is not a file", path.display());
    let mut octets = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets))
        .with_context(place)?;
    ensure!(
        octets.len() as u64 <= LARGEST,
        "{}: the file is larger than 64 MiB, the most that a router reads",
        path.display()
    );
    Ok(octets.into())
}

/// Where a component's table is unless somebody says otherwise: beside it, `NAME.table.toml`.
pub(super) fn table_beside(component: &Path) -> PathBuf {
    component.with_extension("table.toml")
}

pub(super) fn read_table(path: &Path) -> anyhow::Result<TestTable> {
    Ok(TestTable::read(path)?)
}
