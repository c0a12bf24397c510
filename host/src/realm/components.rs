use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use thiserror::Error;
use tokio::task::spawn_blocking;

use super::trials::TrialFailure;
use crate::{
    credential::Keyring,
    egress::DoorError,
    method::{Digest, Grant, Limits, LoadError, Revision, Runtime, Source},
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
    Unreadable(#[from] io::Error),
    #[error("the file is larger than 64 MiB, the most that is read")]
    TooLarge,
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
}

/// Revisions by what they are made of, so that a thousand realms with one component have one
/// revision, and a component that comes back need not be compiled again while it is in use.
#[derive(Debug, Default)]
pub(super) struct Components {
    revisions: Mutex<HashMap<(Digest, Grant), Weak<Revision>>>,
    /// What files held when they were read last, so that a file which a thousand realms name is
    /// read once.
    digests: Mutex<HashMap<PathBuf, (Stamp, Digest)>>,
}

impl Components {
    pub(super) async fn revision(
        &self,
        path: &Path,
        runtime: &Arc<Runtime>,
        keyring: &Keyring,
        grant: Grant,
        limits: &Limits,
    ) -> Result<Arc<Revision>, ComponentError> {
        // Taken before reading: what changes while we read has another stamp at the next look.
        let stamp = Stamp::of(path);
        if let Some(digest) = self.digest(path, stamp)
            && let Some(revision) = self.in_use(digest, grant)
        {
            return Ok(revision);
        }
        let file = path.to_owned();
        // Megabytes to read and to hash: not on a thread that serves.
        let source = spawn_blocking(move || read(&file)).await;
        let source = source.map_err(io::Error::other)??;
        let digest = source.digest();
        if let Some(stamp) = stamp {
            self.digests.lock().insert(path.to_owned(), (stamp, digest));
        }
        if let Some(revision) = self.in_use(digest, grant) {
            return Ok(revision);
        }
        let revision = Arc::new(Revision::load(runtime, keyring, source, grant, limits).await?);
        let mut revisions = self.revisions.lock();
        revisions.retain(|_, revision| revision.strong_count() > 0);
        revisions.insert((digest, grant), Arc::downgrade(&revision));
        Ok(revision)
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

fn read(path: &Path) -> Result<Source, ComponentError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ComponentError::Missing,
        _ => ComponentError::Unreadable(error),
    })?;
    let mut octets = Vec::new();
    file.take(LARGEST_COMPONENT + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > LARGEST_COMPONENT {
        return Err(ComponentError::TooLarge);
    }
    Ok(octets.into())
}
