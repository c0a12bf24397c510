use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsStr,
    fs, io, mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Hints, Realm, RealmError, Realms, Workshop, consent};
use crate::{config, stamp::Stamp, wamp::reason};

/// Keeps the realms like their files.
#[derive(Debug)]
pub struct Reloader {
    workshop: Arc<Workshop>,
    /// The directory of the realms' files.
    directory: PathBuf,
    realms: Arc<Realms>,
    known: Memory,
    /// Whether a listener could hand out cookies.
    serves_cookies: bool,
}

/// What is known of each realm's file.
type Memory = BTreeMap<PathBuf, Known>;

/// What is known of a realm's file: when it was looked at last, and what came of it.
#[derive(Debug, Default)]
struct Known {
    /// Of the file, of each component, secret and key set that it named, and of the file of each
    /// realm whose callees it would have asked. What has not changed since is not tried
    /// again, be it good or bad.
    stamps: Vec<(PathBuf, Option<Stamp>)>,
    realm: Option<Arc<Realm>>,
    /// The file was gone at the last look. Gone twice is gone: some editors remove a file before
    /// they write it anew.
    missed: bool,
}

/// What a look at a realm's file found.
#[derive(Debug)]
pub struct Inspection {
    pub path: PathBuf,
    pub outcome: Result<Arc<Realm>, RealmError>,
}

impl Inspection {
    /// Begins with what need not wait for the first login. For a router that serves: a look by
    /// itself reaches nobody.
    pub fn warm_up(&self) {
        if let Ok(realm) = &self.outcome {
            realm.generation().key_sets.warm_up();
        }
    }
}

impl Reloader {
    pub fn new(workshop: Arc<Workshop>, directory: PathBuf, realms: Arc<Realms>) -> Self {
        Self {
            workshop,
            directory,
            realms,
            known: Memory::new(),
            serves_cookies: true,
        }
    }

    /// Says whether one of the listeners could hand out cookies: a realm that wants to is told.
    #[must_use]
    pub const fn serving_cookies(mut self, served: bool) -> Self {
        self.serves_cookies = served;
        self
    }

    /// Follows changes for as long as it is polled: by a thread that does not serve, since a look takes
    /// some microseconds for each file, there may be thousands, and what has changed is read.
    pub async fn follow(mut self, mut hints: Hints) {
        loop {
            hints.next().await;
            match self.look().await {
                Ok(inspections) => inspections.iter().for_each(Inspection::warm_up),
                Err(error) => tracing::error!(
                    directory = %self.directory.display(), %error,
                    "the realms' directory cannot be read; all realms stay as they are"
                ),
            }
        }
    }

    /// Looks at every realm whose files have changed since the last look, puts in place what is
    /// good, and says so.
    pub async fn look(&mut self) -> io::Result<Vec<Inspection>> {
        let mut inspections = Vec::new();
        for path in self.changed()? {
            let known = self.known.entry(path.clone()).or_default();
            let outcome = inspect(&self.workshop, &self.realms, &path, known).await;
            // Counted before it is told: whoever has read of it finds it counted.
            match &outcome {
                Ok(_) => self.realms.reloads.in_place(),
                Err(error) => {
                    let stage = error.complaints().into_iter().find_map(|(stage, _)| stage);
                    self.realms.reloads.refused(stage);
                }
            }
            report(&path, known, &outcome);
            if let (Ok(realm), false) = (&outcome, self.serves_cookies)
                && realm.generation().cookie.is_some()
            {
                tracing::warn!(realm = %realm.name, "{}", super::cookies::UNSERVED);
            }
            inspections.push(Inspection { path, outcome });
        }
        Ok(inspections)
    }

    /// The files that are not as they were at the last look; closes the realms whose files are gone.
    fn changed(&mut self) -> io::Result<Vec<PathBuf>> {
        let files = realm_files(&self.directory)?;
        for (path, realm) in forget_missing(&mut self.known, &files) {
            self.realms.remove(&realm.name);
            realm.close(reason::CLOSE_REALM);
            tracing::warn!(
                realm = %realm.name, file = %path.display(),
                "the realm is closed: its file is gone"
            );
        }
        Ok(changed(&self.known, files))
    }
}

/// Yields the realms whose files are gone.
fn forget_missing(known: &mut Memory, files: &BTreeSet<PathBuf>) -> Vec<(PathBuf, Arc<Realm>)> {
    let mut gone = Vec::new();
    known.retain(|path, known| {
        if files.contains(path) {
            known.missed = false;
            return true;
        }
        if !mem::replace(&mut known.missed, true) {
            return true;
        }
        gone.extend(known.realm.take().map(|realm| (path.clone(), realm)));
        false
    });
    gone
}

fn changed(known: &Memory, files: BTreeSet<PathBuf>) -> Vec<PathBuf> {
    // Thousands of realms have the same components. A stamp that was taken a little earlier does no
    // harm: what changes after it is another one at the next look.
    let mut stamps: HashMap<&Path, Option<Stamp>> = HashMap::new();
    let mut is_changed = |path: &PathBuf| {
        let Some(Known { stamps: then, .. }) = known.get(path) else {
            return true;
        };
        let mut then_and_now = then.iter().map(|(path, then)| {
            (
                *then,
                *stamps.entry(path).or_insert_with(|| Stamp::of(path)),
            )
        });
        then.is_empty() || then_and_now.any(|(then, now)| then != now)
    };
    files.into_iter().filter(|path| is_changed(path)).collect()
}

async fn inspect(
    workshop: &Workshop,
    realms: &Arc<Realms>,
    path: &Path,
    known: &mut Known,
) -> Result<Arc<Realm>, RealmError> {
    // Taken before reading: what changes while we read has another stamp at the next look.
    known.stamps = vec![stamp(path.to_owned())];
    let realm = config::Realm::read(path, &workshop.ceilings)?;
    let files = realm
        .methods
        .values()
        .flat_map(|method| workshop.files(realm.name.as_str(), method));
    known.stamps.extend(files.map(stamp));
    known.stamps.extend(key_files(&realm).map(stamp));
    let callees = consent::files(&realm, path);
    known.stamps.extend(callees.into_iter().map(stamp));
    known.stamps.shrink_to_fit();
    consent::check(&realm, path, &workshop.ceilings)?;
    loop {
        let Some(present) = &known.realm else {
            let made = workshop.build(&realm, realms, None).await?;
            let realm = realms.insert(Realm::new(realm.name.as_str().into(), made));
            known.realm = Some(Arc::clone(&realm));
            return Ok(realm);
        };
        let changes = present.changes();
        let made = workshop.build(&realm, realms, Some(present)).await?;
        if present.put_in_place(made, changes) {
            return Ok(Arc::clone(present));
        }
        // An operator has rolled back a step meanwhile, say, and what was made knows nothing of it.
    }
}

/// The files of its key sets.
fn key_files(realm: &config::Realm) -> impl Iterator<Item = PathBuf> {
    realm.key_sets.values().filter_map(|place| match place {
        config::KeySetPlace::File(file) => Some(file.clone()),
        config::KeySetPlace::Remote(_) => None,
    })
}

fn stamp(path: PathBuf) -> (PathBuf, Option<Stamp>) {
    let stamp = Stamp::of(&path);
    (path, stamp)
}

fn report(path: &Path, known: &Known, outcome: &Result<Arc<Realm>, RealmError>) {
    let file = path.display();
    match (outcome, &known.realm) {
        (Ok(realm), _) => realm.announce(&realm.generation()),
        (Err(error), Some(realm)) => {
            let generation = realm.generation().number;
            for (stage, line) in error.complaints() {
                tracing::error!(
                    realm = %realm.name, generation, stage,
                    "not reloaded, the generation before goes on: {line}"
                );
            }
        }
        (Err(error), None) => {
            for (stage, line) in error.complaints() {
                tracing::error!(%file, stage, "the realm stays out: {line}");
            }
        }
    }
}

/// The files `NAME.toml`, but not those that editors and copies leave behind.
fn realm_files(directory: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension() == Some(OsStr::new("toml")) {
            files.insert(path);
        }
    }
    Ok(files)
}
