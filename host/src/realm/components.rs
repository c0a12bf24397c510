use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use thiserror::Error;
use tokio::task::spawn_blocking;

use super::{Ledger, trials::TrialFailure};
use crate::{
    credential::Keyring,
    egress::DoorError,
    method::{
        Detached, Digest, Grant, Limits, LoadError, Revision, Runtime, SignatureError, Signers,
        Source, Stage, Trail,
    },
    stamp::Stamp,
};

/// The largest component that is read, in octets. Python and JavaScript make 12 to 20 MB.
const LARGEST_COMPONENT: u64 = 64 << 20;

/// Why a component's file gives no revision.
#[derive(Debug, Error)]
pub enum ComponentError {
    #[error("there is no such file; put the component there, or name another in the realm's file")]
    Missing,
    #[error("the file cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("the file is larger than 64 MiB, the most that is read")]
    TooLarge,
    #[error("it was changed while it was looked at; it is looked at again")]
    Restless,
    #[error(
        "its digest is sha256:{found}, and the realm's file says sha256:{wanted}; put that component \
         there, or write digest = \"sha256:{found}\" if this one is meant"
    )]
    OtherDigest { wanted: Digest, found: Digest },
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(
        "the realm skips this step for those who are not enrolled, and the method has no kind of \
         credential that anybody could be enrolled with; remove when = \"enrolled\""
    )]
    NobodyEnrolled,
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error(transparent)]
    Trial(#[from] TrialFailure),
    #[error(
        "the step was rolled back from what this file holds ({from}) to {to}, and that cannot be asked \
         any more: {why}; put another component here"
    )]
    NotRecalled {
        from: String,
        to: String,
        why: Box<ComponentError>,
    },
}

impl From<io::Error> for ComponentError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}

impl ComponentError {
    /// The stage that was not passed.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Missing | Self::Unreadable(_) | Self::TooLarge | Self::Restless => Stage::Read,
            Self::OtherDigest { .. } => Stage::Digest,
            Self::Signature(_) => Stage::Signature,
            Self::NobodyEnrolled | Self::Door(_) => Stage::Check,
            Self::Trial(_) => Stage::Probe,
            Self::Load(error) => error.stage(),
            Self::NotRecalled { why, .. } => why.stage(),
        }
    }
}

/// Revisions by what they are made of, so that a thousand realms with one component have one
/// revision, and a component that comes back need not be compiled again while it is in use.
#[derive(Debug, Default)]
pub(super) struct Components {
    signers: Signers,
    /// Where they are kept for a rollback.
    pub(super) ledger: Arc<Ledger>,
    revisions: Mutex<HashMap<(Digest, Grant), Weak<Revision>>>,
    /// What files held when they were read last, so that a file which a thousand realms name is
    /// read once.
    digests: Mutex<HashMap<PathBuf, (Stamp, Digest)>>,
    /// Signatures that were found to be good.
    signed: Mutex<HashMap<Digest, Detached>>,
}

/// What a component is wanted for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) path: &'a Path,
    /// The only one that will do.
    pub(super) digest: Option<Digest>,
    pub(super) grant: Grant,
    pub(super) limits: &'a Limits,
}

impl Components {
    pub(super) fn require(&mut self, signers: Signers) {
        self.signers = signers;
    }

    pub(super) const fn signers(&self) -> &Signers {
        &self.signers
    }

    /// Goes through all stages that do not depend on the realm's settings.
    pub(super) async fn revision(
        &self,
        wanted: Wanted<'_>,
        runtime: &Arc<Runtime>,
        keyring: &Keyring,
        trail: &mut Trail,
    ) -> Result<Arc<Revision>, ComponentError> {
        let Wanted {
            path,
            grant,
            limits,
            ..
        } = wanted;
        // Taken before reading: what changes while we read has another stamp at the next look.
        let stamp = Stamp::of(path);
        let mut source = None;
        let digest = match self.digest(path, stamp) {
            Some(digest) => digest,
            None => source.insert(read(path).await?).digest(),
        };
        trail.pass(Stage::Read, format!("sha256:{digest}"));
        if let Some(stamp) = stamp {
            self.digests.lock().insert(path.to_owned(), (stamp, digest));
        }
        match wanted.digest {
            Some(wanted) if wanted != digest => {
                let found = digest;
                return Err(ComponentError::OtherDigest { wanted, found });
            }
            Some(_) => trail.pass(Stage::Digest, "as the realm's file says"),
            None => trail.pass(Stage::Digest, "the realm's file names none"),
        }
        self.verify(path, digest, &mut source).await?;
        let signed = if self.signers.is_empty() {
            "not required"
        } else {
            "by a signer of the operator's"
        };
        trail.pass(Stage::Signature, signed);
        if let Some(revision) = self.in_use(digest, grant) {
            trail.pass(Stage::Compile, "in use");
            trail.pass(Stage::Link, "in use");
            let manifest = &revision.manifest;
            let who = format!("{} {}", manifest.name, manifest.version);
            trail.pass(Stage::Describe, who);
            return Ok(revision);
        }
        let source = whole(path, digest, source).await?;
        let octets = source.clone();
        let revision = Revision::load_on(trail, runtime, keyring, source, grant, limits).await?;
        let revision = Arc::new(revision);
        self.keep(path, octets).await;
        let mut revisions = self.revisions.lock();
        revisions.retain(|_, revision| revision.strong_count() > 0);
        revisions.insert((digest, grant), Arc::downgrade(&revision));
        // Signatures are of use for as long as a revision of theirs is.
        let mut signed = self.signed.lock();
        signed.retain(|digest, _| revisions.keys().any(|(used, _)| used == digest));
        Ok(revision)
    }

    /// Keeps what was loaded, so that a step can be rolled back to it also after another start.
    async fn keep(&self, path: &Path, source: Source) {
        let signature = self.signed.lock().get(&source.digest()).copied();
        let ledger = Arc::clone(&self.ledger);
        let keeping = spawn_blocking(move || ledger.keep(&source, signature));
        let kept = keeping.await.map_err(io::Error::other).flatten();
        if let Err(error) = kept {
            tracing::warn!(
                file = %path.display(), %error,
                "a component cannot be kept: a rollback to it would not outlive this router"
            );
        }
    }

    /// Whether one of the signers has signed what the file holds.
    async fn verify(
        &self,
        path: &Path,
        digest: Digest,
        source: &mut Option<Source>,
    ) -> Result<(), ComponentError> {
        if self.signers.is_empty() {
            return Ok(());
        }
        let detached = signature(path).await?;
        if self.signed.lock().get(&digest) == Some(&detached) {
            return Ok(());
        }
        let octets = whole(path, digest, source.take()).await?;
        self.signers.verify(octets.octets(), detached)?;
        *source = Some(octets);
        self.signed.lock().insert(digest, detached);
        Ok(())
    }

    /// What the file holds, if it is still as it was when it was read.
    fn digest(&self, path: &Path, stamp: Option<Stamp>) -> Option<Digest> {
        let digests = self.digests.lock();
        let (then, digest) = digests.get(path)?;
        (stamp? == *then).then_some(*digest)
    }

    fn in_use(&self, digest: Digest, grant: Grant) -> Option<Arc<Revision>> {
        self.revisions.lock().get(&(digest, grant))?.upgrade()
    }
}

/// The file beside a component that holds its signature.
pub fn signature_path(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// What the file holds, read if it was not: still what it held when it was looked at.
async fn whole(
    path: &Path,
    digest: Digest,
    source: Option<Source>,
) -> Result<Source, ComponentError> {
    let source = match source {
        Some(source) => source,
        None => read(path).await?,
    };
    if source.digest() == digest {
        Ok(source)
    } else {
        Err(ComponentError::Restless)
    }
}

/// Megabytes to read and to hash: not on a thread that serves.
async fn read(path: &Path) -> Result<Source, ComponentError> {
    let octets = octets(path, LARGEST_COMPONENT).await?;
    let octets = octets.ok_or(ComponentError::TooLarge)?;
    let source = spawn_blocking(move || Source::from(octets)).await;
    Ok(source.map_err(io::Error::other)?.at(path))
}

async fn signature(component: &Path) -> Result<Detached, ComponentError> {
    let read = octets(&signature_path(component), Detached::LONGEST).await;
    let octets = match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SignatureError::Missing.into());
        }
        read => read?.ok_or(SignatureError::Malformed)?,
    };
    Ok(Detached::read(&octets)?)
}

/// All of a file; none where there is more.
async fn octets(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let path = path.to_owned();
    let reading = spawn_blocking(move || {
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            // Opening a pipe would wait for its writer.
            return Err(io::Error::other("it is not a file"));
        }
        if metadata.len() > most {
            return Ok(None);
        }
        let length = usize::try_from(metadata.len()).unwrap_or_default();
        let mut octets = Vec::with_capacity(length + 1);
        // It may have grown meanwhile.
        File::open(path)?.take(most + 1).read_to_end(&mut octets)?;
        Ok((octets.len() as u64 <= most).then_some(octets))
    });
    reading.await.map_err(io::Error::other)?
}
