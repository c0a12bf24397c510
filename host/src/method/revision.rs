use std::{fmt, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::task::spawn_blocking;
use wasmtime::component::{Component, types::ComponentItem};

use super::{
    Fault, Grant, Limits, Reach, Runtime, Stage, Trail, World,
    bindings::exports::countersign::auth::about,
    call, compiler,
    guest::{Guest, Label},
    linked::Linked,
    shape::Shape,
};
use crate::{config::ComponentDigest, credential::Keyring, login::StepName};

/// The digest of a component's octets: the name of a revision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex::encode(digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut octets = [0; 32];
        hex::decode_to_slice(text, &mut octets)?;
        Ok(Self(octets))
    }
}

impl Digest {
    pub fn of(octets: &[u8]) -> Self {
        Self(Sha256::digest(octets).into())
    }

    /// Enough of it to tell revisions apart in a log: 12 hex digits.
    pub fn short(&self) -> String {
        hex::encode(self.0).chars().take(12).collect()
    }
}

impl From<&ComponentDigest> for Digest {
    fn from(digest: &ComponentDigest) -> Self {
        Self(*digest.octets())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The octets of a component's file, and the digest that names them.
#[derive(Clone)]
pub struct Source {
    pub(super) octets: Arc<[u8]>,
    digest: Digest,
    pub(super) path: Option<Arc<Path>>,
}

impl Source {
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The same, from this file: what replaces it there will be much like it.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.path = Some(path.into());
        self
    }
}

impl From<Vec<u8>> for Source {
    fn from(octets: Vec<u8>) -> Self {
        let digest = Digest::of(&octets);
        let octets = octets.into();
        Self {
            octets,
            digest,
            path: None,
        }
    }
}

/// What a method says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub credential_kinds: Vec<String>,
    /// Whether clients send it their secret as it is.
    pub clear_secret: bool,
}

/// What `manifest.extra` may hold.
#[derive(Deserialize)]
struct Extra {
    #[serde(default, rename = "clear-secret")]
    clear_secret: bool,
}

/// One immutable build of a method, compiled, linked against a grant, and ready to run.
pub struct Revision {
    pub digest: Digest,
    /// [`Digest::short`], for log lines.
    pub(super) name: Arc<str>,
    pub manifest: Manifest,
    pub(super) grant: Grant,
    pub(super) linked: Linked,
}

/// Why a component cannot be used, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    #[error("it is not a WebAssembly component: {0}")]
    NotComponent(String),
    #[error(
        "it is a core WebAssembly module, not a component: `countersign method build` makes a component \
         of a project in any of its languages; with other tools, build for wasm32-wasip2"
    )]
    CoreModule,
    #[error("it does not compile: {0}")]
    Invalid(String),
    #[error(
        "it takes more to compile than {seconds} s of CPU time or {mebibytes} MiB; make it smaller, \
         or give more under [methods] compile_time and compile_memory"
    )]
    CompilerOverrun { seconds: u64, mebibytes: u64 },
    #[error("the compiler failed: {0}")]
    Compiler(String),
    #[error(
        "it imports {import}, which the capability {capability:?} provides, and the realm's file \
         does not grant that: {advice}, or build the method without it"
    )]
    NotGranted {
        import: String,
        capability: String,
        advice: &'static str,
    },
    #[error("it imports {import}, which no capability of this router provides")]
    UnknownImport { import: String },
    #[error("it does not implement the world countersign:auth/authenticator of this router: {0}")]
    WrongWorld(String),
    #[error(
        "it was made for version {found} of the contract countersign:auth, and this router has \
         {ours}: `countersign method bindings` brings its project to that, then build it anew; with other \
         tools, build it with the directory wit/ of this router"
    )]
    OtherContract { found: String, ours: &'static str },
    #[error(
        "it does not implement the world countersign:auth/authenticator of this router: it does not \
         export {export}; build it for that world, with the directory wit/ of this router"
    )]
    MissingExport { export: String },
    #[error("asked to describe itself, it failed: {0}")]
    Describe(Fault),
    #[error("it refuses the settings that the realm has for it: {0}")]
    Settings(String),
    #[error("asked to check the realm's settings, it failed: {0}")]
    Check(Fault),
}

impl Revision {
    /// Compiles, links and asks the component who it is. This takes from milliseconds to seconds, and
    /// none of them from the threads that serve.
    pub async fn load(
        runtime: &Arc<Runtime>,
        keyring: &Keyring,
        source: Source,
        grant: Grant,
        limits: &Limits,
    ) -> Result<Self, LoadError> {
        let mut trail = Trail::default();
        Self::load_on(&mut trail, runtime, keyring, source, grant, limits).await
    }

    /// The same, and takes note of the stages that it passes.
    pub async fn load_on(
        trail: &mut Trail,
        runtime: &Arc<Runtime>,
        keyring: &Keyring,
        source: Source,
        grant: Grant,
        limits: &Limits,
    ) -> Result<Self, LoadError> {
        let digest = source.digest();
        look_at_header(source.octets())?;
        let compiling = compiler::component(runtime, &source);
        let (component, origin) = compiling.await?;
        drop(source);
        trail.pass(Stage::Compile, origin.words());
        let linking = Arc::clone(runtime);
        let linked = spawn_blocking(move || link(&linking, &component, grant))
            .await
            .map_err(|error| LoadError::Invalid(error.to_string()))??;
        trail.pass(Stage::Link, "");
        let name: Arc<str> = digest.short().into();
        let manifest = describe(runtime, keyring, &linked, &name, limits, None)
            .await
            .map_err(LoadError::Describe)?;
        trail.pass(
            Stage::Describe,
            format!("{} {}", manifest.name, manifest.version),
        );
        Ok(Self {
            digest,
            name,
            manifest,
            grant,
            linked,
        })
    }

    /// The same revision, linked against another grant.
    pub(crate) fn granted(
        self: &Arc<Self>,
        runtime: &Runtime,
        grant: Grant,
    ) -> Result<Arc<Self>, LoadError> {
        if self.grant == grant {
            return Ok(Arc::clone(self));
        }
        let linked = link(runtime, self.linked.component(), grant)?;
        Ok(Arc::new(Self {
            digest: self.digest,
            name: Arc::clone(&self.name),
            manifest: self.manifest.clone(),
            grant,
            linked,
        }))
    }

    /// Asks it once more who it is, in a world of a trial.
    pub async fn describe(
        &self,
        runtime: &Runtime,
        keyring: &Keyring,
        limits: &Limits,
        world: World,
    ) -> Result<Manifest, Fault> {
        describe(
            runtime,
            keyring,
            &self.linked,
            &self.name,
            limits,
            Some(world),
        )
        .await
    }
}

async fn describe(
    runtime: &Runtime,
    keyring: &Keyring,
    linked: &Linked,
    revision: &Arc<str>,
    limits: &Limits,
    world: Option<World>,
) -> Result<Manifest, Fault> {
    let label = Label {
        realm: "".into(),
        step: StepName::new("describe"),
        revision: Arc::clone(revision),
    };
    let (label, reach) = (Arc::new(label), Reach::default());
    let mut guest = Guest::new(
        &label,
        keyring,
        &Arc::default(),
        &Arc::default(),
        reach,
        limits,
    );
    guest.world = world;
    let manifest = call::within(runtime, limits, async {
        let (mut store, instance) = call::instance(runtime, linked, guest, limits).await?;
        let about = linked.about(&mut store, &instance)?;
        about.call_describe(&mut store).await
    });
    Ok(manifest.await?.into())
}

impl LoadError {
    /// The stage that was not passed.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::NotComponent(_)
            | Self::CoreModule
            | Self::Invalid(_)
            | Self::CompilerOverrun { .. }
            | Self::Compiler(_) => Stage::Compile,
            Self::NotGranted { .. }
            | Self::UnknownImport { .. }
            | Self::OtherContract { .. }
            | Self::MissingExport { .. }
            | Self::WrongWorld(_) => Stage::Link,
            Self::Describe(_) => Stage::Describe,
            Self::Settings(_) | Self::Check(_) => Stage::Check,
        }
    }
}

fn look_at_header(octets: &[u8]) -> Result<(), LoadError> {
    // `\0asm`, then a version and a layer: 1 and 0 for a module, 13 and 1 for a component.
    match octets {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule),
        [] => Err(LoadError::NotComponent("it is empty".into())),
        _ => Err(LoadError::NotComponent("it does not begin like one".into())),
    }
}

fn link(runtime: &Runtime, component: &Component, grant: Grant) -> Result<Linked, LoadError> {
    let engine = runtime.engine();
    Shape::of(component, engine).check()?;
    for (import, item) in component.component_type().imports(engine) {
        let is_instance = matches!(item.ty, ComponentItem::ComponentInstance(_));
        if is_instance && grant.allows(import) {
            continue;
        }
        let import = import.to_owned();
        return Err(match Grant::capability_of(&import) {
            Some(capability) => LoadError::NotGranted {
                import,
                capability: capability.name().into(),
                advice: capability.advice(),
            },
            None => LoadError::UnknownImport { import },
        });
    }
    let linker = runtime
        .linker(grant)
        .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
    linker
        .instantiate_pre(component)
        .and_then(Linked::new)
        .map_err(|error| LoadError::WrongWorld(format!("{error:#}")))
}

impl From<about::Manifest> for Manifest {
    fn from(manifest: about::Manifest) -> Self {
        // What cannot be read may have said yes.
        let clear_secret = serde_json::from_str(&manifest.extra)
            .map_or(true, |Extra { clear_secret }| clear_secret);
        Self {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            credential_kinds: manifest.credential_kinds,
            clear_secret,
        }
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revision")
            .field("digest", &self.digest)
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.digest).finish()
    }
}
