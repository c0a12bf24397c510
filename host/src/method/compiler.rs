//! Turning a component into machine code: in a process of its own, whose memory and time are
//! bounded, and once for each component, since the result is kept.
//!
//! A compiler that runs on foreign octets is not among what wasmtime promises to bound, and what it
//! has used it keeps. So the router's process does not compile; tests and programs that have no
//! `countersign` beside them may (see [`Compiler::InProcess`]).

mod helper;

use std::{
    fs::File,
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;
use wasmtime::{Engine, component::Component};

pub use self::helper::{CompilerBounds, Helper};
use super::{LoadError, Runtime, Source, functions::Functions, runtime};

/// The argument of `countersign` that makes it compile a component and nothing else.
pub const COMMAND: &str = "compile-component";

/// Who compiles components.
#[derive(Debug)]
pub enum Compiler {
    /// This process. Nothing bounds what that takes.
    InProcess,
    Helper(Helper),
}

/// What a component was compiled by, for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Compiled,
    Kept,
}

impl Compiler {
    /// There are logins from now on, which must not have to wait for it.
    pub(super) fn make_way(&self) {
        if let Self::Helper(helper) = self {
            helper.make_way();
        }
    }

    /// Whether a component need not be compiled, as far as that can be told by a name.
    pub(super) fn has(&self, source: &Source, engine: &Engine) -> bool {
        match self {
            Self::InProcess => false,
            Self::Helper(helper) => {
                let shelf = helper.shelf.as_ref();
                shelf.is_some_and(|shelf| shelf.has(&key(source, engine)))
            }
        }
    }
}

impl Origin {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Compiled => "compiled",
            Self::Kept => "compiled earlier",
        }
    }
}

/// Compiles a component, or finds it compiled.
pub(super) async fn component(
    runtime: &Runtime,
    source: &Source,
) -> Result<(Component, Origin), LoadError> {
    let engine = runtime.engine();
    let helper = match runtime.compiler() {
        Compiler::Helper(helper) => helper,
        Compiler::InProcess => {
            let (engine, octets) = (engine.clone(), Arc::clone(&source.octets));
            let compiling = spawn_blocking(move || Component::new(&engine, &*octets));
            let compiled = compiling.await.map_err(stopped)?;
            let component = compiled.map_err(|error| invalid(&error))?;
            return Ok((component, Origin::Compiled));
        }
    };
    let key = key(source, engine);
    if let Some(shelf) = &helper.shelf
        && let Some(component) = shelf.find(&key, engine).await
    {
        return Ok((component, Origin::Kept));
    }
    let _turn = helper.turn.acquire().await.map_err(stopped)?;
    let Compiled { code, functions } = helper.compile(runtime, source).await?;
    let engine = engine.clone();
    let component = match helper.shelf.clone() {
        Some(shelf) => spawn_blocking(move || {
            if let Some(Series { before, now }) = functions {
                // Without them the next one takes longer.
                _ = now.persist(before);
            }
            shelf.keep(&key, code, &engine)
        }),
        None => spawn_blocking(move || super::shelf::load(code.path(), &engine)),
    };
    let component = component.await.map_err(stopped)?;
    let component = component.map_err(|why| LoadError::Compiler(why.to_string()))?;
    Ok((component, Origin::Compiled))
}

/// What a compiled component is kept by.
fn key(source: &Source, engine: &Engine) -> String {
    format!("{}-{}", source.digest(), engine_name(engine))
}

/// What a helper process has made.
struct Compiled {
    code: NamedTempFile,
    functions: Option<Series>,
}

/// The components that one after another are at one place.
struct Series {
    /// The functions of the last one.
    before: PathBuf,
    /// Those of the one that is compiled.
    now: NamedTempFile,
}

fn series(helper: &Helper, engine: &Engine, source: &Source) -> io::Result<Option<Series>> {
    let (Some(shelf), Some(path)) = (&helper.shelf, &source.path) else {
        return Ok(None);
    };
    let place = std::path::absolute(path)?;
    let place = Sha256::digest(place.as_os_str().as_encoded_bytes());
    Ok(Some(Series {
        before: shelf.functions(&format!("{}-{}", hex::encode(place), engine_name(engine))),
        now: shelf.new_file()?,
    }))
}

/// The status of a helper whose component is at fault.
const INVALID: i32 = 3;

/// What a helper process does. The caller has bounded it.
#[derive(Debug)]
pub struct Compilation {
    /// The status to end with.
    pub status: u8,
    /// For whoever ran it.
    pub complaint: String,
}

/// Compiles the component on one stream to another, for an engine as the router's or as that of
/// trials. `before` and `now` are the files of functions of the component before it, and of it.
///
/// # Errors
/// What went wrong, and the status to end with.
pub fn compile(
    mut from: impl io::Read,
    mut to: impl io::Write,
    wanted: &str,
    series: Option<(&Path, &Path)>,
) -> Result<(), Compilation> {
    let fail = |complaint: String| Compilation {
        status: 1,
        complaint,
    };
    let functions = series.map(|(before, _)| Arc::new(Functions::read(before)));
    let engine =
        engine_named(wanted, functions.as_ref()).map_err(|error| fail(format!("{error:#}")))?;
    let Some(engine) = engine else {
        return Err(fail(
            "the compiler is not of the router's version; restart the router".into(),
        ));
    };
    let mut octets = Vec::new();
    from.read_to_end(&mut octets)
        .map_err(|error| fail(error.to_string()))?;
    let compiled = engine.precompile_component(&octets);
    let compiled = compiled.map_err(|error| Compilation {
        status: u8::try_from(INVALID).unwrap_or(u8::MAX),
        complaint: error.root_cause().to_string(),
    })?;
    let written = to.write_all(&compiled).and_then(|()| to.flush());
    written.map_err(|error| fail(format!("the result cannot be written: {error}")))?;
    if let (Some(functions), Some((_, now))) = (functions, series) {
        // The next one takes longer without them, and that is all.
        _ = functions.write(now);
    }
    Ok(())
}

/// The engine that a router serves with, or the one of its trials.
fn engine_named(
    wanted: &str,
    functions: Option<&Arc<Functions>>,
) -> wasmtime::Result<Option<Engine>> {
    for mut config in [runtime::code(), runtime::metered_code()] {
        if let Some(functions) = functions {
            config.enable_incremental_compilation(Arc::<Functions>::clone(functions))?;
        }
        let engine = Engine::new(&config)?;
        if engine_name(&engine) == wanted {
            return Ok(Some(engine));
        }
    }
    Ok(None)
}

/// Names everything that machine code depends on: the version of wasmtime, its settings (whether it
/// counts is one) and the CPU's features.
pub(super) fn engine_name(engine: &Engine) -> String {
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let digest = hex::encode(hasher.0.finalize());
    digest.get(..32).unwrap_or_default().to_owned()
}

struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    /// Nobody asks.
    fn finish(&self) -> u64 {
        0
    }
}

fn invalid(error: &wasmtime::Error) -> LoadError {
    LoadError::Invalid(error.root_cause().to_string())
}

fn stopped(error: impl std::fmt::Display) -> LoadError {
    LoadError::Compiler(error.to_string())
}

/// The octets of a file, hashed.
pub(super) fn digest_of(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(file, &mut HashWriter(&mut hasher))?;
    Ok(hex::encode(hasher.finalize()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
