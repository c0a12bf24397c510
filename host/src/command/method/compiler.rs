//! Compiling what an author tries: once for each component, since the result is kept in the directory
//! for what this program has downloaded and made for a person.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;

use crate::{
    command::output,
    kit,
    method::{Compiler, CompilerBounds, Helper, Runtime, Shelf, Source},
    transport::own_user,
};

/// More than a router gives unless its operator says so: an author's machine may be slow, and an author
/// can interrupt it.
const BOUNDS: CompilerBounds = CompilerBounds {
    time: Duration::from_mins(30),
    memory: 4 << 30,
};

/// From this size on, in octets, a component takes seconds to compile, and somebody waits for it.
const LARGE: usize = 1 << 20;

/// A compiler that finds what it has compiled earlier.
pub(super) fn compiler() -> anyhow::Result<Compiler> {
    helper(shelf().ok())
}

/// One that does not.
pub(super) fn forgetful() -> anyhow::Result<Compiler> {
    helper(None)
}

fn helper(shelf: Option<Shelf>) -> anyhow::Result<Compiler> {
    let program = Helper::own_program().context("countersign's own program is not found")?;
    Ok(Compiler::Helper(Helper::new(program, BOUNDS, shelf)))
}

/// Where compiled components are kept. Without such a place each is compiled whenever it is needed,
/// which works as well.
pub(super) fn shelf() -> anyhow::Result<Shelf> {
    let opened = open();
    if let Err(error) = &opened {
        tracing::debug!(%error, "compiled components are not kept");
    }
    opened
}

fn open() -> anyhow::Result<Shelf> {
    let cache = kit::cache()?;
    fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
    Ok(Shelf::open(&cache.join("compiled"), own_user()?)?)
}

/// Says what is going on before a component is compiled, if it will take its time.
pub(super) fn tell_if_large(path: &Path, source: &Source, runtime: &Runtime) {
    let octets = source.octets().len();
    if octets < LARGE || runtime.has_compiled(source) {
        return;
    }
    output::tell(format_args!(
        "Compiling {} ({} MB): some seconds, or some tens of them for JavaScript and Python",
        path.display(),
        octets.div_ceil(1_000_000)
    ));
    if let Err(error) = shelf() {
        output::tell(format_args!("It will not be kept: {error:#}"));
    }
}
